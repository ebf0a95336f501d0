#include "sql/exec/row_shaper.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "types/number_text.h"

namespace turdb::sql {

using Action = catalog::ConflictAction;

RowShaper::RowShaper(const catalog::TableDef& table, ExecContext* context)
    : table_(table), context_(context), row_(2 * table.columns.size() + 2), columns_(row_.size()) {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const catalog::ColumnDef& column = table.columns[i];
    const bool is_key = table.is_without_rowid && column.primary_key_position > 0;
    if (static_cast<int>(i) != table.rowid_alias && (column.is_not_null || is_key)) not_null_.push_back(static_cast<int>(i));
  }
}

absl::StatusOr<std::unique_ptr<RowShaper>> RowShaper::Make(const catalog::TableDef& table, const RowExpressions& expressions,
                                                           Builder* builder) {
  std::unique_ptr<RowShaper> shaper(new RowShaper(table, builder->context));
  for (const auto& [name, expr] : expressions.checks) {
    TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, Compile(*expr, builder));
    shaper->checks_.push_back({name, std::move(compiled)});
  }
  for (const auto& [column, expr] : expressions.generated) {
    TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, Compile(*expr, builder));
    shaper->generated_.push_back({column, std::move(compiled)});
  }
  for (const RowExpressions::IndexExprs& index : expressions.indexes) {
    IndexExprs made{index.index, {}, nullptr};
    for (const ExprPtr& expr : index.columns) {
      TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, CompileOptional(expr, builder));
      made.columns.push_back(std::move(compiled));
    }
    TURDB_ASSIGN_OR_RETURN(made.where, CompileOptional(index.where, builder));
    shaper->indexes_.push_back(std::move(made));
  }
  return shaper;
}

void RowShaper::CollectSlots(std::vector<int>* slots) const {
  auto add = [&](const EvaluatorPtr& e) {
    if (e != nullptr) slots->insert(slots->end(), e->slots().begin(), e->slots().end());
  };
  for (const auto& check : checks_) add(check.expr);
  for (const auto& generated : generated_) add(generated.expr);
  for (const auto& index : indexes_) {
    for (const auto& column : index.columns) add(column);
    add(index.where);
  }
}

absl::Status RowShaper::Eval(Evaluator* evaluator, Arena* arena, Cell* value) {
  for (int slot : evaluator->slots()) columns_[slot].SetConstant(row_[slot]);
  Frame frame;
  frame.columns = columns_.data();
  frame.rows = 1;
  frame.arena = arena;
  const ColumnVector* result = nullptr;
  TURDB_RETURN_IF_ERROR(evaluator->Eval(frame, &result));
  *value = result->Get(0);
  return absl::OkStatus();
}

absl::Status RowShaper::CheckStrict(int column, const Cell& value) const {
  const catalog::ColumnDef& def = table_.columns[column];
  bool fits = true;
  const std::string declared = AsciiLowerCopy(def.type.declared);
  if (declared == "int" || declared == "integer") fits = value.is_integer();
  if (declared == "real") fits = value.is_real();
  if (declared == "text") fits = value.is_text();
  if (declared == "blob") fits = value.is_blob();
  if (fits || value.is_null()) return absl::OkStatus();
  std::string type(StorageClassName(value.type));
  for (char& c : type) c = AsciiUpper(c);
  std::string wanted = def.type.declared;
  for (char& c : wanted) c = AsciiUpper(c);
  return ConstraintError(ConstraintKind::kDataType,
                         Cat("cannot store ", type, " value in ", wanted, " column ", table_.name, ".", def.name));
}

absl::Status RowShaper::Store(int column, const Cell& value, Arena* arena) {
  const catalog::ColumnDef& def = table_.columns[column];
  Cell& to = row_[column];
  if (def.type.is_vector()) {
    to = Cell();
    if (value.is_null()) return absl::OkStatus();
    absl::Status status = ToVector(value, arena, &to);
    if (!status.ok()) return BadValueError("column ", def.name, " of table ", table_.name, ": ", FromAbsl(status.message()));
    if (to.dim() != def.type.dim) {
      return DimensionError("column ", def.name, " of table ", table_.name, " is VECTOR(", def.type.dim, "): got ", to.dim(),
                            " dimensions");
    }
    return absl::OkStatus();
  }
  const bool takes_any = table_.is_strict && EqualsIgnoreCase(def.type.declared, "any");
  // A vector outside of a vector column is its bytes.
  const Cell plain = value.is_vector() ? Cell::Blob(value.view()) : value;
  to = takes_any ? plain : ApplyAffinity(plain, def.type.affinity, arena);
  return table_.is_strict ? CheckStrict(column, to) : absl::OkStatus();
}

absl::Status RowShaper::StoreRowId(const Cell& value) {
  Cell number = TextToNumberIfWhole(value);
  int64_t integer = number.integer;
  if (!number.is_integer() && !(number.is_real() && RealIsInteger(number.real, &integer))) {
    return ConstraintError(ConstraintKind::kDataType, "datatype mismatch");
  }
  rowid() = Cell::Integer(integer);
  if (table_.rowid_alias >= 0) row_[table_.rowid_alias] = rowid();
  return absl::OkStatus();
}

absl::Status RowShaper::Generate(Arena* arena) {
  for (const GeneratedColumn& generated : generated_) {
    Cell value;
    TURDB_RETURN_IF_ERROR(Eval(generated.expr.get(), arena, &value));
    TURDB_RETURN_IF_ERROR(Store(generated.column, KeepCell(value, arena), arena));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> RowShaper::Check(Action statement, const std::vector<EvaluatorPtr>& defaults, Arena* arena,
                                      const std::vector<bool>* changed) {
  for (int column : not_null_) {
    if (!row_[column].is_null() || (changed != nullptr && !(*changed)[column])) continue;
    const catalog::ColumnDef& def = table_.columns[column];
    Action action = ActionOf(statement, def.not_null_action);
    if (action == Action::kReplace) {
      action = Action::kAbort;
      if (static_cast<size_t>(column) < defaults.size() && defaults[column] != nullptr) {
        Cell value;
        TURDB_RETURN_IF_ERROR(EvalScalar(defaults[column].get(), arena, &value));
        TURDB_RETURN_IF_ERROR(Store(column, value, arena));
        TURDB_RETURN_IF_ERROR(Generate(arena));
      }
      if (!row_[column].is_null()) continue;
    }
    if (action == Action::kIgnore) return false;
    return Fail(context_, action,
                ConstraintError(ConstraintKind::kNotNull, Cat("NOT NULL constraint failed: ", table_.name, ".", def.name)));
  }
  for (const NamedCheck& check : checks_) {
    Cell value;
    TURDB_RETURN_IF_ERROR(Eval(check.expr.get(), arena, &value));
    if (Truth(value) != 0) continue;  // NULL passes
    Action action = ActionOf(statement, Action::kDefault);
    if (action == Action::kIgnore) return false;
    if (action == Action::kReplace) action = Action::kAbort;
    return Fail(context_, action, ConstraintError(ConstraintKind::kCheck, Cat("CHECK constraint failed: ", check.name)));
  }
  return true;
}

table::IndexExpressions RowShaper::IndexCallback() {
  if (indexes_.empty()) return nullptr;
  return [this](const catalog::IndexDef& index, RowId rowid, absl::Span<const Cell> row, Cell* key) {
    return EvalIndex(index, rowid, row, key);
  };
}

absl::StatusOr<bool> RowShaper::EvalIndex(const catalog::IndexDef& index, RowId rowid, absl::Span<const Cell> row, Cell* key) {
  const auto found = std::find_if(indexes_.begin(), indexes_.end(),
                                  [&](const IndexExprs& exprs) { return exprs.index->id == index.id; });
  if (found == indexes_.end()) return true;
  if (index_arena_.used_bytes() > (1 << 20)) index_arena_.Reset();  // keys of rows before are in the tree by now
  auto eval = [&](const EvaluatorPtr& evaluator, Cell* value) -> absl::Status {
    for (int slot : evaluator->slots()) {
      const bool is_rowid = slot == static_cast<int>(width()) || slot == table_.rowid_alias;
      columns_[slot].SetConstant(is_rowid ? Cell::Integer(rowid.value()) : row[slot]);
    }
    Frame frame;
    frame.columns = columns_.data();
    frame.rows = 1;
    frame.arena = &index_arena_;
    const ColumnVector* result = nullptr;
    TURDB_RETURN_IF_ERROR(evaluator->Eval(frame, &result));
    *value = KeepCell(result->Get(0), &index_arena_);
    return absl::OkStatus();
  };
  if (found->where != nullptr) {
    Cell truth;
    TURDB_RETURN_IF_ERROR(eval(found->where, &truth));
    if (Truth(truth) != 1) return false;
  }
  for (size_t i = 0; i < found->columns.size(); ++i) {
    if (found->columns[i] != nullptr) TURDB_RETURN_IF_ERROR(eval(found->columns[i], &key[i]));
  }
  return true;
}

absl::Status Fail(ExecContext* context, Action action, absl::Status error) {
  if (action == Action::kRollback) context->rollback_transaction = true;
  if (action == Action::kFail) context->keep_changes = true;
  return error;
}

Action ActionOfConflict(const catalog::TableDef& table, const table::Conflict& conflict, Action statement) {
  return ActionOf(statement, conflict.index != nullptr ? conflict.index->conflict_action : table.primary_key_action);
}

Cell KeepCell(const Cell& cell, Arena* arena) {
  Cell kept = cell;
  if (!cell.has_bytes()) return kept;
  char* to = arena->Allocate(std::max<uint32_t>(cell.length, 1), cell.is_vector() ? 8 : 1);
  if (cell.length != 0) std::memcpy(to, cell.bytes, cell.length);
  kept.bytes = to;
  return kept;
}

absl::Status ReturnedRows::Compile(const Returning& returning, Builder* builder) {
  is_present_ = returning.is_present;
  TURDB_ASSIGN_OR_RETURN(exprs_, CompileAll(returning.exprs, builder));
  cells_.resize(exprs_.size());
  if (is_present_) rows_ = std::make_unique<KeptRows>(builder->context, RowSpill::kNoNode);
  return absl::OkStatus();
}

void ReturnedRows::Reset() {
  if (is_present_) rows_->Reset(exprs_.size());
  emitted_ = 0;
}

void ReturnedRows::Close() {
  if (is_present_) rows_->Close();
}

absl::Status ReturnedRows::Add(RowShaper* shaper, Arena* arena) {
  if (!is_present_) return absl::OkStatus();
  for (size_t i = 0; i < exprs_.size(); ++i) {
    TURDB_RETURN_IF_ERROR(shaper->Eval(exprs_[i].get(), arena, &cells_[i]));
    cells_[i] = KeepCell(cells_[i], arena);
  }
  return rows_->AppendRow(cells_.data());
}

absl::Status ReturnedRows::Emit(ColumnBatch* batch) {
  batch->size = 0;
  if (!is_present_) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(rows_->Read(emitted_, batch));
  emitted_ += batch->size;
  return absl::OkStatus();
}

}  // namespace turdb::sql
