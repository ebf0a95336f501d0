// Common tables. One is bound when it is first mentioned, in the surroundings of its WITH. When the select that WITH
// belongs to is done, it is decided how each is computed: mentioned once, it takes the place of its mention; mentioned
// more often, in a subquery of an expression, or AS MATERIALIZED, it becomes a LogicalCte around the body.
// NOT MATERIALIZED ones are bound anew at each mention, like views.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"
#include "sql/bind/walk.h"

namespace turdb::sql {
namespace {

// Whether `name` is an item of this FROM itself (not of a subquery in it).
bool IsInFrom(const TableRef* ref, std::string_view name) {
  if (ref == nullptr) return false;
  if (ref->kind == TableRefKind::kJoin) {
    const JoinTableRef& join = ref->As<JoinTableRef>();
    return IsInFrom(join.left, name) || IsInFrom(join.right, name);
  }
  if (ref->kind != TableRefKind::kTable) return false;
  const QualifiedName& table = ref->As<NamedTableRef>().name;
  return table.schema.empty() && EqualsIgnoreCase(table.name.text, name);
}

bool HasNode(const LogicalNode& root, LogicalKind kind) {
  const LogicalNode* node = &root;
  while (true) {
    if (node->kind == kind) return true;
    const bool is_plain = node->kind == LogicalKind::kProject || node->kind == LogicalKind::kFilter ||
                          node->kind == LogicalKind::kWindow;
    if (!is_plain || node->children.empty()) return false;
    node = node->children[0].get();
  }
}

using NewNames = std::vector<std::pair<ColumnId, ColumnId>>;

void Rename(ColumnId* id, const NewNames& names) {
  for (const auto& [from, to] : names) {
    if (*id == from) {
      *id = to;
      return;
    }
  }
}

void RenameIn(LogicalNode* node, const NewNames& names);

void RenameIn(BoundExpr* expr, const NewNames& names) {
  if (expr->kind == BoundKind::kColumn) Rename(&expr->column, names);
  for (ExprPtr& arg : expr->args) RenameIn(arg.get(), names);
  if (expr->subquery != nullptr) RenameIn(expr->subquery->logical.get(), names);
}

void RenameIn(LogicalNode* node, const NewNames& names) {
  for (ColumnId& id : node->output) Rename(&id, names);
  if (node->kind == LogicalKind::kAggregate) {
    for (AggregateCall& call : node->As<LogicalAggregate>().aggregates) Rename(&call.output, names);
  } else if (node->kind == LogicalKind::kWindow) {
    for (WindowCall& window : node->As<LogicalWindow>().calls) Rename(&window.call.output, names);
  }
  VisitExprs(node, [&](ExprPtr* expr) { RenameIn(expr->get(), names); });
  for (LogicalPtr& child : node->children) RenameIn(child.get(), names);
}

}  // namespace

absl::Status Binding::PushWith(const WithClause* with, Scope* scope, CteFrame* frame) {
  frame->parent = cte_frame_;
  frame->scope = scope;
  frame->subquery_level = subquery_level_;
  for (const CommonTable& table : with->tables) {
    for (const auto& other : frame->entries) {
      if (!EqualsIgnoreCase(other->ast->name.text, table.name.text)) continue;
      return NameProblem(Cat("duplicate WITH table name: ", table.name.text), table.name.pos);
    }
    frame->entries.push_back(std::make_unique<CteEntry>());
    frame->entries.back()->ast = &table;
  }
  cte_frame_ = frame;
  return absl::OkStatus();
}

LogicalPtr Binding::PopWith(CteFrame* frame, LogicalPtr body) {
  // What was bound first is needed by what was bound later: it goes outermost.
  for (auto it = frame->finished.rbegin(); it != frame->finished.rend(); ++it) {
    CteEntry* entry = *it;
    const bool is_materialized =
        entry->ast->materialization == Materialization::kMaterialized || entry->references > 1 || entry->is_far;
    if (!is_materialized) {
      entry->is_inlined = true;
      continue;
    }
    auto node = std::make_unique<LogicalCte>();
    node->cte_id = entry->cte_id;
    node->name = std::string(entry->ast->name.text);
    RenameColumns(entry->definition.get(), entry->columns);
    node->children.push_back(std::move(entry->definition));
    node->children.push_back(std::move(body));
    body = std::move(node);
  }
  for (auto& entry : frame->entries) kept_entries_.push_back(std::move(entry));
  return body;
}

// Gives new ids to what a definition produces: the first mention keeps the old ones.
void Binding::RenameColumns(LogicalNode* node, const std::vector<OutColumn>& columns) {
  std::vector<std::pair<ColumnId, ColumnId>> names;
  for (const OutColumn& column : columns) names.emplace_back(column.id, NewColumn(column.name));
  RenameIn(node, names);
}

CteEntry* Binding::FindCte(std::string_view name, CteFrame** frame) const {
  for (CteFrame* at = cte_frame_; at != nullptr; at = at->parent) {
    for (const auto& entry : at->entries) {
      if (!EqualsIgnoreCase(entry->ast->name.text, name)) continue;
      *frame = at;
      return entry.get();
    }
  }
  return nullptr;
}

PlanResult Binding::BindCteRef(Scope* scope, CteEntry* entry, CteFrame* frame, const NamedTableRef& ref) {
  const std::string_view table_name = entry->ast->name.text;
  const std::string_view name = ref.alias.empty() ? ref.name.name.text : ref.alias.text;
  auto node = std::make_unique<LogicalCteRef>();
  node->name = std::string(table_name);
  if (entry->state == CteState::kRecursiveStep) {
    if (entry->recursive_depth != select_depth_ || entry->recursive_level != subquery_level_) {
      return NameProblem(Cat("circular reference: ", table_name), ref.name.pos);
    }
    if (++entry->recursive_references > 1) {
      return NameProblem(Cat("multiple references to recursive table: ", table_name), ref.name.pos);
    }
    node->cte_id = entry->recursive_id;
  } else {
    if (entry->state == CteState::kBinding) {
      return NameProblem(Cat("circular reference: ", table_name), ref.name.pos);
    }
    const bool is_repeated = entry->ast->materialization == Materialization::kNotMaterialized && entry->references > 0;
    if (is_repeated || are_ctes_inlined_) return BindCteAnew(scope, entry, frame, name);
    if (entry->state == CteState::kUnbound) {
      TURDB_RETURN_IF_ERROR(BindCteDefinition(entry, frame));
      entry->cte_id = static_cast<int>(ctes_.size());
      ctes_.push_back(entry);
      frame->finished.push_back(entry);
    }
    node->cte_id = entry->cte_id;
    ++entry->references;
    entry->is_far = entry->is_far || subquery_level_ != frame->subquery_level;
  }
  std::vector<OutColumn> columns = entry->columns;
  // The first mention has the definition's own columns: it may come to stand in its place.
  if (entry->references != 1 || entry->state == CteState::kRecursiveStep) {
    for (OutColumn& column : columns) column.id = NewColumn(column.name);
  }
  for (const OutColumn& column : columns) node->output.push_back(column.id);
  return AddDerivedSource(scope, name, std::move(node), std::move(columns));
}

// As if its text stood here. While it is bound, mentions of it are mentions of this copy: circles are found.
PlanResult Binding::BindCteAnew(Scope* scope, CteEntry* entry, CteFrame* frame, std::string_view name) {
  auto again = std::make_unique<CteEntry>();
  again->ast = entry->ast;
  CteEntry* copy = again.get();
  const auto slot = std::find_if(frame->entries.begin(), frame->entries.end(),
                                 [&](const std::unique_ptr<CteEntry>& candidate) { return candidate.get() == entry; });
  std::swap(*slot, again);
  const absl::Status status = BindCteDefinition(copy, frame);
  std::swap(*slot, again);
  TURDB_RETURN_IF_ERROR(status);
  return AddDerivedSource(scope, name, std::move(copy->definition), std::move(copy->columns));
}

absl::Status Binding::NameCteColumns(const CteEntry& entry, std::vector<OutColumn>* columns) {
  const List<Name>& names = entry.ast->columns;
  if (!names.empty() && names.size() != columns->size()) {
    return NameProblem(Cat("table ", entry.ast->name.text, " has ", columns->size(), " values for ", names.size(),
                           " columns"),
                       entry.ast->name.pos);
  }
  for (size_t i = 0; i < names.size(); ++i) (*columns)[i].name = names[i].text;
  NameColumnsOnce(columns);
  return absl::OkStatus();
}

absl::Status Binding::BindCteDefinition(CteEntry* entry, CteFrame* frame) {
  Restore<Scope*> surroundings(&scope_, frame->scope);
  Restore<CteFrame*> tables(&cte_frame_, frame);
  Restore<int> level(&subquery_level_, frame->subquery_level);
  Restore<ReferenceTracker*> untracked(&trackers_, nullptr);
  entry->state = CteState::kBinding;
  const Select& select = *entry->ast->select;
  size_t recursive = 1;
  while (recursive < select.cores.size() && !IsInFrom(select.cores[recursive]->from, entry->ast->name.text)) ++recursive;
  BoundSelect bound;
  if (recursive < select.cores.size()) {
    CteFrame inner;
    if (select.with != nullptr) TURDB_RETURN_IF_ERROR(PushWith(select.with, frame->scope, &inner));
    TURDB_ASSIGN_OR_RETURN(bound, BindRecursive(entry, frame, recursive));
    if (select.with != nullptr) bound.root = PopWith(&inner, std::move(bound.root));
  } else {
    TURDB_ASSIGN_OR_RETURN(bound, BindSelect(select, frame->scope));
    TURDB_RETURN_IF_ERROR(NameCteColumns(*entry, &bound.columns));
  }
  entry->columns = std::move(bound.columns);
  entry->definition = std::move(bound.root);
  entry->state = CteState::kBound;
  return absl::OkStatus();
}

// initial UNION [ALL] recursive: rows of the initial cores are queued; the recursive ones see one row at a time.
absl::StatusOr<BoundSelect> Binding::BindRecursive(CteEntry* entry, CteFrame* frame, size_t first_recursive) {
  const Select& select = *entry->ast->select;
  const uint32_t split = static_cast<uint32_t>(first_recursive);
  TURDB_RETURN_IF_ERROR(CheckLocksNothing(select, "is not allowed in a recursive query"));
  for (size_t i = first_recursive; i < select.cores.size(); ++i) {
    const CompoundOp op = select.cores[i]->op;
    if (op == CompoundOp::kUnion || op == CompoundOp::kUnionAll) continue;
    return NameProblem(Cat("circular reference: ", entry->ast->name.text), select.cores[i]->pos);
  }
  Restore<int> deeper(&select_depth_, select_depth_ + 1);
  if (select_depth_ > kMaxSelectDepth) return Misuse("too many nested selects", select.pos);
  CompoundOrder order;
  order.terms = &select.order_by;
  order.columns.assign(select.order_by.size(), -1);
  auto node = std::make_unique<LogicalRecursiveCte>();
  TURDB_ASSIGN_OR_RETURN(BoundSelect initial, BindCores({select.cores.items, split}, frame->scope, &order));
  TURDB_RETURN_IF_ERROR(NameCteColumns(*entry, &initial.columns));
  node->children.push_back(std::move(initial.root));
  for (OutColumn& column : initial.columns) {
    column.id = NewColumn(column.name);
    node->output.push_back(column.id);
    node->collations.push_back(column.has_collation ? column.collation : Collation::kBinary);
  }
  entry->columns = initial.columns;
  entry->state = CteState::kRecursiveStep;
  // Other common tables that the steps mention are computed once, not a step each: as if mentioned in a subquery.
  Restore<int> repeated(&subquery_level_, subquery_level_ + 1);
  entry->recursive_depth = select_depth_;
  entry->recursive_level = subquery_level_;
  entry->recursive_id = node->cte_id = static_cast<int>(ctes_.size());
  ctes_.push_back(nullptr);
  node->is_union_all = select.cores[first_recursive]->op == CompoundOp::kUnionAll;
  LogicalPtr steps;
  for (size_t i = first_recursive; i < select.cores.size(); ++i) {
    entry->recursive_references = 0;
    TURDB_ASSIGN_OR_RETURN(BoundSelect step, BindCore(*select.cores[i], {}, frame->scope, &order));
    if (HasNode(*step.root, LogicalKind::kWindow)) {
      return Misuse("cannot use window functions in recursive queries", select.cores[i]->pos);
    }
    if (HasNode(*step.root, LogicalKind::kAggregate)) {
      return Misuse("recursive aggregate queries not supported", select.cores[i]->pos);
    }
    if (step.width != initial.width) {
      return Misuse(Cat("SELECTs to the left and right of UNION", node->is_union_all ? " ALL" : "",
                        " do not have the same number of result columns"),
                    select.cores[i]->pos);
    }
    if (steps == nullptr) {
      steps = std::move(step.root);
      continue;
    }
    auto both = std::make_unique<LogicalSetOp>();
    for (const OutColumn& column : initial.columns) both->output.push_back(NewColumn(column.name));
    both->collations = node->collations;
    both->children.push_back(std::move(steps));
    both->children.push_back(std::move(step.root));
    steps = std::move(both);
  }
  node->children.push_back(std::move(steps));
  TURDB_RETURN_IF_ERROR(FinishCompoundOrder(&order, initial.columns, &node->order_by));
  TURDB_RETURN_IF_ERROR(BindLimitExprs(select.limit, select.offset, &node->limit, &node->offset));
  initial.root = std::move(node);
  return initial;
}

}  // namespace turdb::sql
