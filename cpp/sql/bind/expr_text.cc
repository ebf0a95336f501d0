// Bound expressions as SQL-like text: what EXPLAIN shows, and what tests compare.
#include <charconv>

#include "base/strings.h"
#include "sql/bind/bound_expr.h"

namespace turdb::sql {
namespace {

using Names = std::function<std::string(ColumnId)>;

std::string_view ArithmeticText(ArithmeticOp op) {
  switch (op) {
    case ArithmeticOp::kAdd: return "+";
    case ArithmeticOp::kSubtract:
    case ArithmeticOp::kNegate: return "-";
    case ArithmeticOp::kMultiply: return "*";
    case ArithmeticOp::kDivide: return "/";
    case ArithmeticOp::kModulo: return "%";
    case ArithmeticOp::kBitAnd: return "&";
    case ArithmeticOp::kBitOr: return "|";
    case ArithmeticOp::kShiftLeft: return "<<";
    case ArithmeticOp::kShiftRight: return ">>";
    case ArithmeticOp::kConcat: return "||";
    case ArithmeticOp::kBitNot: return "~";
  }
  return "?";
}

std::string_view CompareText(CompareOp op) {
  switch (op) {
    case CompareOp::kEqual: return "=";
    case CompareOp::kNotEqual: return "<>";
    case CompareOp::kLess: return "<";
    case CompareOp::kLessEqual: return "<=";
    case CompareOp::kGreater: return ">";
    case CompareOp::kGreaterEqual: return ">=";
    case CompareOp::kIs: return "IS";
    case CompareOp::kIsNot: return "IS NOT";
  }
  return "?";
}

std::string CollationSuffix(Collation collation) {
  switch (collation) {
    case Collation::kBinary: return "";
    case Collation::kNocase: return " COLLATE NOCASE";
    case Collation::kRtrim: return " COLLATE RTRIM";
    default: return Cat(" COLLATE #", static_cast<int>(collation));
  }
}

std::string HexText(std::string_view bytes) {
  constexpr size_t kShown = 16;  // a vector constant would fill the screen
  std::string text = "x'";
  for (size_t i = 0; i < std::min(bytes.size(), kShown); ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(bytes[i]) >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text + (bytes.size() > kShown ? "...'" : "'");
}

std::string ConstantText(const Cell& cell) {
  switch (cell.type) {
    case StorageClass::kNull: return "NULL";
    case StorageClass::kInteger: return Cat(cell.integer);
    case StorageClass::kReal: {
      char buffer[32];
      const auto end = std::to_chars(buffer, buffer + sizeof(buffer), cell.real).ptr;
      std::string text(buffer, end);
      return text.find_first_of(".en") == text.npos ? text + ".0" : text;
    }
    case StorageClass::kText: {
      std::string text = "'";
      for (char c : cell.view()) text += c == '\'' ? std::string("''") : std::string(1, c);
      return text + "'";
    }
    case StorageClass::kBlob: return HexText(cell.view());
    case StorageClass::kVector: return Cat("vector(", cell.dim(), ")");
  }
  return "?";
}

std::string ListText(const BoundExpr& expr, size_t first, std::string_view separator, const Names& names) {
  std::string text;
  for (size_t i = first; i < expr.args.size(); ++i) {
    if (i > first) text += separator;
    text += ExprText(*expr.args[i], names);
  }
  return text;
}

// Whether it needs parentheses as an operand.
bool IsCompound(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kArithmetic:
    case BoundKind::kCompare:
    case BoundKind::kAnd:
    case BoundKind::kOr:
    case BoundKind::kNot:
    case BoundKind::kIsNull:
    case BoundKind::kInList:
    case BoundKind::kInSubquery: return true;
    case BoundKind::kOnce: return !expr.args.empty() && IsCompound(*expr.args[0]);
    default: return false;
  }
}

std::string Operand(const BoundExpr& expr, const Names& names) {
  return IsCompound(expr) ? Cat("(", ExprText(expr, names), ")") : ExprText(expr, names);
}

std::string Operands(const BoundExpr& expr, std::string_view separator, const Names& names) {
  std::string text;
  for (size_t i = 0; i < expr.args.size(); ++i) {
    if (i > 0) text += separator;
    text += Operand(*expr.args[i], names);
  }
  return text;
}

std::string CaseText(const BoundExpr& expr, const Names& names) {
  std::string text = "CASE";
  for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
    text += Cat(" WHEN ", ExprText(*expr.args[i], names), " THEN ", ExprText(*expr.args[i + 1], names));
  }
  return text + Cat(" ELSE ", ExprText(*expr.args.back(), names), " END");
}

std::string SubqueryText(const BoundExpr& expr, const Names& names) {
  std::string text = "subquery";
  if (expr.subquery == nullptr || expr.subquery->outer_columns.empty()) return text;
  text += " of ";
  for (size_t i = 0; i < expr.subquery->outer_columns.size(); ++i) {
    text += (i > 0 ? ", " : "") + names(expr.subquery->outer_columns[i]);
  }
  return text;
}

std::string CompareExprText(const BoundExpr& expr, const Names& names) {
  return Cat(Operand(*expr.args[0], names), " ", CompareText(expr.compare), " ", Operand(*expr.args[1], names),
             CollationSuffix(expr.compare_collation));
}

}  // namespace

std::string ExprText(const BoundExpr& expr, const Names& names) {
  const std::string_view negation = expr.is_negated ? "NOT " : "";
  switch (expr.kind) {
    case BoundKind::kConstant: return ConstantText(expr.constant.cell());
    case BoundKind::kParameter: return Cat("?", expr.parameter);
    case BoundKind::kColumn: return names(expr.column);
    case BoundKind::kSlot:      // resolved columns remember where they came from
    case BoundKind::kRegister: return names(expr.column);
    case BoundKind::kArithmetic:
      if (expr.args.size() == 1) return Cat(ArithmeticText(expr.arithmetic), Operand(*expr.args[0], names));
      return Operands(expr, Cat(" ", ArithmeticText(expr.arithmetic), " "), names);
    case BoundKind::kCompare: return CompareExprText(expr, names);
    case BoundKind::kAnd: return Operands(expr, " AND ", names);
    case BoundKind::kOr: return Operands(expr, " OR ", names);
    case BoundKind::kNot: return Cat("NOT ", Operand(*expr.args[0], names));
    case BoundKind::kIsNull: return Cat(Operand(*expr.args[0], names), " IS ", negation, "NULL");
    case BoundKind::kCase: return CaseText(expr, names);
    case BoundKind::kCast: return Cat("CAST(", ExprText(*expr.args[0], names), " AS ", expr.type.declared, ")");
    case BoundKind::kCollate:
      if (!expr.has_explicit_collation) return Cat("+", Operand(*expr.args[0], names));
      return Operand(*expr.args[0], names) + CollationSuffix(expr.collation);
    case BoundKind::kFunction: return Cat(expr.function->name, "(", ListText(expr, 0, ", ", names), ")");
    case BoundKind::kInList:
      return Cat(Operand(*expr.args[0], names), " ", negation, "IN (", ListText(expr, 1, ", ", names), ")",
                 CollationSuffix(expr.compare_collation));
    case BoundKind::kInSubquery: {
      const std::string left = expr.args.size() == 1 ? Operand(*expr.args[0], names)
                                                     : Cat("(", ListText(expr, 0, ", ", names), ")");
      return Cat(left, " ", negation, "IN (", SubqueryText(expr, names), ")");
    }
    case BoundKind::kExists: return Cat(negation, "EXISTS (", SubqueryText(expr, names), ")");
    case BoundKind::kScalarSubquery: return Cat("(", SubqueryText(expr, names), ")");
    case BoundKind::kOnce: return expr.args.empty() ? Cat("once", expr.shared_index) : ExprText(*expr.args[0], names);
    case BoundKind::kAffinity: return ExprText(*expr.args[0], names);  // what a comparison does anyway
    case BoundKind::kRaise: return Cat("RAISE(", ListText(expr, 0, ", ", names), ")");
  }
  return "?";
}

}  // namespace turdb::sql
