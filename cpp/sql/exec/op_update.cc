// Update and Delete (sql/exec/operators.h).
//
// The rows to change are read to the end before the first one changes, so a statement never meets its own work. Vectors
// that are neither assigned nor read are not kept. A row named by its rowid is found by the writer itself (RowSource).
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_shaper.h"
#include "sql/exec/row_source.h"
#include "sql/exec/row_update.h"
#include "table/index_codec.h"
#include "table/table_reader.h"

namespace turdb::sql {
namespace {

// Reads some columns of the child to its end.
absl::Status Collect(Operator* child, const std::vector<size_t>& columns, ExecContext* context, KeptRows* rows) {
  ColumnBatch input;
  std::vector<ColumnVector> kept(columns.size());
  rows->Reset(columns.size());
  TURDB_RETURN_IF_ERROR(child->Open());
  for (;;) {
    TURDB_RETURN_IF_ERROR(context->CheckInterrupt());
    TURDB_RETURN_IF_ERROR(child->Next(&input));
    if (input.size == 0) break;
    for (size_t i = 0; i < columns.size(); ++i) kept[i].Reference(input.columns[columns[i]]);
    TURDB_RETURN_IF_ERROR(rows->Append(kept.data(), nullptr, input.size));
    for (ColumnVector& column : kept) column = ColumnVector();
  }
  child->Close();
  return absl::OkStatus();
}

// What Update and Delete share: the source of the rows, and a writer that stays ready for the next execution.
class RowChange : public Operator {
 public:
  absl::Status Open() override {
    has_run_ = false;
    returned_.Reset();
    return absl::OkStatus();
  }
  absl::Status Next(ColumnBatch* batch) override {
    if (!has_run_) {
      has_run_ = true;
      bool is_done = false;
      if (one_ != nullptr) TURDB_RETURN_IF_ERROR(RunOne(&is_done));
      if (!is_done) TURDB_RETURN_IF_ERROR(Run());
    }
    return returned_.Emit(batch);
  }
  void Close() override {
    source_.Close();
    returned_.Close();
    if (child_ != nullptr) child_->Close();
    if (has_vectors_) writer_.reset();  // it holds on to what it has read
  }

 protected:
  RowChange(const PhysicalNode& node, const catalog::TableDef& table, ExecContext* context)
      : table_(table), context_(context), source_(context, node.id) {
    for (const catalog::ColumnDef& column : table.columns) has_vectors_ = has_vectors_ || column.type.is_vector();
  }
  // Takes the row from a RowSource when the plan allows, from a child operator otherwise.
  absl::Status TakeSource(const PhysicalNode& source, std::vector<bool> wanted, Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(one_, RowSource::Make(source, table_, std::move(wanted), builder));
    if (one_ != nullptr && !one_->may_be_several()) return absl::OkStatus();
    TURDB_ASSIGN_OR_RETURN(child_, builder->Build(source));
    return absl::OkStatus();
  }
  absl::Status MakeWriter() {
    return table::ReadyTableWriter(context_->txn, table_, shaper_->IndexCallback(), &writer_);
  }
  virtual absl::Status Run() = 0;
  // With one_. Not done: it is several rows, and none has been changed.
  virtual absl::Status RunOne(bool* is_done) = 0;
  // Reads the row before it is locked, as a scan does. That is safe: what it reads is the transaction's own pages on its snapshot,
  // a row that it has no lock on yet is there as the snapshot has it, and the writer compares the snapshot with the newest state
  // once it has the lock, before it changes anything (GuardedWriter::LockRow).
  absl::StatusOr<bool> FindOne(bool* is_done) {
    TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
    TURDB_RETURN_IF_ERROR(MakeWriter());
    arena_.Reset();
    TURDB_ASSIGN_OR_RETURN(const RowSource::Found found, one_->Find(writer_.get(), &arena_));
    *is_done = found != RowSource::Found::kSeveral;
    return found == RowSource::Found::kOne;
  }

  const catalog::TableDef& table_;
  ExecContext* context_;
  std::unique_ptr<RowSource> one_;
  OperatorPtr child_;
  std::unique_ptr<RowShaper> shaper_;
  std::unique_ptr<table::TableWriter> writer_;
  ReturnedRows returned_;
  std::vector<size_t> kept_;  // columns of the source that are kept
  KeptRows source_;
  ColumnBatch rows_;  // of source_, being worked on
  Arena arena_;
  std::string key_;
  bool has_run_ = false;
  bool has_vectors_ = false;
};

class Update : public RowChange {
 public:
  Update(const PhysicalUpdate& node, ExecContext* context)
      : RowChange(node, *node.table, context), node_(node), assigned_(node.assigned_columns.size()),
        update_(table_, node.assigned_columns, node.row_expressions, node.on_conflict, context) {}

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(shaper_, RowShaper::Make(table_, node_.row_expressions, builder));
    TURDB_RETURN_IF_ERROR(returned_.Compile(node_.returning, builder));
    std::vector<int> read;
    shaper_->CollectSlots(&read);
    for (const EvaluatorPtr& e : returned_.exprs()) read.insert(read.end(), e->slots().begin(), e->slots().end());
    TURDB_RETURN_IF_ERROR(TakeSource(*node_.children[0], WantedColumns(read), builder));
    const size_t width = table_.columns.size();
    for (size_t i = 0; i < width + 1 + assigned_.size(); ++i) {
      const bool is_vector = i < width && table_.columns[i].type.is_vector();
      if (!is_vector || std::find(read.begin(), read.end(), static_cast<int>(i)) != read.end()) kept_.push_back(i);
    }
    return absl::OkStatus();
  }

 private:
  absl::Status RunOne(bool* is_done) override {
    update_.Reset();
    TURDB_ASSIGN_OR_RETURN(const bool found, FindOne(is_done));
    if (!found) return absl::OkStatus();
    const size_t width = table_.columns.size();
    for (size_t i = 0; i < assigned_.size(); ++i) TURDB_RETURN_IF_ERROR(one_->Eval(width + 1 + i, &assigned_[i]));
    std::vector<Cell>& row = shaper_->row();
    std::copy(one_->row().begin(), one_->row().end(), row.begin());
    shaper_->rowid() = Cell::Integer(one_->rowid().value());
    return WriteRow(one_->rowid());
  }

  absl::Status Run() override {
    TURDB_RETURN_IF_ERROR(Collect(child_.get(), kept_, context_, &source_));
    if (source_.size() == 0) return absl::OkStatus();
    if (source_.size() > 1) context_->BeginWriting(false);
    update_.Reset();
    TURDB_RETURN_IF_ERROR(MakeWriter());
    for (uint64_t first = 0; first < source_.size(); first += rows_.size) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(source_.Read(first, &rows_));
      for (uint32_t row = 0; row < rows_.size; ++row) TURDB_RETURN_IF_ERROR(TakeRow(row));
    }
    return absl::OkStatus();
  }

  // Row `at` of rows_.
  absl::Status TakeRow(uint32_t at) {
    const size_t width = table_.columns.size();
    arena_.Reset();
    std::vector<Cell>& row = shaper_->row();
    std::fill(row.begin(), row.end(), Cell());
    for (size_t i = 0; i < kept_.size() && kept_[i] <= width; ++i) row[kept_[i]] = rows_.columns[i].Get(at);
    for (size_t i = 0; i < assigned_.size(); ++i) assigned_[i] = rows_.columns[kept_.size() - assigned_.size() + i].Get(at);
    if (!table_.is_without_rowid) return WriteRow(RowId(row[width].integer));
    key_.clear();
    table::AppendPrimaryKey(table_, row.data(), &key_);
    return WriteRow(table::RowRef(std::string_view(key_)));
  }

  // The shaper has the row as it was, assigned_ the new values.
  absl::Status WriteRow(table::RowRef old_row) {
    for (size_t i = 0; i < assigned_.size(); ++i) {
      const int column = node_.assigned_columns[i];
      if (column == catalog::kRowIdColumn || column == table_.rowid_alias) {
        TURDB_RETURN_IF_ERROR(shaper_->StoreRowId(assigned_[i]));
      } else {
        TURDB_RETURN_IF_ERROR(shaper_->Store(column, assigned_[i], &arena_));
      }
    }
    if (shaper_->has_generated()) TURDB_RETURN_IF_ERROR(shaper_->Generate(&arena_));
    TURDB_ASSIGN_OR_RETURN(const bool is_changed, update_.Write(old_row, shaper_.get(), writer_.get(), &arena_));
    if (!is_changed) return absl::OkStatus();
    ++context_->changes;
    return returned_.Add(shaper_.get(), &arena_);
  }

  // Of a row that stays where it is: what is read of it, and what the indexes hold that change.
  std::vector<bool> WantedColumns(const std::vector<int>& read) const {
    std::vector<bool> wanted(table_.columns.size(), update_.can_conflict());
    for (const int slot : read) {
      if (slot < static_cast<int>(wanted.size())) wanted[slot] = true;
    }
    for (const catalog::IndexDef& index : table_.indexes) {
      const auto is_changed = [this](const auto& column) { return column.column < 0 || update_.changed()[column.column]; };
      if (!std::any_of(index.columns.begin(), index.columns.end(), is_changed)) continue;
      for (const catalog::IndexColumn& column : index.columns) {
        if (column.column >= 0) wanted[column.column] = true;
      }
    }
    return wanted;
  }

  const PhysicalUpdate& node_;
  std::vector<Cell> assigned_;  // the last columns of the source
  RowUpdate update_;
};

class Delete : public RowChange {
 public:
  Delete(const PhysicalDelete& node, ExecContext* context) : RowChange(node, *node.table, context), node_(node) {}

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(shaper_, RowShaper::Make(table_, node_.row_expressions, builder));
    TURDB_RETURN_IF_ERROR(returned_.Compile(node_.returning, builder));
    if (!node_.children.empty()) {
      std::vector<bool> wanted(node_.returning.is_present ? table_.columns.size() : 0, true);
      TURDB_RETURN_IF_ERROR(TakeSource(*node_.children[0], std::move(wanted), builder));
    }
    std::vector<int> read;
    for (const EvaluatorPtr& e : returned_.exprs()) read.insert(read.end(), e->slots().begin(), e->slots().end());
    if (node_.children.empty()) return absl::OkStatus();
    for (size_t i = 0; i < node_.children[0]->output.size(); ++i) {
      const bool is_vector = node_.returning.is_present && i < table_.columns.size() && table_.columns[i].type.is_vector();
      if (!is_vector || std::find(read.begin(), read.end(), static_cast<int>(i)) != read.end()) kept_.push_back(i);
    }
    return absl::OkStatus();
  }

 private:
  absl::Status RunOne(bool* is_done) override {
    TURDB_ASSIGN_OR_RETURN(const bool found, FindOne(is_done));
    if (!found) return absl::OkStatus();
    if (node_.returning.is_present) {
      std::copy(one_->row().begin(), one_->row().end(), shaper_->row().begin());
      shaper_->rowid() = Cell::Integer(one_->rowid().value());
    }
    context_->BeginWriting(true);
    return Erase(one_->rowid());
  }

  absl::Status Run() override {
    if (node_.is_whole_table) return DeleteAll();
    TURDB_RETURN_IF_ERROR(Collect(child_.get(), kept_, context_, &source_));
    if (source_.size() == 0) return absl::OkStatus();
    context_->BeginWriting(source_.size() == 1);
    TURDB_RETURN_IF_ERROR(MakeWriter());
    for (uint64_t first = 0; first < source_.size(); first += rows_.size) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(source_.Read(first, &rows_));
      for (uint32_t row = 0; row < rows_.size; ++row) TURDB_RETURN_IF_ERROR(DeleteRow(row));
    }
    return absl::OkStatus();
  }

  absl::Status DeleteAll() {
    TURDB_ASSIGN_OR_RETURN(const uint64_t rows, table::CountTableRows(context_->txn, table_));
    context_->BeginWriting(false);
    TURDB_RETURN_IF_ERROR(MakeWriter());
    TURDB_RETURN_IF_ERROR(writer_->DeleteAll());
    context_->changes += static_cast<int64_t>(rows);
    return absl::OkStatus();
  }

  absl::Status DeleteRow(uint32_t at) {
    std::vector<Cell>& row = shaper_->row();
    table::RowRef ref;
    arena_.Reset();
    if (node_.returning.is_present) {
      std::fill(row.begin(), row.end(), Cell());
      for (size_t i = 0; i < kept_.size(); ++i) row[kept_[i]] = rows_.columns[i].Get(at);
      ref = RowId(shaper_->rowid().integer);
    } else if (table_.is_without_rowid) {
      for (size_t i = 0; i < table_.primary_key.size(); ++i) row[table_.primary_key[i]] = rows_.columns[i].Get(at);
    } else {
      ref = RowId(rows_.columns[0].Get(at).integer);
    }
    if (table_.is_without_rowid) {
      key_.clear();
      table::AppendPrimaryKey(table_, row.data(), &key_);
      ref = table::RowRef(std::string_view(key_));
    }
    return Erase(ref);
  }

  // The shaper has the row, when RETURNING asks for it.
  absl::Status Erase(table::RowRef ref) {
    TURDB_ASSIGN_OR_RETURN(const bool is_gone, writer_->Delete(ref));
    if (!is_gone) return absl::OkStatus();
    ++context_->changes;
    return returned_.Add(shaper_.get(), &arena_);
  }

  const PhysicalDelete& node_;
};

}  // namespace

BuiltOperator BuildUpdate(const PhysicalUpdate& node, Builder* builder) {
  auto update = std::make_unique<Update>(node, builder->context);
  TURDB_RETURN_IF_ERROR(update->Compile(builder));
  return OperatorPtr(std::move(update));
}

BuiltOperator BuildDelete(const PhysicalDelete& node, Builder* builder) {
  auto made = std::make_unique<Delete>(node, builder->context);
  TURDB_RETURN_IF_ERROR(made->Compile(builder));
  return OperatorPtr(std::move(made));
}

}  // namespace turdb::sql
