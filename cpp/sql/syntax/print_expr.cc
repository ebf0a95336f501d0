// Expressions back to text. The precedence levels are those of parse_expr.cc.
#include <charconv>

#include "base/strings.h"
#include "sql/syntax/lexer.h"
#include "sql/syntax/sql_writer.h"

namespace turdb::sql {
namespace {

constexpr int kNotLevel = 3;
constexpr int kEqualityLevel = 4;
constexpr int kComparisonLevel = 5;
constexpr int kCollateLevel = 10;
constexpr int kSignLevel = 11;
constexpr int kOperandLevel = 12;

int LevelOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::kOr: return 1;
    case BinaryOp::kAnd: return 2;
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
    case BinaryOp::kIs:
    case BinaryOp::kIsNot: return kEqualityLevel;
    case BinaryOp::kLess:
    case BinaryOp::kLessEqual:
    case BinaryOp::kGreater:
    case BinaryOp::kGreaterEqual: return kComparisonLevel;
    case BinaryOp::kAdd:
    case BinaryOp::kSubtract: return 7;
    case BinaryOp::kMultiply:
    case BinaryOp::kDivide:
    case BinaryOp::kModulo: return 8;
    case BinaryOp::kConcat:
    case BinaryOp::kJsonGet:
    case BinaryOp::kJsonGetText: return 9;
    default: return 6;
  }
}

int LevelOf(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kBinary: return LevelOf(expr.As<BinaryExpr>().op);
    case ExprKind::kUnary: return expr.As<UnaryExpr>().op == UnaryOp::kNot ? kNotLevel : kSignLevel;
    case ExprKind::kLike:
    case ExprKind::kBetween:
    case ExprKind::kIn:
    case ExprKind::kIsNull: return kEqualityLevel;
    case ExprKind::kCollate: return kCollateLevel;
    case ExprKind::kLiteral: {
      const auto& literal = expr.As<LiteralExpr>();
      return literal.literal == LiteralKind::kInteger && literal.integer < 0 ? kSignLevel : kOperandLevel;
    }
    default: return kOperandLevel;
  }
}

bool IsBareName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9') || name[0] == '$') return false;
  for (const char c : name) {
    if (!IsIdentifierByte(static_cast<unsigned char>(c))) return false;
  }
  if (EqualsIgnoreCase(name, "true") || EqualsIgnoreCase(name, "false")) return false;
  return LookupKeyword(name) == TokenKind::kIdentifier;
}

std::string Quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace

std::string QuoteName(std::string_view name) { return IsBareName(name) ? std::string(name) : Quoted(name, '"'); }
std::string QuoteText(std::string_view text) { return Quoted(text, '\''); }

std::string_view OperatorText(BinaryOp op) {
  constexpr std::string_view kTexts[] = {"OR", "AND", "=",  "<>", "IS", "IS NOT", "<",  "<=",  ">",
                                         ">=", "&",   "|",  "<<", ">>", "+",      "-",  "*",   "/",
                                         "%",  "||",  "->", "->>", "<->", "<=>",  "<#>", "<+>", "<~>"};
  return kTexts[static_cast<size_t>(op)];
}

// A double-quoted name stays so: only then may it fall back to a string.
void SqlWriter::AddName(const Name& name) {
  Add(name.quote == '"' ? Quoted(name.text, '"') : QuoteName(name.text));
}

void SqlWriter::AddName(const QualifiedName& name) {
  if (!name.schema.empty()) {
    AddName(name.schema);
    Add(".");
  }
  AddName(name.name);
}

void SqlWriter::AddNames(const List<Name>& names) {
  Add("(");
  AddList(names, [&](const Name& name) { AddName(name); });
  Add(")");
}

void SqlWriter::AddOptionalNames(const List<Name>& names) {
  if (!names.empty()) AddNames(names);
}

void SqlWriter::AddAlias(const Name& alias) {
  if (alias.empty()) return;
  Add(" AS ");
  AddName(alias);
}

void SqlWriter::AddExprs(const List<Expr*>& exprs) {
  AddList(exprs, [&](const Expr* expr) { Write(*expr); });
}

void SqlWriter::AddClause(std::string_view keyword, const Expr* expr) {
  if (expr == nullptr) return;
  Add(keyword);
  Write(*expr);
}

void SqlWriter::Write(const Expr& expr, int precedence) {
  const int level = LevelOf(expr);
  const bool needs_parentheses = level < precedence || (all_parentheses_ && level < kOperandLevel);
  if (needs_parentheses) Add("(");
  WriteBare(expr);
  if (needs_parentheses) Add(")");
}

void SqlWriter::WriteBare(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral: return WriteLiteral(expr.As<LiteralExpr>());
    case ExprKind::kColumn: {
      const auto& column = expr.As<ColumnExpr>();
      for (const Name* part : {&column.schema, &column.table}) {
        if (part->empty()) continue;
        AddName(*part);
        Add(".");
      }
      return AddName(column.column);
    }
    case ExprKind::kStar: {
      const auto& star = expr.As<StarExpr>();
      if (star.table.empty()) return Add("*");
      AddName(star.table);
      return Add(".*");
    }
    case ExprKind::kParameter: {
      const auto& parameter = expr.As<ParameterExpr>();
      return Add(parameter.name.empty() ? "?" : parameter.name);
    }
    case ExprKind::kUnary: return WriteUnary(expr.As<UnaryExpr>());
    case ExprKind::kBinary: return WriteBinary(expr.As<BinaryExpr>());
    case ExprKind::kLike: return WriteLike(expr.As<LikeExpr>());
    case ExprKind::kBetween: return WriteBetween(expr.As<BetweenExpr>());
    case ExprKind::kIn: return WriteIn(expr.As<InExpr>());
    case ExprKind::kIsNull: {
      const auto& test = expr.As<IsNullExpr>();
      Write(*test.operand, kEqualityLevel);
      return Add(test.is_negated ? " IS NOT NULL" : " IS NULL");
    }
    case ExprKind::kCase: return WriteCase(expr.As<CaseExpr>());
    case ExprKind::kCast: {
      const auto& cast = expr.As<CastExpr>();
      Add("CAST(");
      Write(*cast.operand);
      return Add(Cat(" AS ", cast.type.text, ")"));
    }
    case ExprKind::kCollate: {
      const auto& collate = expr.As<CollateExpr>();
      Write(*collate.operand, kCollateLevel);
      Add(" COLLATE ");
      return AddName(collate.collation);
    }
    case ExprKind::kFunction: return WriteFunction(expr.As<FunctionExpr>());
    case ExprKind::kExists:
      Add("EXISTS (");
      Write(*expr.As<ExistsExpr>().select);
      return Add(")");
    case ExprKind::kSubquery:
      Add("(");
      Write(*expr.As<SubqueryExpr>().select);
      return Add(")");
    case ExprKind::kRow:
      Add("(");
      AddExprs(expr.As<RowExpr>().items);
      return Add(")");
    case ExprKind::kRaise: return WriteRaise(expr.As<RaiseExpr>());
  }
}

void SqlWriter::WriteLiteral(const LiteralExpr& literal) {
  switch (literal.literal) {
    case LiteralKind::kNull: return Add("NULL");
    case LiteralKind::kInteger: return Add(Cat(literal.integer));
    case LiteralKind::kReal: return Add(literal.text);
    case LiteralKind::kText: return Add(QuoteText(literal.text));
    case LiteralKind::kBlob: return Add(Cat("X'", Hex(literal.text), "'"));
    case LiteralKind::kTrue: return Add("TRUE");
    case LiteralKind::kFalse: return Add("FALSE");
    case LiteralKind::kCurrentTime: return Add("CURRENT_TIME");
    case LiteralKind::kCurrentDate: return Add("CURRENT_DATE");
    case LiteralKind::kCurrentTimestamp: return Add("CURRENT_TIMESTAMP");
  }
}

void SqlWriter::WriteUnary(const UnaryExpr& unary) {
  if (unary.op == UnaryOp::kNot) {
    Add("NOT ");
    return Write(*unary.operand, kNotLevel);
  }
  constexpr std::string_view kSigns[] = {"-", "+", "~"};
  Add(kSigns[static_cast<size_t>(unary.op)]);
  const size_t operand = out_.size();
  Write(*unary.operand, kSignLevel);
  if (out_[operand] == '-') out_.insert(operand, " ");  // two signs in a row would be a comment
}

void SqlWriter::WriteBinary(const BinaryExpr& binary) {
  const int level = LevelOf(binary.op);
  Write(*binary.left, level);
  Add(Cat(" ", OperatorText(binary.op), " "));
  Write(*binary.right, level + 1);
}

void SqlWriter::WriteLike(const LikeExpr& like) {
  constexpr std::string_view kTexts[] = {"LIKE ", "GLOB ", "REGEXP ", "MATCH "};
  Write(*like.operand, kEqualityLevel);
  Add(like.is_negated ? " NOT " : " ");
  Add(kTexts[static_cast<size_t>(like.op)]);
  Write(*like.pattern, kComparisonLevel);
  if (like.escape == nullptr) return;
  Add(" ESCAPE ");
  Write(*like.escape, kComparisonLevel);
}

void SqlWriter::WriteBetween(const BetweenExpr& between) {
  Write(*between.operand, kEqualityLevel);
  Add(between.is_negated ? " NOT BETWEEN " : " BETWEEN ");
  Write(*between.low, kComparisonLevel);
  Add(" AND ");
  Write(*between.high, kComparisonLevel);
}

void SqlWriter::WriteIn(const InExpr& in) {
  Write(*in.operand, kEqualityLevel);
  Add(in.is_negated ? " NOT IN " : " IN ");
  if (in.form == InExpr::Form::kTable || in.form == InExpr::Form::kTableFunction) AddName(in.table);
  if (in.form == InExpr::Form::kTable) return;
  Add("(");
  if (in.form == InExpr::Form::kSelect) {
    Write(*in.select);
  } else {
    AddExprs(in.list);
  }
  Add(")");
}

void SqlWriter::WriteCase(const CaseExpr& expr) {
  Add("CASE");
  AddClause(" ", expr.operand);
  for (const CaseBranch& branch : expr.branches) {
    AddClause(" WHEN ", branch.when);
    AddClause(" THEN ", branch.then);
  }
  AddClause(" ELSE ", expr.otherwise);
  Add(" END");
}

void SqlWriter::WriteFunction(const FunctionExpr& function) {
  AddName(function.name);
  Add(function.is_distinct ? "(DISTINCT " : "(");
  if (function.is_star) Add("*");
  AddExprs(function.arguments);
  WriteOrderBy(function.order_by);
  Add(")");
  if (function.filter != nullptr) {
    AddClause(" FILTER (WHERE ", function.filter);
    Add(")");
  }
  if (function.over == nullptr) return;
  Add(" OVER ");
  if (function.over->is_reference) return AddName(function.over->name);
  WriteWindow(*function.over);
}

void SqlWriter::WriteRaise(const RaiseExpr& raise) {
  Add(Cat("RAISE(", ConflictActionText(raise.action)));
  AddClause(", ", raise.message);
  Add(")");
}

std::string ToParenthesizedSql(const Expr& expr) {
  SqlWriter writer(true);
  writer.Write(expr);
  return writer.Take();
}

std::string ToSql(const Expr& expr) {
  SqlWriter writer;
  writer.Write(expr);
  return writer.Take();
}

}  // namespace turdb::sql
