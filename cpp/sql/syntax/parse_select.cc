// SELECT, VALUES, compound selects and WITH.
#include <algorithm>

#include "base/strings.h"
#include "sql/syntax/statement_parser.h"

namespace turdb::sql {

using enum TokenKind;

namespace {

std::string_view TrimRight(std::string_view s) {
  const size_t last = s.find_last_not_of(" \t\n\f\r");
  return last == s.npos ? std::string_view() : s.substr(0, last + 1);
}

std::string_view NameOfOp(CompoundOp op) {
  switch (op) {
    case CompoundOp::kUnion: return "UNION";
    case CompoundOp::kUnionAll: return "UNION ALL";
    case CompoundOp::kIntersect: return "INTERSECT";
    default: return "EXCEPT";
  }
}

}  // namespace

// With its WITH clause, if any. The heights of its expressions are gathered apart from the outer's.
Select* StatementParser::ParseSelect() {
  const Nesting nesting(this);
  if (!nesting) return nullptr;
  const size_t first = at_;
  const uint16_t outer_height = std::exchange(height_, uint16_t{1});
  auto* select = New<Select>();
  if (At(kWith) && (select->with = ParseWith()) == nullptr) return nullptr;
  if (!ParseSelectBody(select)) return nullptr;
  select->height = height_;
  height_ = std::max<uint16_t>(outer_height, height_ + 1);
  if (height_ > kMaxExprDepth && !FailDepth()) return nullptr;
  return FinishStatement(select, first);
}

bool StatementParser::ParseSelectBody(Select* select) {
  if (!ParseCompound(select)) return false;
  if (select->cores.back()->is_values) return true;  // takes no ORDER BY
  if (!ParseOrderBy(&select->order_by)) return false;
  if (!ParseLimit(&select->limit, &select->offset)) return false;
  CompoundOp op = CompoundOp::kNone;
  const uint32_t place = Peek().offset;
  if (!(select->order_by.empty() && select->limit == nullptr) && AcceptCompoundOp(&op)) {
    return Fail(Cat(select->order_by.empty() ? "LIMIT" : "ORDER BY", " clause should come after ", NameOfOp(op),
                    " not before"),
                place);
  }
  return ParseLocking(&select->locking);
}

bool StatementParser::ParseCompound(Select* select) {
  absl::InlinedVector<SelectCore*, 4> cores;
  CompoundOp op = CompoundOp::kNone;
  do {
    SelectCore* core = ParseCore();
    if (core == nullptr) return false;
    core->op = op;
    cores.push_back(core);
    if (cores.size() > static_cast<size_t>(kMaxCompoundTerms)) return FailHere("too many terms in compound SELECT");
  } while (AcceptCompoundOp(&op));
  select->cores = Keep(cores);
  return true;
}

bool StatementParser::AcceptCompoundOp(CompoundOp* op) {
  switch (Peek().kind) {
    case kUnion: *op = NextIs(kAll) ? CompoundOp::kUnionAll : CompoundOp::kUnion; break;
    case kIntersect: *op = CompoundOp::kIntersect; break;
    case kExcept: *op = CompoundOp::kExcept; break;
    default: return false;
  }
  at_ += *op == CompoundOp::kUnionAll ? 2 : 1;
  return true;
}

SelectCore* StatementParser::ParseCore() {
  const size_t first = at_;
  auto* core = New<SelectCore>();
  if (Accept(kValues)) {
    if (!ParseValues(core)) return nullptr;
  } else if (!Expect(kSelect) || !ParseSelectCore(core)) {
    return nullptr;
  }
  core->pos = PosFrom(first);
  return core;
}

bool StatementParser::ParseSelectCore(SelectCore* core) {
  core->is_distinct = Accept(kDistinct);
  if (!core->is_distinct) Accept(kAll);
  if (!ParseResultColumns(&core->columns)) return false;
  if (Accept(kFrom) && (core->from = ParseFrom()) == nullptr) return false;
  if (!ParseOptionalWhere(&core->where)) return false;
  if (Accept(kGroup)) {
    if (!Expect(kBy) || !ParseExprList(&core->group_by)) return false;
    if (!CheckCount(core->group_by.size(), "terms in GROUP BY clause")) return false;
  }
  if (Accept(kHaving) && (core->having = ParseExpr()) == nullptr) return false;
  return ParseWindowClause(&core->windows);
}

bool StatementParser::ParseOptionalWhere(Expr** where) {
  return !Accept(kWhere) || (*where = ParseExpr()) != nullptr;
}

// (a, b), (c, d), ...
bool StatementParser::ParseValues(SelectCore* core) {
  core->is_values = true;
  absl::InlinedVector<List<Expr*>, 4> rows;
  do {
    List<Expr*> row;
    const uint32_t place = Peek().offset;
    if (!Expect(kLeftParen) || !ParseExprList(&row) || !Expect(kRightParen)) return false;
    if (!CheckCount(row.size(), "columns in result set")) return false;
    if (!rows.empty() && row.size() != rows[0].size()) {
      return Fail("all VALUES must have the same number of terms", place);
    }
    rows.push_back(row);
  } while (Accept(kComma));
  core->rows = Keep(rows);
  return true;
}

bool StatementParser::ParseResultColumns(List<ResultColumn>* columns) {
  Items<ResultColumn> items;
  do {
    if (!ParseResultColumn(&items.emplace_back())) return false;
  } while (Accept(kComma));
  *columns = Keep(items);
  return CheckCount(items.size(), "columns in result set");
}

// The text runs to the next token, comments before it included: SQLite's column names do.
bool StatementParser::ParseResultColumn(ResultColumn* column) {
  const size_t first = at_;
  const bool is_table_star = CanBeName(Peek().kind) && NextIs(kDot) && Peek(2).kind == kStar;
  if (At(kStar) || is_table_star) {
    auto* star = New<StarExpr>();
    if (is_table_star) {
      star->table = NameOf(Peek());
      at_ += 2;
    }
    Advance();
    star->pos = PosFrom(first);
    column->expr = star;
    column->text = SliceFrom(first);
    return true;
  }
  column->expr = ParseExpr();
  if (column->expr == nullptr) return false;
  const uint32_t begin = tokens_[first].offset;
  column->text = TrimRight(text_.substr(begin, Peek().offset - begin));
  return ParseAlias(&column->alias);
}

// LIMIT count [OFFSET skip] | LIMIT skip, count
bool StatementParser::ParseLimit(Expr** limit, Expr** offset) {
  if (!Accept(kLimit)) return true;
  if ((*limit = ParseExpr()) == nullptr) return false;
  if (Accept(kOffset)) return (*offset = ParseExpr()) != nullptr;
  if (!Accept(kComma)) return true;
  *offset = *limit;
  return (*limit = ParseExpr()) != nullptr;
}

WithClause* StatementParser::ParseWith() {
  const size_t first = at_;
  Advance();
  auto* with = New<WithClause>();
  with->is_recursive = Accept(kRecursive);
  Items<CommonTable> tables;
  do {
    if (!ParseCommonTable(&tables.emplace_back())) return nullptr;
  } while (Accept(kComma));
  with->tables = Keep(tables);
  with->pos = PosFrom(first);
  return with;
}

bool StatementParser::ParseCommonTable(CommonTable* table) {
  if (!ParseName(&table->name) || !ParseOptionalNameList(&table->columns) || !Expect(kAs)) return false;
  if (Accept(kMaterialized)) {
    table->materialization = Materialization::kMaterialized;
  } else if (Accept(kNot)) {
    if (!Expect(kMaterialized)) return false;
    table->materialization = Materialization::kNotMaterialized;
  }
  if (!Expect(kLeftParen) || (table->select = ParseSelect()) == nullptr) return false;
  return Expect(kRightParen);
}

}  // namespace turdb::sql
