// The recursive-descent parser behind ParseStatement(); one object parses one statement.
//
// Conventions of every Parse function:
// 1. It starts at the first token of its construct and leaves at_ on the token after the last.
// 2. A null pointer or false means failure; the first failure is kept in error() and all callers unwind.
// 3. Recursion passes through Nesting, which bounds the stack; node heights are checked in Finish().
//
// A keyword that SQLite lets serve as a name is taken as one wherever it is not expected as itself.
#pragma once

#include <new>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "sql/syntax/parser.h"
#include "sql/syntax/token.h"

namespace turdb::sql {

class StatementParser {
 public:
  // `tokens` end in three kEnd (lexer.h) and, like `text` and `arena`, outlive the parser.
  StatementParser(std::string_view text, const Token* tokens, Arena* arena)
      : text_(text), tokens_(tokens), arena_(arena) {}

  Statement* ParseWholeStatement();
  Expr* ParseWholeExpression();

  const absl::Status& error() const { return error_; }
  uint32_t parameter_count() const { return parameter_count_; }
  bool locks_rows() const { return locks_rows_; }
  List<std::string_view> TakeParameterNames();

 private:
  template <typename T>
  using Items = absl::InlinedVector<T, 4>;

  // Counts a level of recursion while it lives; false once there are too many.
  class Nesting {
   public:
    explicit Nesting(StatementParser* parser) : parser_(parser) { ++parser_->depth_; }
    ~Nesting() { --parser_->depth_; }
    explicit operator bool() const { return parser_->depth_ <= kMaxExprDepth || parser_->FailDepth(); }

   private:
    StatementParser* parser_;
  };

  // --- tokens (statement_parser.cc)
  const Token& Peek(size_t ahead = 0) const { return tokens_[at_ + ahead]; }
  bool At(TokenKind kind) const { return tokens_[at_].kind == kind; }
  bool NextIs(TokenKind kind) const { return tokens_[at_ + 1].kind == kind; }
  void Advance() { ++at_; }
  bool Accept(TokenKind kind) {
    if (!At(kind)) return false;
    Advance();
    return true;
  }
  bool Expect(TokenKind kind) { return Accept(kind) || Unexpected(); }
  std::string_view TextOf(const Token& token) const { return text_.substr(token.offset, token.length); }
  bool IsWord(const Token& token, std::string_view upper) const;  // a bare word that is no keyword
  bool AtWord(std::string_view upper) const { return IsWord(Peek(), upper); }
  bool AcceptWord(std::string_view upper);
  bool ExpectWord(std::string_view upper) { return AcceptWord(upper) || Unexpected(); }
  SourcePos PosFrom(size_t first_token) const;
  std::string_view SliceFrom(size_t first_token) const;
  static bool CanBeName(TokenKind kind);
  bool AtBareAlias() const;

  // --- failures
  bool Unexpected();  // at the current token
  bool UnexpectedAt(size_t token_index);
  bool Fail(std::string_view message, uint32_t offset);
  bool FailHere(std::string_view message) { return Fail(message, Peek().offset); }
  bool FailDepth();
  bool CheckCount(size_t count, std::string_view what);

  // --- memory
  template <typename T>
  T* New() {
    return new (arena_->Allocate(sizeof(T), alignof(T))) T();
  }
  template <typename T>
  List<T> Keep(const Items<T>& items) {
    if (items.empty()) return {};
    T* kept = arena_->AllocateArray<T>(items.size());
    for (size_t i = 0; i < items.size(); ++i) new (&kept[i]) T(items[i]);
    return {kept, static_cast<uint32_t>(items.size())};
  }

  // --- names (parse_name.cc)
  bool ParseName(Name* name);
  Name NameOf(const Token& token);
  std::string_view Unquote(std::string_view quoted);
  bool ParseQualifiedName(QualifiedName* name);
  bool ParseNameList(List<Name>* names);  // ( a, b )
  bool ParseOptionalNameList(List<Name>* names) { return !At(TokenKind::kLeftParen) || ParseNameList(names); }
  bool ParseAlias(Name* alias);  // [AS] name, or nothing
  bool ParseTypeName(TypeName* type);
  bool ParseTypeArgument(Items<TypeArgument>* arguments);

  // --- expressions (parse_expr.cc, parse_operand.cc, parse_literal.cc, parse_function.cc)
  Expr* ParseExpr();
  Expr* ParseOperators(int lowest_precedence);
  Expr* ParseOperator(Expr* left, size_t first);
  Expr* ParseSimpleBinary(Expr* left, size_t first, BinaryOp op, int right_precedence);
  Expr* ParseIs(Expr* left, size_t first);
  Expr* ParseNegatable(Expr* left, size_t first);
  Expr* ParseLike(Expr* left, size_t first, bool is_negated);
  Expr* ParseBetween(Expr* left, size_t first, bool is_negated);
  Expr* ParseIn(Expr* left, size_t first, bool is_negated);
  bool ParseInSource(InExpr* in);
  Expr* MakeIsNull(Expr* left, size_t first, bool is_negated);
  Expr* ParseCollate(Expr* left, size_t first);
  Expr* ParseOperand();
  Expr* ParseKeywordOperand();
  Expr* ParseUnary(UnaryOp op);
  Expr* ParseParenthesized();
  Expr* ParseNameOperand();
  Expr* ParseParameter();
  uint32_t NumberOfParameter(std::string_view name) const;
  void AddParameter(std::string_view name, uint32_t number);
  Expr* ParseCase();
  Expr* ParseCast();
  Expr* ParseExists();
  Expr* ParseRaise();
  Expr* ParseFunction();
  bool ParseFunctionArguments(FunctionExpr* function);
  bool ParseExprList(List<Expr*>* list);  // a, b, c
  bool AtSelect() const;

  LiteralExpr* ParseLiteral();  // the current token, which is a literal
  LiteralExpr* ParseSignedLiteral();
  bool ReadInteger(std::string_view digits, LiteralExpr* literal);
  bool ReadReal(std::string_view digits, LiteralExpr* literal);
  std::string_view DecodeBlob(std::string_view token);
  bool Negate(LiteralExpr* literal);
  LiteralExpr* MakeText(std::string_view text, size_t first);

  template <typename T>
  T* Finish(T* node, size_t first) {  // height holds the tallest child's
    node->pos = PosFrom(first);
    ++node->height;
    return node->height <= kMaxExprDepth || FailDepth() ? node : nullptr;
  }
  static void Raise(Expr* node, const Expr* child) {
    if (child != nullptr && child->height > node->height) node->height = child->height;
  }
  static void RaiseAll(Expr* node, const List<Expr*>& children) {
    for (const Expr* child : children) Raise(node, child);
  }

  // --- windows and ordering (parse_window.cc)
  bool ParseOver(FunctionExpr* function);
  bool ParseWindowBody(WindowSpec* window);
  bool ParseFrame(WindowSpec* window);
  bool ParseFrameBound(FrameBound* bound, bool is_start);
  bool ParseFrameExclude(WindowSpec* window);
  bool ParseWindowClause(List<WindowSpec*>* windows);
  bool AtWindowClause() const;
  bool ParseOrderBy(List<OrderingTerm>* terms);  // ORDER BY .., or nothing
  bool ParseOrderingTerms(List<OrderingTerm>* terms);
  bool ParseOrderingTerm(OrderingTerm* term);
  bool ParseSortOrder(SortOrder* order, NullsOrder* nulls);

  // --- SELECT (parse_select.cc, parse_from.cc)
  Select* ParseSelect();
  bool ParseSelectBody(Select* select);
  bool ParseCompound(Select* select);
  bool AcceptCompoundOp(CompoundOp* op);
  SelectCore* ParseCore();
  bool ParseSelectCore(SelectCore* core);
  bool ParseValues(SelectCore* core);
  bool ParseResultColumns(List<ResultColumn>* columns);
  bool ParseResultColumn(ResultColumn* column);
  bool ParseLimit(Expr** limit, Expr** offset);
  bool ParseOptionalWhere(Expr** where);
  bool AtLockingClause() const;  // parse_locking.cc
  bool ParseLocking(List<LockingClause>* clauses);
  bool ParseLockingClause(LockingClause* clause);
  WithClause* ParseWith();
  bool ParseCommonTable(CommonTable* table);
  TableRef* ParseFrom();
  TableRef* ParseTableRef();
  TableRef* ParseParenthesizedTableRef();
  NamedTableRef* ParseNamedTable(const QualifiedName& name, size_t first);
  bool ParseIndexedBy(NamedTableRef* table);
  JoinTableRef* ParseJoin(TableRef* left, size_t first);
  bool ParseJoinOperator(JoinTableRef* join);
  bool ParseJoinCondition(JoinTableRef* join);

  // --- INSERT, UPDATE, DELETE (parse_modify.cc)
  Statement* ParseWithStatement();
  Statement* ParseInsert(WithClause* with);
  bool ParseUpserts(Insert* insert);
  bool ParseUpsert(Upsert* upsert);
  Statement* ParseUpdate(WithClause* with);
  Statement* ParseDelete(WithClause* with);
  NamedTableRef* ParseModifiedTable();
  bool ParseAssignments(List<Assignment>* assignments);
  bool ParseAssignment(Assignment* assignment);
  bool ParseReturning(List<ResultColumn>* columns);
  bool ParseConflictAction(ConflictAction* action);
  bool ParseOrAction(ConflictAction* action);       // OR action, or nothing
  bool ParseOnConflict(ConflictAction* action);     // ON CONFLICT action, or nothing

  // --- schema (parse_create_table.cc, parse_constraint.cc, parse_create.cc, parse_alter.cc)
  Statement* ParseCreate();
  bool ParseIfNotExists(bool* if_not_exists);
  Statement* ParseCreateTable(size_t first, bool is_temporary);
  bool ParseTableBody(CreateTable* table);
  bool ParseTableOptions(CreateTable* table);
  bool ParseColumnDef(ColumnDef* column);
  bool ParseColumnConstraint(Items<Constraint>* constraints);
  bool ParseColumnConstraintBody(Constraint* made);
  bool ParseColumnPrimaryKey(Constraint* made);
  bool ParseDefault(Constraint* constraint);
  Expr* ParseDefaultValue();
  bool ParseGenerated(Constraint* constraint);
  bool ParseParenthesizedText(Expr** expr, std::string_view* text);
  bool ParseDeferrable(Items<Constraint>* constraints);
  bool ParseDeferrable(ForeignKeyClause* key);
  ForeignKeyClause* ParseReferences();
  bool ParseForeignKeyAction(ForeignKeyAction* action);
  bool AtTableConstraint() const;
  bool ParseTableConstraints(Items<Constraint>* constraints);
  bool ParseTableConstraint(Constraint* constraint);
  Statement* ParseCreateVirtualTable(size_t first);
  bool ParseModuleArguments(CreateVirtualTable* table);
  Statement* ParseCreateIndex(size_t first, bool is_unique);
  bool ParseIndexedColumn(IndexedColumn* column, bool may_have_class);
  bool ParseIndexOptions(List<IndexOption>* options);
  Statement* ParseCreateView(size_t first, bool is_temporary);
  Statement* ParseCreateTrigger(size_t first, bool is_temporary);
  bool ParseTriggerEvent(CreateTrigger* trigger);
  bool ParseTriggerBody(CreateTrigger* trigger);
  Statement* ParseCreateSchema(size_t first);
  Statement* ParseDrop();
  Statement* ParseAlter();
  bool ParseAlterAction(AlterTable* alter);

  // --- the rest (parse_transaction.cc, parse_database.cc)
  Statement* ParseStatementHere();
  Statement* ParseBegin();
  bool ParseTransactionWord();
  bool ParseIsolation(Begin* begin);
  Statement* ParseCommit();
  Statement* ParseRollback();
  Statement* ParseSavepoint();
  Statement* ParseRelease();
  Statement* ParsePragma();
  LiteralExpr* ParseSettingValue();
  Statement* ParseExplain();
  Statement* ParseAnalyze();
  Statement* ParseReindex();
  Statement* ParseVacuum();
  Statement* ParseAttach();
  Statement* ParseDetach();

  template <typename T>
  T* FinishStatement(T* statement, size_t first) {
    statement->pos = PosFrom(first);
    return statement;
  }

  std::string_view text_;
  const Token* tokens_;
  Arena* arena_;
  size_t at_ = 0;
  int depth_ = 0;
  uint16_t height_ = 1;  // the tallest expression of the select being parsed
  bool locks_rows_ = false;  // a FOR UPDATE or FOR SHARE has been read
  uint32_t parameter_count_ = 0;
  struct NamedParameter {
    uint32_t number;
    std::string_view name;
  };
  absl::InlinedVector<NamedParameter, 4> named_parameters_;
  absl::flat_hash_map<std::string_view, uint32_t> parameter_numbers_;  // once there are many
  absl::Status error_;
};

}  // namespace turdb::sql
