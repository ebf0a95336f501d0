// Binding: the state of binding one statement, shared by the files of this room (a file per part of SQL).
//
// One object a statement, used by one thread. Members are grouped by the file that defines them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "sql/bind/binder.h"
#include "sql/bind/scope.h"

namespace turdb::sql {

using ExprResult = absl::StatusOr<ExprPtr>;
using PlanResult = absl::StatusOr<LogicalPtr>;

// Restores a variable when the block ends.
template <typename T>
class Restore {
 public:
  Restore(T* variable, T value) : variable_(variable), saved_(std::exchange(*variable, std::move(value))) {}
  explicit Restore(T* variable) : variable_(variable), saved_(*variable) {}
  ~Restore() { *variable_ = std::move(saved_); }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;

 private:
  T* variable_;
  T saved_;
};

// ORDER BY of a compound select: which result column each term is, found while the cores are bound.
struct CompoundOrder {
  const List<OrderingTerm>* terms = nullptr;
  std::vector<int> columns;  // -1 until found
};

class Binding {
 public:
  // REQUIRES: catalog outlives it; null when only expressions over a row are bound.
  Binding(const catalog::CatalogSnapshot* catalog, const BindOptions& options, std::string_view text)
      : catalog_(catalog), functions_(*options.functions), text_(text) {}

  // bind_statement.cc
  absl::Status BindStatement(const Statement& statement);
  absl::Status Finish();  // finish_plan.cc: outputs, inlined common tables, outer columns of subqueries
  BoundStatement& bound() { return bound_; }

  // --- errors and small things (binding.cc)
  absl::Status NameProblem(std::string_view message, SourcePos pos, std::string_view hint = {}) const;
  absl::Status Misuse(std::string_view message, SourcePos pos, std::string_view hint = {}) const;
  ColumnId NewColumn(std::string_view name, const Scope* owner = nullptr);
  void Own(ColumnId id, const Scope& scope) { owners_[id.value()] = scope.serial; }
  bool IsOwnedBy(ColumnId id, const Scope& scope) const { return owners_[id.value()] == scope.serial; }
  std::unique_ptr<Scope> NewScope(Scope* parent);
  std::string_view Keep(std::string_view text) { return arena_.Copy(text); }
  absl::StatusOr<const catalog::TableDef*> TableToWrite(const QualifiedName& name);
  absl::Status NoSuchTable(const QualifiedName& name) const;

  // --- select (bind_select.cc)
  absl::StatusOr<BoundSelect> BindSelect(const Select& select, Scope* parent);
  absl::StatusOr<BoundSelect> BindSelectBody(const Select& select, Scope* parent);
  absl::StatusOr<BoundSelect> BindCores(List<SelectCore*> cores, Scope* parent, CompoundOrder* order);
  absl::StatusOr<LogicalPtr> BindLimit(LogicalPtr root, const Expr* limit, const Expr* offset);
  absl::Status BindLimitExprs(const Expr* limit, const Expr* offset, ExprPtr* limit_out, ExprPtr* offset_out);
  absl::Status FinishCompoundOrder(CompoundOrder* order, const std::vector<OutColumn>& columns,
                                   std::vector<SortKey>* keys);
  void NameColumnsOnce(std::vector<OutColumn>* columns);  // a, a:1, ...

  // --- one core (bind_core.cc)
  absl::StatusOr<BoundSelect> BindValuesCore(const SelectCore& core, Scope* parent);
  absl::StatusOr<BoundSelect> BindCore(const SelectCore& core, const List<OrderingTerm>& order_by, Scope* parent,
                                       CompoundOrder* compound, List<LockingClause> locking = {});
  absl::Status BindItems(Scope* scope, const List<ResultColumn>& columns);
  void FindOrigin(const BoundExpr& expr, ResultItem* item) const;
  static bool MentionsAggregate(const Scope& scope, const BoundExpr& expr);
  absl::Status ExpandStar(Scope* scope, const StarExpr& star);
  absl::Status BindGroupBy(Scope* scope);
  struct OrderKey {
    int item = -1;
    SortKey key;
  };
  absl::Status BindOrderBy(Scope* scope, const List<OrderingTerm>& terms, std::vector<OrderKey>* keys);
  absl::Status MatchCompoundOrder(Scope* scope, CompoundOrder* order);
  absl::StatusOr<int> ItemNumber(const Expr& term, size_t width, size_t place, std::string_view clause) const;
  absl::StatusOr<BoundSelect> BuildCore(Scope* scope, LogicalPtr root, ExprPtr having, std::vector<OrderKey> order);
  LogicalPtr BuildAggregate(Scope* scope, LogicalPtr input);

  // --- FOR UPDATE and FOR SHARE (bind_locking.cc)
  absl::Status CannotLock(const LockingClause& clause, std::string_view why, std::string_view hint) const;
  absl::Status CheckLocksNothing(const Select& select, std::string_view why) const;
  absl::Status CheckMayLock(const Scope& scope, const LockingClause& clause) const;
  absl::Status FindLockedSources(const Scope& scope, const LockingClause& clause,
                                 std::vector<std::pair<size_t, RowLock>>* wanted) const;
  absl::StatusOr<std::vector<RowLock>> BindLocks(Scope* scope, LogicalProject* project, std::vector<OutColumn>* columns);

  // --- aggregates (rewrite_aggregate.cc): expressions bound over FROM become ones over the aggregate's output
  ExprPtr GroupColumn(const Scope& scope, int group) const;
  ColumnId BareColumn(Scope* scope, const BoundExpr& column);
  void RewriteWindowsOverGroups(Scope* scope);
  void RewriteOverGroups(Scope* scope, ExprPtr* expr);
  void RewriteTreeOverGroups(Scope* scope, LogicalNode* node);

  // --- FROM (bind_from.cc, bind_join.cc)
  struct PendingOn {
    LogicalJoin* join;
    const Expr* on;
    size_t sources_end;
  };
  PlanResult BindFromClause(Scope* scope, const TableRef& from, std::vector<ExprPtr>* moved_conditions);
  // The rows of `root` for which WHERE (may be null) and the conditions that FROM moved there hold.
  PlanResult BindWhere(LogicalPtr root, const Expr* where, std::vector<ExprPtr> moved_conditions);
  PlanResult BindTableRef(Scope* scope, const TableRef& ref, std::vector<PendingOn>* pending);
  PlanResult BindNamedTable(Scope* scope, const NamedTableRef& ref);
  PlanResult BindStoredTable(Scope* scope, const NamedTableRef& ref, const catalog::TableDef& table);
  PlanResult BindView(Scope* scope, const TableRef& ref, const catalog::TableDef& view);
  PlanResult BindTableFunction(Scope* scope, const TableRef& ref, std::string_view name, const List<Expr*>& arguments);
  PlanResult BindDerivedTable(Scope* scope, const SubqueryTableRef& ref);
  PlanResult BindSystemView(Scope* scope, const NamedTableRef& ref);
  PlanResult BindSystemTable(Scope* scope, const NamedTableRef& ref);  // system_tables.cc
  PlanResult AddDerivedSource(Scope* scope, std::string_view name, LogicalPtr root, std::vector<OutColumn> columns);
  PlanResult BindJoin(Scope* scope, const JoinTableRef& join, std::vector<PendingOn>* pending);
  PlanResult BindAliasedJoin(Scope* scope, const JoinTableRef& join);
  absl::Status BindOns(Scope* scope, const std::vector<PendingOn>& pending, std::vector<ExprPtr>* moved);
  ExprResult UsingCondition(Scope* scope, const JoinTableRef& join, size_t begin, size_t middle);
  ExprResult UsingColumn(Scope* scope, Name name, size_t begin, size_t end);
  bool IsNameRepeated(const Scope& scope, size_t source, std::string_view column) const;

  // --- WITH (bind_cte.cc)
  absl::Status PushWith(const WithClause* with, Scope* scope, CteFrame* frame);
  LogicalPtr PopWith(CteFrame* frame, LogicalPtr body);
  CteEntry* FindCte(std::string_view name, CteFrame** frame) const;
  PlanResult BindCteRef(Scope* scope, CteEntry* entry, CteFrame* frame, const NamedTableRef& ref);
  PlanResult BindCteAnew(Scope* scope, CteEntry* entry, CteFrame* frame, std::string_view name);
  void RenameColumns(LogicalNode* node, const std::vector<OutColumn>& columns);
  absl::Status BindCteDefinition(CteEntry* entry, CteFrame* frame);
  absl::StatusOr<BoundSelect> BindRecursive(CteEntry* entry, CteFrame* frame, size_t first_recursive);
  absl::Status NameCteColumns(const CteEntry& entry, std::vector<OutColumn>* columns);

  // --- names (bind_name.cc)
  struct Match {
    int count = 0;
    const Source* source = nullptr;
    int column = 0;  // catalog::kRowIdColumn for the rowid
    size_t source_index = 0;
    std::vector<std::pair<size_t, int>> merged;  // further sides of FULL JOIN .. USING
  };
  ExprResult BindColumn(const ColumnExpr& expr);
  void FindColumn(const Scope& scope, const ColumnExpr& expr, size_t begin, size_t end, Match* match) const;
  ExprResult MatchExpr(Scope* scope, const Match& match, SourcePos pos);
  ExprPtr SourceColumn(Scope* scope, size_t source, int column, SourcePos pos);
  ExprResult BindAlias(Scope* scope, size_t item);
  int FindAlias(const Scope& scope, std::string_view name) const;
  absl::Status NoSuchColumn(const ColumnExpr& expr) const;
  void NoteReference(const Scope& scope, size_t source);

  // --- expressions (bind_expr.cc)
  ExprResult BindExpr(const Expr& expr);
  ExprResult BindLiteral(const LiteralExpr& expr);
  ExprResult BindUnary(const UnaryExpr& expr);
  ExprResult BindBinary(const BinaryExpr& expr);
  ExprResult BindAndOr(const BinaryExpr& expr);
  ExprResult BindArithmetic(const BinaryExpr& expr, ArithmeticOp op);
  ExprResult BindCase(const CaseExpr& expr);
  ExprResult BindCast(const CastExpr& expr);
  absl::StatusOr<Collation> CollationNamed(const Name& name) const;
  ExprResult BindCollate(const CollateExpr& expr);
  ExprResult BindParameter(const ParameterExpr& expr);
  absl::Status BindList(const List<Expr*>& list, std::vector<ExprPtr>* out);
  bool IsBoolLiteral(const Expr& expr);
  ExprResult BindTruth(const BinaryExpr& expr, bool is_true, bool is_negated);
  absl::Status Prohibited(std::string_view what, SourcePos pos) const;

  // --- comparisons and row values (bind_compare.cc, bind_in.cc)
  ExprResult BindComparison(const BinaryExpr& expr, CompareOp op);
  ExprResult BindBetween(const BetweenExpr& expr);
  ExprResult BindIn(const InExpr& expr);
  ExprResult BindInList(const InExpr& expr);
  ExprResult BindInSubquery(const InExpr& expr);
  // An operand as one or more columns; binding it again gives the same meaning.
  size_t RowWidth(const Expr& expr);  // 1 for anything but a row value or a subquery of several columns
  absl::StatusOr<std::vector<ExprPtr>> BindRow(const Expr& expr, size_t width);
  ExprResult CompareRows(CompareOp op, const Expr& left, const Expr& right, SourcePos pos);
  struct RowOperands {
    std::vector<ExprPtr> left, right, left_again, right_again;  // each operand twice
  };
  ExprResult CompareRowsInOrder(CompareOp op, RowOperands rows, SourcePos pos);
  // Values that stand in several places (kOnce).
  ExprPtr ShareInCase(ExprPtr expr);                  // its first place in a kCase; cheap ones stay as they are
  static ExprPtr ShareAgain(const BoundExpr& first);  // a later place in the same kCase
  absl::StatusOr<std::pair<ExprPtr, ExprPtr>> ShareParts(const Expr& ast);  // two parts of one kAnd or kOr
  void ShareWhole(ExprPtr* first, ExprPtr* second);  // the same for two bindings of one text

  // --- subqueries (bind_subquery.cc)
  absl::StatusOr<std::unique_ptr<BoundSubquery>> BindSubquery(const Select& select, size_t* width);
  ExprResult BindScalarSubquery(const SubqueryExpr& expr, size_t column, size_t width);
  ExprResult BindExists(const ExistsExpr& expr);

  // --- functions (bind_function.cc, bind_call.cc, bind_window.cc)
  ExprResult BindFunction(const FunctionExpr& expr);
  ExprResult BindScalarCall(const FunctionExpr& expr, const ScalarFunction& function);
  bool MayAggregate() const;
  absl::Status MisusedAggregate(const FunctionExpr& expr, bool is_short) const;
  ExprResult BindAggregateCall(const FunctionExpr& expr, const AggregateFunction& function);
  ExprResult BindWindowCall(const FunctionExpr& expr, const AggregateFunction& function);
  ExprResult BindLike(const LikeExpr& expr);
  ExprResult Call(std::string_view name, std::vector<ExprPtr> args, SourcePos pos);
  ExprResult CallFunction(const ScalarFunction& function, std::vector<ExprPtr> args, SourcePos pos);
  ExprResult BindCoalesce(const FunctionExpr& expr);
  ExprResult BindIif(const FunctionExpr& expr);
  ExprResult BindLikelihood(const FunctionExpr& expr, std::string_view name);
  bool IsSpecialForm(std::string_view name) const;
  ExprResult BindSpecialForm(const FunctionExpr& expr, std::string_view name);
  absl::Status NoSuchFunction(const FunctionExpr& expr, std::string_view lower_name) const;
  absl::Status WrongArgumentCount(const FunctionExpr& expr) const;
  absl::Status BindAggregateParts(const FunctionExpr& expr, AggregateCall* call);
  absl::Status BindSortKeys(const List<OrderingTerm>& terms, std::vector<SortKey>* keys);
  absl::Status BindWindowSpec(const WindowSpec& spec, WindowCall* call);
  absl::StatusOr<const WindowSpec*> FindWindow(const Name& name) const;
  absl::Status BindFrame(const WindowSpec& spec, WindowCall* call);

  // --- writes (bind_insert.cc, bind_upsert.cc, bind_update.cc, bind_delete.cc, bind_row.cc)
  absl::Status BindInsert(const Insert& insert);
  absl::Status BindInsertTargets(const Insert& insert, const catalog::TableDef& table, std::vector<int>* targets);
  void DropRepeatedTargets(BoundSelect* source, std::vector<int>* targets);
  absl::StatusOr<int> ColumnToWrite(const Name& name, const catalog::TableDef& table, bool is_insert) const;
  absl::Status BindUpserts(const Insert& insert, const catalog::TableDef& table, LogicalInsert* node);
  absl::Status MatchUpsertTarget(const Upsert& upsert, const catalog::TableDef& table, const LogicalInsert& node,
                                 std::string_view place, UpsertClause* out);
  static bool IsUpsertTarget(const std::vector<ExprPtr>& target, const BoundExpr* target_where,
                             const catalog::IndexDef& index, const LogicalInsert& node);
  absl::Status BindUpdate(const Update& update);
  absl::Status BindDelete(const Delete& statement);
  absl::Status BindAssignments(const List<Assignment>& assignments, const catalog::TableDef& table,
                               std::vector<std::pair<int, ExprPtr>>* out);
  absl::Status BindReturning(const List<ResultColumn>& columns, const catalog::TableDef& table,
                             const std::vector<ColumnId>& row_columns, Returning* out);
  void AddResultColumn(const OutColumn& column);
  Source RowSource(const catalog::TableDef& table, std::string_view name, const std::vector<ColumnId>& ids) const;
  std::vector<ColumnId> NewRowColumns(const catalog::TableDef& table, std::string_view prefix);
  // REQUIRES: out->row_columns is set.
  absl::Status BindRowExpressions(const catalog::TableDef& table, bool indexes_only, RowExpressions* out);
  absl::Status BindGenerated(const catalog::TableDef& table, const Source& row, RowExpressions* out);
  ExprResult BindRowExpression(std::string_view sql, const Source& row, RowExpressionUse use);
  ExprResult BindDefault(std::string_view sql, std::string_view column);
  absl::Status BindDefaults(const catalog::TableDef& table, std::vector<ExprPtr>* out);
  struct WriteSource {
    const NamedTableRef* target;
    const TableRef* from;
    const Expr* where;
    const List<OrderingTerm>* order_by;
    const Expr* limit;
    const Expr* offset;
  };
  absl::StatusOr<LogicalPtr> BindWriteSource(Scope* scope, const WriteSource& source);
  struct WrittenRow {
    RowExpressions* expressions;
    Returning* returning;
  };
  static bool ReadsColumn(const WrittenRow& row, ColumnId id);
  LogicalPtr ProjectRow(Scope* scope, LogicalPtr input, const WrittenRow& row, std::vector<ExprPtr> values);
  LogicalPtr ProjectKey(Scope* scope, LogicalPtr input);
  LogicalPtr OncePerRow(LogicalPtr project, const catalog::TableDef& table);

  // --- finish_plan.cc
  void FinishNode(LogicalPtr* node);
  void FinishExpr(ExprPtr* expr);
  void FinishSubquery(BoundSubquery* subquery);

  static constexpr int kMaxSharedCopies = 100000;
  static constexpr int kMaxSelectDepth = 250;    // nested selects, views and common tables: bounds the stack

  const catalog::CatalogSnapshot* catalog_;
  const FunctionSet& functions_;
  std::string_view text_;        // that positions refer to; a view's while it is expanded
  BoundStatement bound_;
  Arena arena_{512};
  std::vector<uint32_t> owners_;  // by ColumnId: serial of the scope whose FROM offers it
  uint32_t scope_count_ = 0;
  Scope* scope_ = nullptr;
  CteFrame* cte_frame_ = nullptr;
  ReferenceTracker* trackers_ = nullptr;
  int select_depth_ = 0;
  int subquery_level_ = 0;        // subqueries of expressions around this place
  int shared_copies_ = 0;         // of kOnce parts: what nested BETWEENs would double without end
  std::string_view prohibited_in_;  // "CHECK constraints", ... while a stored expression is bound
  bool are_ctes_inlined_ = false;  // at every mention: RETURNING and ON CONFLICT lie outside the source of the rows
  bool are_all_functions_allowed_ = false;  // random() and time in a DEFAULT
  std::vector<ColumnId> mentioned_;   // while finishing: columns read, and
  std::vector<ColumnId> produced_;    // columns made, in the subquery being walked
  std::vector<ParsedStatement> views_;
  std::vector<const catalog::TableDef*> open_views_;
  std::vector<CteEntry*> ctes_;   // by cte_id; null for recursive steps
  std::vector<std::unique_ptr<CteEntry>> kept_entries_;
  std::vector<std::vector<ColumnId>> cte_outer_columns_;  // by cte_id, of the definition
};

// The column that is the rowid, if the table has one by name.
inline int RowIdColumnOf(const catalog::TableDef& table) {
  return table.rowid_alias >= 0 ? table.rowid_alias : catalog::kRowIdColumn;
}
std::string Ordinal(size_t n);  // 1st, 2nd, ...

// --- building and typing expressions (build_expr.cc)
ExprPtr NewExpr(BoundKind kind, SourcePos pos = {});
ExprPtr NewConstant(Value value, SourcePos pos = {});
ExprPtr NewColumnExpr(const OutColumn& column, SourcePos pos = {});
ExprPtr NewCompare(CompareOp op, ExprPtr left, ExprPtr right, SourcePos pos = {});
ExprPtr NewAnd(ExprPtr left, ExprPtr right);  // either may be null
ExprPtr NewCase(std::vector<ExprPtr> args, SourcePos pos = {});
ExprPtr NewNot(ExprPtr operand, SourcePos pos = {});
ExprPtr NewIsNull(ExprPtr operand, bool is_negated, SourcePos pos = {});
// What two operands are compared under (datatype3.html, 4.2 and 7.1).
Affinity CompareAffinity(Affinity left, Affinity right);
Affinity CompareAffinityOfOne(Affinity operand);  // kNone, kNumeric or kText
Collation CompareCollation(const BoundExpr& left, const BoundExpr& right);
void SetOrder(const OrderingTerm& term, SortKey* key);  // direction, place of NULLs, collation of key->expr
// An explicit COLLATE below shows through operators and calls.
void InheritCollation(BoundExpr* expr);
bool IsCheap(const BoundExpr& expr);  // a column, constant or parameter: evaluated as often as it stands there
OutColumn ColumnOf(const BoundExpr& expr, ColumnId id, std::string_view name);

}  // namespace turdb::sql
