// Update and Delete (sql/exec/operators.h).
//
// The rows to change are read to the end before the first one changes, so a statement never meets its own work. Vectors
// that are neither assigned nor read are not kept.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_shaper.h"
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

class Update : public Operator {
 public:
  Update(const PhysicalUpdate& node, OperatorPtr child, ExecContext* context)
      : node_(node), table_(*node.table), child_(std::move(child)), context_(context),
        update_(table_, node.assigned_columns, node.row_expressions, node.on_conflict, context), source_(context, node.id) {}

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(shaper_, RowShaper::Make(table_, node_.row_expressions, builder));
    TURDB_RETURN_IF_ERROR(returned_.Compile(node_.returning, builder));
    std::vector<int> read;
    shaper_->CollectSlots(&read);
    for (const EvaluatorPtr& e : returned_.exprs()) read.insert(read.end(), e->slots().begin(), e->slots().end());
    const size_t width = table_.columns.size();
    for (size_t i = 0; i < width + 1 + node_.assigned_columns.size(); ++i) {
      const bool is_vector = i < width && table_.columns[i].type.is_vector();
      if (!is_vector || std::find(read.begin(), read.end(), static_cast<int>(i)) != read.end()) kept_.push_back(i);
    }
    return absl::OkStatus();
  }

  absl::Status Open() override {
    has_run_ = false;
    returned_.Reset();
    return child_->Open();
  }
  absl::Status Next(ColumnBatch* batch) override {
    if (!has_run_) {
      has_run_ = true;
      TURDB_RETURN_IF_ERROR(Run());
    }
    return returned_.Emit(batch);
  }
  void Close() override {
    source_.Close();
    returned_.Close();
    child_->Close();
  }

 private:
  absl::Status Run() {
    TURDB_RETURN_IF_ERROR(Collect(child_.get(), kept_, context_, &source_));
    update_.Reset();
    TURDB_ASSIGN_OR_RETURN(auto writer, table::NewTableWriter(context_->txn, table_, shaper_->IndexCallback()));
    for (uint64_t first = 0; first < source_.size(); first += rows_.size) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(source_.Read(first, &rows_));
      for (uint32_t row = 0; row < rows_.size; ++row) TURDB_RETURN_IF_ERROR(WriteRow(row, writer.get()));
    }
    return absl::OkStatus();
  }

  absl::Status WriteRow(uint32_t at, table::TableWriter* writer) {
    const size_t width = table_.columns.size();
    arena_.Reset();
    std::vector<Cell>& row = shaper_->row();
    std::fill(row.begin(), row.end(), Cell());
    for (size_t i = 0; i < kept_.size() && kept_[i] <= width; ++i) row[kept_[i]] = rows_.columns[i].Get(at);
    table::RowRef old_row;
    if (table_.is_without_rowid) {
      key_.clear();
      table::AppendPrimaryKey(table_, row.data(), &key_);
      old_row = table::RowRef(std::string_view(key_));
    } else {
      old_row = RowId(row[width].integer);
    }
    for (size_t i = 0; i < node_.assigned_columns.size(); ++i) {
      const int column = node_.assigned_columns[i];
      const Cell value = rows_.columns[kept_.size() - node_.assigned_columns.size() + i].Get(at);
      if (column == catalog::kRowIdColumn || column == table_.rowid_alias) {
        TURDB_RETURN_IF_ERROR(shaper_->StoreRowId(value));
      } else {
        TURDB_RETURN_IF_ERROR(shaper_->Store(column, value, &arena_));
      }
    }
    if (shaper_->has_generated()) TURDB_RETURN_IF_ERROR(shaper_->Generate(&arena_));
    TURDB_ASSIGN_OR_RETURN(const bool is_changed, update_.Write(old_row, shaper_.get(), writer, &arena_));
    if (!is_changed) return absl::OkStatus();
    ++context_->changes;
    return returned_.Add(shaper_.get(), &arena_);
  }

  const PhysicalUpdate& node_;
  const catalog::TableDef& table_;
  OperatorPtr child_;
  ExecContext* context_;
  RowUpdate update_;
  std::unique_ptr<RowShaper> shaper_;
  ReturnedRows returned_;
  std::vector<size_t> kept_;  // columns of the source that are kept; the assigned values are the last
  KeptRows source_;
  ColumnBatch rows_;          // of source_, being worked on
  Arena arena_;
  std::string key_;
  bool has_run_ = false;
};

class Delete : public Operator {
 public:
  Delete(const PhysicalDelete& node, OperatorPtr child, ExecContext* context)
      : node_(node), table_(*node.table), child_(std::move(child)), context_(context), source_(context, node.id) {}

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(shaper_, RowShaper::Make(table_, node_.row_expressions, builder));
    TURDB_RETURN_IF_ERROR(returned_.Compile(node_.returning, builder));
    std::vector<int> read;
    for (const EvaluatorPtr& e : returned_.exprs()) read.insert(read.end(), e->slots().begin(), e->slots().end());
    if (child_ == nullptr) return absl::OkStatus();
    for (size_t i = 0; i < node_.children[0]->output.size(); ++i) {
      const bool is_vector = node_.returning.is_present && i < table_.columns.size() && table_.columns[i].type.is_vector();
      if (!is_vector || std::find(read.begin(), read.end(), static_cast<int>(i)) != read.end()) kept_.push_back(i);
    }
    return absl::OkStatus();
  }

  absl::Status Open() override {
    has_run_ = false;
    returned_.Reset();
    return child_ != nullptr ? child_->Open() : absl::OkStatus();
  }
  absl::Status Next(ColumnBatch* batch) override {
    if (!has_run_) {
      has_run_ = true;
      TURDB_RETURN_IF_ERROR(node_.is_whole_table ? DeleteAll() : Run());
    }
    return returned_.Emit(batch);
  }
  void Close() override {
    source_.Close();
    returned_.Close();
    if (child_ != nullptr) child_->Close();
  }

 private:
  absl::Status DeleteAll() {
    TURDB_ASSIGN_OR_RETURN(const uint64_t rows, table::CountTableRows(context_->txn, table_));
    TURDB_ASSIGN_OR_RETURN(auto writer, table::NewTableWriter(context_->txn, table_, shaper_->IndexCallback()));
    TURDB_RETURN_IF_ERROR(writer->DeleteAll());
    context_->changes += static_cast<int64_t>(rows);
    return absl::OkStatus();
  }

  absl::Status Run() {
    TURDB_RETURN_IF_ERROR(Collect(child_.get(), kept_, context_, &source_));
    TURDB_ASSIGN_OR_RETURN(auto writer, table::NewTableWriter(context_->txn, table_, shaper_->IndexCallback()));
    for (uint64_t first = 0; first < source_.size(); first += rows_.size) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      TURDB_RETURN_IF_ERROR(source_.Read(first, &rows_));
      for (uint32_t row = 0; row < rows_.size; ++row) TURDB_RETURN_IF_ERROR(DeleteRow(row, writer.get()));
    }
    return absl::OkStatus();
  }

  absl::Status DeleteRow(uint32_t at, table::TableWriter* writer) {
    std::vector<Cell>& row = shaper_->row();
    table::RowRef ref;
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
    TURDB_ASSIGN_OR_RETURN(const bool is_gone, writer->Delete(ref));
    if (!is_gone) return absl::OkStatus();
    ++context_->changes;
    arena_.Reset();
    return returned_.Add(shaper_.get(), &arena_);
  }

  const PhysicalDelete& node_;
  const catalog::TableDef& table_;
  OperatorPtr child_;
  ExecContext* context_;
  std::unique_ptr<RowShaper> shaper_;
  ReturnedRows returned_;
  std::vector<size_t> kept_;
  KeptRows source_;
  ColumnBatch rows_;          // of source_, being worked on
  Arena arena_;
  std::string key_;
  bool has_run_ = false;
};

}  // namespace

BuiltOperator BuildUpdate(const PhysicalUpdate& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  auto update = std::make_unique<Update>(node, std::move(child), builder->context);
  TURDB_RETURN_IF_ERROR(update->Compile(builder));
  return OperatorPtr(std::move(update));
}

BuiltOperator BuildDelete(const PhysicalDelete& node, Builder* builder) {
  OperatorPtr child;
  if (!node.children.empty()) {
    TURDB_ASSIGN_OR_RETURN(child, builder->Build(*node.children[0]));
  }
  auto made = std::make_unique<Delete>(node, std::move(child), builder->context);
  TURDB_RETURN_IF_ERROR(made->Compile(builder));
  return OperatorPtr(std::move(made));
}

}  // namespace turdb::sql
