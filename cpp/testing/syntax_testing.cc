// turdb._testing.syntax: the lexer, the parser and the printer for pytest.
// LINKS: sql/syntax
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/errors.h"
#include "sql/syntax/lexer.h"
#include "sql/syntax/parser.h"
#include "sql/syntax/printer.h"
#include "sql/syntax/syntax_error.h"

namespace py = pybind11;
using namespace turdb;
using namespace turdb::sql;

namespace {

[[noreturn]] void Throw(const absl::Status& status) {
  throw std::runtime_error(Cat(ErrorKindName(KindOf(status)), ": ", FromAbsl(status.message())));
}

py::dict Describe(const ParsedStatement& parsed, size_t consumed) {
  py::dict out;
  out["consumed"] = consumed;
  out["text"] = py::bytes(parsed.text.data(), parsed.text.size());
  out["parameter_count"] = parsed.parameter_count;
  std::vector<std::string> names(parsed.parameter_names.begin(), parsed.parameter_names.end());
  out["parameter_names"] = names;
  out["kind"] = parsed.statement == nullptr ? py::object(py::none())
                                            : py::int_(static_cast<int>(parsed.statement->kind));
  if (parsed.statement == nullptr) return out;
  out["pos"] = py::make_tuple(parsed.statement->pos.offset, parsed.statement->pos.length);
  const std::string sql = ToSql(*parsed.statement);
  out["sql"] = py::bytes(sql.data(), sql.size());
  return out;
}

py::dict Parse(std::string_view sql) {
  size_t consumed = 0;
  auto parsed = ParseStatement(sql, &consumed);
  if (!parsed.ok()) Throw(parsed.status());
  return Describe(*parsed, consumed);
}

template <typename T>
T ParseAs(std::string_view sql, ParsedStatement* keep) {
  size_t consumed = 0;
  auto parsed = ParseStatement(sql, &consumed);
  if (!parsed.ok()) Throw(parsed.status());
  *keep = std::move(*parsed);
  if (keep->statement == nullptr || keep->statement->kind != std::remove_reference_t<T>::kKind) {
    throw std::runtime_error("another kind of statement");
  }
  return static_cast<T>(*keep->statement);
}

// The texts a catalog stores: (column, constraint type, text) of every constraint that has one.
std::vector<std::tuple<std::string, int, std::string>> ConstraintTexts(std::string_view sql) {
  ParsedStatement keep;
  const auto& table = ParseAs<const CreateTable&>(sql, &keep);
  std::vector<std::tuple<std::string, int, std::string>> out;
  for (const ColumnDef& column : table.columns) {
    for (const Constraint& constraint : column.constraints) {
      out.emplace_back(column.name.text, static_cast<int>(constraint.type), constraint.expr_text);
    }
  }
  for (const Constraint& constraint : table.constraints) {
    out.emplace_back("", static_cast<int>(constraint.type), constraint.expr_text);
  }
  return out;
}

// (text, words, arguments) of every column's type.
std::vector<std::tuple<std::string, std::string, std::vector<std::string>>> ColumnTypes(std::string_view sql) {
  ParsedStatement keep;
  const auto& table = ParseAs<const CreateTable&>(sql, &keep);
  std::vector<std::tuple<std::string, std::string, std::vector<std::string>>> out;
  for (const ColumnDef& column : table.columns) {
    std::vector<std::string> arguments;
    for (const TypeArgument& argument : column.type.arguments) {
      arguments.push_back(argument.is_integer ? Cat(argument.integer) : Cat(argument.text, "!"));
    }
    out.emplace_back(column.type.text, column.type.name, arguments);
  }
  return out;
}

std::vector<std::string> ColumnTexts(std::string_view sql) {
  ParsedStatement keep;
  const auto& select = ParseAs<const Select&>(sql, &keep);
  std::vector<std::string> out;
  for (const ResultColumn& column : select.cores[0]->columns) {
    out.emplace_back(column.alias.empty() ? column.text : column.alias.text);
  }
  return out;
}

std::string ViewText(std::string_view sql) {
  ParsedStatement keep;
  return std::string(ParseAs<const CreateView&>(sql, &keep).select_text);
}

// A literal's kind and value, of one that stands alone.
py::tuple LiteralOf(std::string_view text) {
  auto parsed = ParseExpression(text);
  if (!parsed.ok()) Throw(parsed.status());
  if (parsed->expr->kind != ExprKind::kLiteral) throw std::runtime_error("not a literal");
  const auto& literal = parsed->expr->As<LiteralExpr>();
  switch (literal.literal) {
    case LiteralKind::kInteger: return py::make_tuple("integer", literal.integer);
    case LiteralKind::kReal: return py::make_tuple("real", literal.real);
    case LiteralKind::kText: return py::make_tuple("text", std::string(literal.text));
    case LiteralKind::kBlob: return py::make_tuple("blob", py::bytes(literal.text.data(), literal.text.size()));
    case LiteralKind::kNull: return py::make_tuple("null", py::none());
    default: return py::make_tuple("other", std::string(literal.text));
  }
}

py::dict ParseExpressionText(std::string_view text) {
  auto parsed = ParseExpression(text);
  if (!parsed.ok()) Throw(parsed.status());
  py::dict out;
  const std::string sql = ToSql(*parsed->expr);
  out["sql"] = py::bytes(sql.data(), sql.size());
  out["parenthesized"] = py::bytes(ToParenthesizedSql(*parsed->expr));
  out["kind"] = static_cast<int>(parsed->expr->kind);
  out["height"] = parsed->expr->height;
  out["pos"] = py::make_tuple(parsed->expr->pos.offset, parsed->expr->pos.length);
  return out;
}

// Whether each statement parses, of many: for corpora.
std::vector<std::string> ErrorsOf(const std::vector<std::string>& statements) {
  std::vector<std::string> out;
  for (const std::string& sql : statements) {
    size_t consumed = 0;
    auto parsed = ParseStatement(sql, &consumed);
    out.emplace_back(parsed.ok() ? "" : std::string(parsed.status().message()));
  }
  return out;
}

double NanosecondsPerParse(const std::string& sql, int repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) {
    size_t consumed = 0;
    if (!ParseStatement(sql, &consumed).ok()) throw std::runtime_error("does not parse");
  }
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / repeats;
}

}  // namespace

PYBIND11_MODULE(syntax, m) {
  m.def("parse", &Parse);
  m.def("parse_expression", &ParseExpressionText);
  m.def("is_complete", &IsComplete);
  m.def("literal", &LiteralOf);
  m.def("column_texts", &ColumnTexts);
  m.def("column_types", &ColumnTypes);
  m.def("constraint_texts", &ConstraintTexts);
  m.def("view_text", &ViewText);
  m.def("errors_of", &ErrorsOf);
  m.def("quote_name", &QuoteName);
  m.def("nanoseconds_per_parse", &NanosecondsPerParse);
}
