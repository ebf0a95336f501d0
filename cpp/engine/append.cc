// Connection::Append: whole columns into a table, with the meaning of INSERT and the speed of a bulk load.
//
// Tables whose rows need nothing but affinities and NOT NULL go to table::AppendRows column by column. Tables with
// CHECKs, generated columns, STRICT types, expression indexes, triggers or a key of their own take the rows one by one
// through INSERT. Either way all rows are appended or none.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/append_plain.h"
#include "engine/connection_impl.h"
#include "sql/bind/binder.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/operator.h"

namespace turdb::engine {
namespace {

using AppendColumn = Connection::AppendColumn;

// A vector column given value by value (some of them NULL) instead of as one array.
bool HasSingleVectors(const catalog::TableDef& table, absl::Span<const AppendColumn> columns) {
  return std::any_of(columns.begin(), columns.end(), [&](const AppendColumn& given) {
    const int column = table.FindColumn(given.name);
    return column >= 0 && given.values != nullptr && table.columns[column].type.is_vector();
  });
}

bool IsRowIdName(std::string_view name) {
  return EqualsIgnoreCase(name, "rowid") || EqualsIgnoreCase(name, "oid") || EqualsIgnoreCase(name, "_rowid_");
}

// The columns of one append in the table's own order, converted as INSERT would.
class BlockMaker {
 public:
  BlockMaker(const catalog::TableDef& table, uint32_t rows, ConnectionState* state) : table_(table), rows_(rows), state_(state) {
    block_.rows = rows;
    block_.columns.resize(table.columns.size());
    block_.vectors.resize(table.columns.size());
    block_.vector_strides.resize(table.columns.size());
    owned_.resize(table.columns.size());
  }

  absl::Status Add(const AppendColumn& given) {
    const int column = table_.FindColumn(given.name);
    if (column < 0 && !IsRowIdName(given.name)) return NameError("table ", table_.name, " has no column named ", given.name);
    if (column < 0 || column == table_.rowid_alias) return AddRowIds(given);
    const auto i = static_cast<size_t>(column);
    if (block_.columns[i] != nullptr || block_.vectors[i] != nullptr) return NameError("column ", given.name, " is given twice");
    return table_.columns[i].type.is_vector() ? AddVectors(given, i) : AddValues(given, i);
  }

  // Columns that were not given take their defaults.
  absl::StatusOr<table::AppendBlock*> Finish() {
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      const catalog::ColumnDef& column = table_.columns[i];
      if (block_.columns[i] != nullptr || block_.vectors[i] != nullptr || static_cast<int>(i) == table_.rowid_alias) continue;
      if (column.default_sql.has_value() && !column.type.is_vector()) TURDB_RETURN_IF_ERROR(AddDefault(i));
      if (column.is_not_null && (block_.columns[i] == nullptr || HasNull(*block_.columns[i]))) return NotNullError(column);
    }
    return &block_;
  }

 private:
  absl::Status NotNullError(const catalog::ColumnDef& column) const {
    return ConstraintError(ConstraintKind::kNotNull, Cat("NOT NULL constraint failed: ", table_.name, ".", column.name));
  }

  bool HasNull(const ColumnVector& values) const {
    if (values.layout() != ColumnVector::Layout::kCells && !values.has_nulls()) return false;
    const uint32_t n = values.is_constant() ? 1 : rows_;
    for (uint32_t row = 0; row < n; ++row) {
      if (values.IsNull(row)) return true;
    }
    return false;
  }

  absl::Status AddRowIds(const AppendColumn& given) {
    if (given.values == nullptr) return BadValueError("datatype mismatch: rowids are integers");
    if (given.values->layout() == ColumnVector::Layout::kInt64 && !given.values->has_nulls() && !given.values->is_constant()) {
      block_.rowids = given.values->ints();
      return absl::OkStatus();
    }
    rowids_.resize(rows_);
    for (uint32_t row = 0; row < rows_; ++row) {
      const Cell cell = sql::ApplyAffinity(given.values->Get(row), Affinity::kInteger, &arena_);
      if (!cell.is_integer()) {
        return ConstraintError(ConstraintKind::kDataType, Cat("datatype mismatch: row ", row, " of ", given.name, " is not an integer"));
      }
      rowids_[row] = cell.integer;
    }
    block_.rowids = rowids_.data();
    return absl::OkStatus();
  }

  absl::Status AddVectors(const AppendColumn& given, size_t i) {
    const catalog::ColumnDef& column = table_.columns[i];
    if (given.dim != column.type.dim) {
      return DimensionError("column ", column.name, " of table ", table_.name, " is ", column.type.declared, ": got vectors of ",
                            given.dim, " dimensions");
    }
    block_.vectors[i] = given.vectors;
    block_.vector_strides[i] = given.vector_stride;
    return absl::OkStatus();
  }

  absl::Status AddValues(const AppendColumn& given, size_t i) {
    const catalog::ColumnDef& column = table_.columns[i];
    if (given.values == nullptr) {
      return BadValueError("column ", column.name, " of table ", table_.name, " takes one value a row, not a vector");
    }
    if (column.is_not_null && HasNull(*given.values)) return NotNullError(column);
    block_.columns[i] = NeedsConversion(*given.values, column.type.affinity) ? Convert(*given.values, column.type.affinity, i) : given.values;
    return absl::OkStatus();
  }

  static bool NeedsConversion(const ColumnVector& values, Affinity affinity) {
    switch (values.layout()) {
      case ColumnVector::Layout::kInt64: return affinity == Affinity::kReal || affinity == Affinity::kText;
      case ColumnVector::Layout::kDouble: return affinity != Affinity::kReal && affinity != Affinity::kBlob;
      case ColumnVector::Layout::kCells: return affinity != Affinity::kBlob;
    }
    return true;
  }

  const ColumnVector* Convert(const ColumnVector& values, Affinity affinity, size_t i) {
    ColumnVector& out = owned_[i];
    const uint32_t n = values.is_constant() ? 1 : rows_;
    Cell* cells = out.ResetCells(n);
    for (uint32_t row = 0; row < n; ++row) cells[row] = sql::ApplyAffinity(values.Get(row), affinity, &arena_);
    if (values.is_constant()) out.SetConstant(Cell(cells[0]));
    return &out;
  }

  absl::Status AddDefault(size_t i) {
    const catalog::ColumnDef& column = table_.columns[i];
    sql::BindOptions options;
    options.functions = &state_->functions;
    TURDB_ASSIGN_OR_RETURN(auto expr, sql::BindDefault(*column.default_sql, column.name, options));
    sql::ExecContext context;
    context.settings = &state_->settings;
    TURDB_ASSIGN_OR_RETURN(defaults_.emplace_back(), sql::EvaluateScalar(*expr, &context));
    owned_[i].SetConstant(sql::ApplyAffinity(defaults_.back().cell(), column.type.affinity, &arena_));
    block_.columns[i] = &owned_[i];
    return absl::OkStatus();
  }

  const catalog::TableDef& table_;
  const uint32_t rows_;
  ConnectionState* state_;
  table::AppendBlock block_;
  std::vector<ColumnVector> owned_;
  std::vector<int64_t> rowids_;
  std::list<Value> defaults_;
  Arena arena_;
};

std::string InsertText(std::string_view table, absl::Span<const AppendColumn> columns) {
  auto quoted = [](std::string_view name) {
    std::string text = "\"";
    for (char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + '"';
  };
  std::string names, marks;
  for (const AppendColumn& column : columns) {
    names += (names.empty() ? "" : ", ") + quoted(column.name);
    marks += marks.empty() ? "?" : ", ?";
  }
  return Cat("INSERT INTO ", quoted(table), " (", names, ") VALUES (", marks, ")");
}

absl::Status AppendByInsert(ConnectionImpl* connection, std::string_view table, uint64_t rows, absl::Span<const AppendColumn> columns) {
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(auto statement, connection->Prepare(InsertText(table, columns), &consumed));
  uint64_t row = 0;
  std::vector<Value> values;
  auto next = [&]() -> absl::StatusOr<const std::vector<Value>*> {
    if (row == rows) return nullptr;
    values.clear();
    for (const AppendColumn& column : columns) {
      values.push_back(column.vectors != nullptr ? Value::Vector(column.vectors + row * column.vector_stride, column.dim)
                                                 : Value::FromCell(column.values->Get(static_cast<uint32_t>(row))));
    }
    ++row;
    return &values;
  };
  return statement->ExecuteMany(next).status();
}

}  // namespace

bool IsPlainTable(const catalog::TableDef& table, const catalog::CatalogSnapshot& catalog) {
  if (table.is_without_rowid || table.is_strict || !table.checks.empty() || !catalog.TriggersOf(table).empty()) return false;
  for (const catalog::ColumnDef& column : table.columns) {
    if (column.generated != catalog::GeneratedKind::kNone) return false;
  }
  for (const catalog::IndexDef& index : table.indexes) {
    if (!index.where_sql.empty()) return false;
    for (const catalog::IndexColumn& column : index.columns) {
      if (column.column == catalog::kExpressionColumn) return false;
    }
  }
  return true;
}

absl::Status AppendPlain(txn::Transaction* txn, const catalog::TableDef& table, uint32_t rows, absl::Span<const Connection::AppendColumn> columns,
                         ConnectionState* state) {
  BlockMaker maker(table, rows, state);
  for (const AppendColumn& column : columns) TURDB_RETURN_IF_ERROR(maker.Add(column));
  TURDB_ASSIGN_OR_RETURN(table::AppendBlock * block, maker.Finish());
  block->sort_space = {state->TempPlace(), state->settings.statement_memory};
  return table::AppendRows(txn, table, *block, nullptr, state->TableProgress("load"));
}

absl::StatusOr<uint64_t> ConnectionImpl::Append(std::string_view table_name, uint64_t rows, absl::Span<const AppendColumn> columns) {
  std::lock_guard lock(state_->mutex);
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  if (IsMemoryLow()) KeepMemoryReserve();
  return state_->WithinMemory(/*may_change=*/true, [&] { return AppendLocked(table_name, rows, columns); });
}

absl::StatusOr<uint64_t> ConnectionImpl::AppendLocked(std::string_view table_name, uint64_t rows, absl::Span<const AppendColumn> columns) {
  if (rows > std::numeric_limits<uint32_t>::max()) return TooBigError("append takes at most 4294967295 rows at once");
  if (rows == 0) return uint64_t{0};
  state_->interrupted.store(false);
  TURDB_ASSIGN_OR_RETURN(auto txn, state_->StatementTransaction());
  const bool is_autocommit = state_->transaction == nullptr;
  TURDB_RETURN_IF_ERROR(state_->StartSharedWriting(txn.get()));
  TURDB_ASSIGN_OR_RETURN(auto catalog, state_->Catalog(txn.get()));
  const catalog::TableDef* table = catalog->FindTable("", table_name);
  if (table == nullptr) return NameError("no such table: ", table_name);
  if (table->kind != catalog::TableKind::kTable) return NameError("cannot modify ", table_name, " because it is a view");

  if (!IsPlainTable(*table, *catalog) || HasSingleVectors(*table, columns)) {
    if (is_autocommit) txn = nullptr;  // INSERT is a transaction of its own
    const bool has_transaction = state_->transaction != nullptr;
    txn::Savepoint savepoint;
    if (has_transaction) savepoint = state_->transaction->MakeSavepoint();
    const absl::Status status = AppendByInsert(this, table_name, rows, columns);
    if (has_transaction && state_->transaction != nullptr) {
      if (!status.ok()) TURDB_RETURN_IF_ERROR(state_->transaction->RollbackTo(savepoint));
      state_->transaction->Release(savepoint);
    }
    TURDB_RETURN_IF_ERROR(status);
    return rows;
  }
  if (!state_->open_results.empty()) txn->Freeze();
  txn::Savepoint savepoint;
  if (!is_autocommit) savepoint = txn->MakeSavepoint();
  absl::Status status = AppendPlain(txn.get(), *table, static_cast<uint32_t>(rows), columns, state_.get());
  if (!status.ok()) {
    if (is_autocommit) txn->Rollback();
    else TURDB_RETURN_IF_ERROR(txn->RollbackTo(savepoint));
  }
  if (!is_autocommit) txn->Release(savepoint);
  else if (status.ok()) status = state_->CommitStatement(txn.get());
  TURDB_RETURN_IF_ERROR(status);
  state_->changes = static_cast<int64_t>(rows);
  state_->total_changes += static_cast<int64_t>(rows);
  return rows;
}

}  // namespace turdb::engine
