// The writer behind ToSql(): appends one construct after the other to a string.
#pragma once

#include <string>
#include <string_view>

#include "sql/syntax/printer.h"

namespace turdb::sql {

class SqlWriter {
 public:
  // With `all_parentheses` every operator stands in its own.
  explicit SqlWriter(bool all_parentheses = false) : all_parentheses_(all_parentheses) {}

  std::string Take() { return std::move(out_); }

  // --- expressions (print_expr.cc)
  // In parentheses when it binds looser than `precedence` (the levels of parse_expr.cc).
  void Write(const Expr& expr, int precedence = 0);

  // --- SELECT (print_select.cc)
  void Write(const Select& select);

  // --- other statements (print_modify.cc, print_schema.cc, print_statement.cc)
  void Write(const Statement& statement);

 private:
  void Add(std::string_view text) { out_ += text; }
  void AddName(const Name& name);
  void AddName(const QualifiedName& name);
  void AddNames(const List<Name>& names);  // (a, b)
  void AddOptionalNames(const List<Name>& names);
  void AddAlias(const Name& alias);
  template <typename Items, typename WriteItem>
  void AddList(const Items& items, const WriteItem& write_item) {
    bool is_first = true;
    for (const auto& item : items) {
      if (!is_first) Add(", ");
      is_first = false;
      write_item(item);
    }
  }
  void AddExprs(const List<Expr*>& exprs);
  void AddClause(std::string_view keyword, const Expr* expr);  // nothing for a null expr

  void WriteBare(const Expr& expr);
  void WriteLiteral(const LiteralExpr& literal);
  void WriteUnary(const UnaryExpr& unary);
  void WriteBinary(const BinaryExpr& binary);
  void WriteLike(const LikeExpr& like);
  void WriteBetween(const BetweenExpr& between);
  void WriteIn(const InExpr& in);
  void WriteCase(const CaseExpr& expr);
  void WriteFunction(const FunctionExpr& function);
  void WriteRaise(const RaiseExpr& raise);
  void WriteWindow(const WindowSpec& window);
  void WriteFrame(const WindowSpec& window);
  void WriteFrameBound(const FrameBound& bound);

  void WriteOrderBy(const List<OrderingTerm>& terms);
  void WriteOrderingTerm(const OrderingTerm& term);
  void WriteSortOrder(SortOrder order, NullsOrder nulls);
  void WriteLimit(const Expr* limit, const Expr* offset);
  void WriteLocking(const LockingClause& clause);
  void WriteWith(const WithClause* with);
  void WriteCore(const SelectCore& core);
  void WriteResultColumns(const List<ResultColumn>& columns);
  void WriteTableRef(const TableRef& table);
  void WriteNamedTable(const NamedTableRef& table);
  void WriteJoin(const JoinTableRef& join);

  void WriteInsert(const Insert& insert);
  void WriteUpsert(const Upsert& upsert);
  void WriteUpdate(const Update& update);
  void WriteDelete(const Delete& statement);
  void WriteAssignments(const List<Assignment>& assignments);
  void WriteReturning(const List<ResultColumn>& columns);
  void WriteOnConflict(std::string_view prefix, ConflictAction action);

  void WriteCreate(std::string_view what, bool if_not_exists, const QualifiedName& name);
  void WriteCreateTable(const CreateTable& table);
  void WriteColumnDef(const ColumnDef& column);
  void WriteConstraint(const Constraint& constraint, bool is_of_table);
  void WriteConstraintBody(const Constraint& constraint, bool is_of_table);
  void WriteForeignKey(const ForeignKeyClause& key);
  void WriteVirtualTable(const CreateVirtualTable& table);
  void WriteCreateIndex(const CreateIndex& index);
  void WriteCreateView(const CreateView& view);
  void WriteCreateTrigger(const CreateTrigger& trigger);
  void WriteDrop(const Drop& drop);
  void WriteAlter(const AlterTable& alter);

  void WriteBegin(const Begin& begin);
  void WritePragma(const Pragma& pragma);
  void WriteSmallStatement(const Statement& statement);

  bool all_parentheses_;
  std::string out_;
};

std::string_view ConflictActionText(ConflictAction action);

}  // namespace turdb::sql
