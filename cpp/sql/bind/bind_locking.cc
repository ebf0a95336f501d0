// FOR UPDATE and FOR SHARE: which tables of FROM they lock, and the columns that name the rows.
//
// The rows' keys travel as columns of the select that it does not show, as those of ORDER BY do; the node that locks stands above
// the sort and below LIMIT. What PostgreSQL refuses is refused in its words: rows that are made of several, or of none.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {
namespace {

std::string_view NameOf(const LockingClause& clause) {
  return clause.strength == RowLockStrength::kUpdate ? "FOR UPDATE" : "FOR SHARE";
}

// The items of FROM from left to right, as they stand in Scope::sources.
struct FromItem {
  const TableRef* ref;
  bool is_nullable;  // an outer join may give NULLs in its place
};

void CollectItems(const TableRef& ref, bool is_nullable, std::vector<FromItem>* items) {
  if (ref.kind != TableRefKind::kJoin || !ref.alias.empty()) return items->push_back({&ref, is_nullable});
  const JoinTableRef& join = ref.As<JoinTableRef>();
  const bool is_full = join.join == JoinKind::kFull;
  CollectItems(*join.left, is_nullable || is_full || join.join == JoinKind::kRight, items);
  CollectItems(*join.right, is_nullable || is_full || join.join == JoinKind::kLeft, items);
}

std::string_view Describe(const TableRef& ref) {
  switch (ref.kind) {
    case TableRefKind::kTable: return "a view or a WITH query";
    case TableRefKind::kFunction: return "a function";
    case TableRefKind::kSubquery: return "a subquery";
    case TableRefKind::kJoin: return "a join with an alias";
  }
  return "";
}

}  // namespace

absl::Status Binding::CannotLock(const LockingClause& clause, std::string_view why, std::string_view hint) const {
  return UnsupportedError(AtPlace(Cat(NameOf(clause), " ", why), text_, clause.pos.offset, hint));
}

absl::Status Binding::CheckLocksNothing(const Select& select, std::string_view why) const {
  return select.locking.empty() ? absl::OkStatus() : CannotLock(select.locking[0], why, "");
}

// Rows of the result must be rows of tables, one for one.
absl::Status Binding::CheckMayLock(const Scope& scope, const LockingClause& clause) const {
  std::string_view why;
  if (scope.core->is_distinct) why = "is not allowed with DISTINCT";
  if (!scope.groups.empty()) why = "is not allowed with GROUP BY";
  if (scope.groups.empty() && !scope.aggregates.empty()) why = "is not allowed with aggregate functions";
  if (!scope.windows.empty()) why = "is not allowed with window functions";
  return why.empty() ? absl::OkStatus() : CannotLock(clause, why, "");
}

namespace {

// Of several clauses for one table the stronger counts, and the one that waits less.
void AddLock(const LockingClause& clause, size_t source, std::vector<std::pair<size_t, RowLock>>* wanted) {
  const auto found = std::find_if(wanted->begin(), wanted->end(), [&](const auto& entry) { return entry.first == source; });
  RowLock& lock = found != wanted->end() ? found->second : wanted->emplace_back(source, RowLock()).second;
  lock.strength = std::max(lock.strength, clause.strength);
  lock.wait = std::max(lock.wait, clause.wait);
}

}  // namespace

absl::Status Binding::FindLockedSources(const Scope& scope, const LockingClause& clause,
                                        std::vector<std::pair<size_t, RowLock>>* wanted) const {
  std::vector<FromItem> items;
  if (scope.core->from != nullptr) CollectItems(*scope.core->from, false, &items);
  if (items.size() != scope.sources.size()) return InternalError("FROM has ", items.size(), " items of ", scope.sources.size());
  const auto add = [&](size_t i) -> absl::Status {
    const Source& source = scope.sources[i];
    if (source.table == nullptr) {
      return CannotLock(clause, Cat("cannot be applied to ", source.name, ", which is ", Describe(*items[i].ref)),
                        clause.tables.empty() ? "name the tables to lock with OF" : "");
    }
    if (items[i].is_nullable) {
      return CannotLock(clause, Cat("cannot be applied to ", source.name, " on the nullable side of an outer join"),
                        clause.tables.empty() ? "name the tables to lock with OF" : "");
    }
    AddLock(clause, i, wanted);
    return absl::OkStatus();
  };
  for (size_t i = 0; i < items.size() && clause.tables.empty(); ++i) {
    const bool has_no_rows = scope.sources[i].table == nullptr && items[i].ref->kind == TableRefKind::kFunction;
    if (!has_no_rows) TURDB_RETURN_IF_ERROR(add(i));
  }
  for (const Name& name : clause.tables) {
    const auto found = std::find_if(scope.sources.begin(), scope.sources.end(),
                                    [&](const Source& source) { return EqualsIgnoreCase(source.name, name.text); });
    if (found == scope.sources.end()) {
      return NameProblem(Cat("no such table: ", name.text, " in the FROM clause, which ", NameOf(clause), " is to lock"), name.pos);
    }
    TURDB_RETURN_IF_ERROR(add(static_cast<size_t>(found - scope.sources.begin())));
  }
  return absl::OkStatus();
}

// The locks that the select asks for, their keys among the columns of `project`, as further ones of `columns`.
absl::StatusOr<std::vector<RowLock>> Binding::BindLocks(Scope* scope, LogicalProject* project, std::vector<OutColumn>* columns) {
  std::vector<std::pair<size_t, RowLock>> wanted;
  for (const LockingClause& clause : scope->locking) TURDB_RETURN_IF_ERROR(FindLockedSources(*scope, clause, &wanted));
  std::vector<RowLock> locks;
  for (auto& [source, lock] : wanted) {
    const catalog::TableDef& table = *scope->sources[source].table;
    lock.table = &table;
    lock.alias = std::string(scope->sources[source].name);
    std::vector<int> key = table.primary_key;
    if (!table.is_without_rowid) key = {RowIdColumnOf(table)};
    for (int column : key) {
      project->exprs.push_back(SourceColumn(scope, source, column, {}));
      const std::string_view name = Keep(bound_.column_names[project->exprs.back()->column.value()]);
      columns->push_back(ColumnOf(*project->exprs.back(), NewColumn(name), name));
      project->output.push_back(columns->back().id);
      lock.key.push_back(NewColumnExpr(columns->back()));
    }
    locks.push_back(std::move(lock));
  }
  return locks;
}

}  // namespace turdb::sql
