// Insert, with its conflict clauses and upserts (sql/exec/operators.h).
//
// The source is read as it comes when it cannot see the table that is written; otherwise it is read to its end first.
// All rows are written in the first Next; what RETURNING gives comes out after that.
#include <algorithm>
#include <limits>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_shaper.h"
#include "sql/exec/upsert.h"
#include "table/table_reader.h"

namespace turdb::sql {
namespace {

using Action = catalog::ConflictAction;

// True when the plan surely reads no table, so that rows can be written while it runs.
bool ReadsNoTable(const PhysicalNode& node) {
  auto is_plain = [](const std::vector<ExprPtr>& exprs) {
    return std::none_of(exprs.begin(), exprs.end(), [](const ExprPtr& e) { return HasSubquery(*e); });
  };
  switch (node.kind) {
    case PhysicalKind::kValues:
      for (const auto& row : node.As<PhysicalValues>().rows) {
        if (!is_plain(row)) return false;
      }
      return true;
    case PhysicalKind::kTableFunction: return node.As<PhysicalTableFunction>().name == "generate_series";
    case PhysicalKind::kProject:
      return is_plain(node.As<PhysicalProject>().exprs) && ReadsNoTable(*node.children[0]);
    case PhysicalKind::kFilter:
      return !HasSubquery(*node.As<PhysicalFilter>().predicate) && ReadsNoTable(*node.children[0]);
    case PhysicalKind::kLimit: return ReadsNoTable(*node.children[0]);
    default: return false;
  }
}

class Insert : public Operator {
 public:
  Insert(const PhysicalInsert& node, OperatorPtr child, ExecContext* context)
      : node_(node), table_(*node.table), child_(std::move(child)), context_(context), source_(context, node.id) {
    const PhysicalNode& source = *node.children[0];
    streams_ = ReadsNoTable(source);
    is_one_row_ = source.kind == PhysicalKind::kValues && source.As<PhysicalValues>().rows.size() == 1 &&
                  node_.upserts.empty() && !MayReplace(table_, node_.on_conflict);
    for (const catalog::ColumnDef& column : table_.columns) has_vectors_ = has_vectors_ || column.type.is_vector();
  }

  absl::Status Compile(Builder* builder) {
    TURDB_ASSIGN_OR_RETURN(shaper_, RowShaper::Make(table_, node_.row_expressions, builder));
    TURDB_RETURN_IF_ERROR(returned_.Compile(node_.returning, builder));
    for (const ExprPtr& expr : node_.defaults) {
      TURDB_ASSIGN_OR_RETURN(EvaluatorPtr compiled, CompileOptional(expr, builder));
      defaults_.push_back(std::move(compiled));
    }
    defaults_.resize(table_.columns.size());
    std::vector<bool> is_given(table_.columns.size(), false);
    for (int column : node_.target_columns) {
      if (column >= 0) is_given[column] = true;
    }
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      if (!is_given[i] && !shaper_->IsGenerated(static_cast<int>(i))) absent_.push_back(static_cast<int>(i));
    }
    for (const UpsertClause& clause : node_.upserts) {
      TURDB_ASSIGN_OR_RETURN(auto made, Upsert::Make(clause, table_, node_.row_expressions, builder));
      upserts_.push_back(std::move(made));
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
      absl::Status status = Run();
      ReleaseWriter();
      child_->Close();
      TURDB_RETURN_IF_ERROR(status);
    }
    return returned_.Emit(batch);
  }
  void Close() override {
    ReleaseWriter();
    source_.Close();
    returned_.Close();
    child_->Close();
  }

 private:
  // Kept for the next execution, unless it holds on to what it has read.
  void ReleaseWriter() {
    if (has_vectors_) writer_.reset();
  }

  absl::Status Run() {
    if (!streams_) {
      source_.Reset(node_.children[0]->output.size());
      for (;;) {
        TURDB_RETURN_IF_ERROR(child_->Next(&input_));
        if (input_.size == 0) break;
        TURDB_RETURN_IF_ERROR(source_.Append(input_));
      }
      child_->Close();
    }
    if (!is_one_row_) context_->BeginWriting(false);
    TURDB_RETURN_IF_ERROR(table::ReadyTableWriter(context_->txn, table_, shaper_->IndexCallback(), &writer_));
    uint64_t at = 0;
    for (;;) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      if (streams_) {
        TURDB_RETURN_IF_ERROR(child_->Next(&input_));
      } else {
        TURDB_RETURN_IF_ERROR(source_.Read(at, &input_));
        at += input_.size;
      }
      if (input_.size == 0) return absl::OkStatus();
      for (uint32_t i = 0; i < input_.size; ++i) TURDB_RETURN_IF_ERROR(WriteRow(i));
      if (is_one_row_) return absl::OkStatus();
    }
  }

  absl::Status WriteRow(uint32_t at) {
    arena_.Reset();
    TURDB_RETURN_IF_ERROR(ShapeRow(at));
    TURDB_ASSIGN_OR_RETURN(const bool is_kept, shaper_->Check(node_.on_conflict, defaults_, &arena_));
    if (!is_kept) return absl::OkStatus();
    const RowId rowid(shaper_->rowid().integer);
    const absl::Span<const Cell> row(shaper_->row().data(), table_.columns.size());
    table::Conflict conflict;
    if (is_one_row_) context_->BeginWriting(true);
    for (;;) {
      TURDB_ASSIGN_OR_RETURN(const bool is_in, writer_->TryInsert(rowid, row, &conflict));
      if (is_in) break;
      TURDB_ASSIGN_OR_RETURN(const bool goes_on, Resolve(conflict));
      if (!goes_on) return absl::OkStatus();
    }
    ++context_->changes;
    if (!table_.is_without_rowid) context_->last_insert_rowid = rowid.value();
    return returned_.Add(shaper_.get(), &arena_);
  }

  // The row's cells from the source, defaults, the rowid, generated columns.
  absl::Status ShapeRow(uint32_t at) {
    Cell rowid;
    for (int column : absent_) {
      Cell value;
      if (defaults_[column] != nullptr) TURDB_RETURN_IF_ERROR(EvalScalar(defaults_[column].get(), &arena_, &value));
      if (column == table_.rowid_alias) continue;
      TURDB_RETURN_IF_ERROR(shaper_->Store(column, value, &arena_));
    }
    for (size_t i = 0; i < node_.target_columns.size(); ++i) {
      const int column = node_.target_columns[i];
      const Cell value = input_.columns[i].Get(at);
      if (column == catalog::kRowIdColumn || column == table_.rowid_alias) {
        if (!value.is_null()) rowid = value;
      } else {
        TURDB_RETURN_IF_ERROR(shaper_->Store(column, value, &arena_));
      }
    }
    if (table_.is_without_rowid) {
      shaper_->rowid() = Cell();
    } else if (rowid.is_null()) {
      TURDB_ASSIGN_OR_RETURN(const RowId next, writer_->NextRowId());
      TURDB_RETURN_IF_ERROR(shaper_->StoreRowId(Cell::Integer(next.value())));
    } else {
      TURDB_RETURN_IF_ERROR(shaper_->StoreRowId(rowid));
    }
    return shaper_->has_generated() ? shaper_->Generate(&arena_) : absl::OkStatus();
  }

  // What happens about a conflict: true when the insert is to be tried again.
  absl::StatusOr<bool> Resolve(const table::Conflict& conflict) {
    for (auto& upsert : upserts_) {
      if (!upsert->Matches(conflict)) continue;
      TURDB_ASSIGN_OR_RETURN(const bool has_changed, upsert->Run(conflict, *shaper_, writer_.get(), &arena_));
      if (has_changed) {
        ++context_->changes;
        TURDB_RETURN_IF_ERROR(returned_.Add(upsert->shaper(), &arena_));
      }
      return false;
    }
    const Action action = ActionOfConflict(table_, conflict, node_.on_conflict);
    if (action == Action::kIgnore) return false;
    if (action != Action::kReplace) return Fail(context_, action, table::ConflictError(table_, conflict.index));
    TURDB_ASSIGN_OR_RETURN(const bool is_gone, writer_->Delete(conflict.row()));
    if (!is_gone) return InternalError("the row that is in the way of another one in table ", table_.name, " is not there");
    return true;
  }

  const PhysicalInsert& node_;
  const catalog::TableDef& table_;
  OperatorPtr child_;
  ExecContext* context_;
  bool streams_;
  bool is_one_row_ = false;  // and no other row changes
  bool has_vectors_ = false;
  std::unique_ptr<RowShaper> shaper_;
  std::vector<EvaluatorPtr> defaults_;  // by table column
  std::vector<int> absent_;             // columns that the source does not give
  std::vector<std::unique_ptr<Upsert>> upserts_;
  std::unique_ptr<table::TableWriter> writer_;
  ReturnedRows returned_;
  KeptRows source_;
  ColumnBatch input_;
  Arena arena_;
  bool has_run_ = false;
};

}  // namespace

BuiltOperator BuildInsert(const PhysicalInsert& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  auto insert = std::make_unique<Insert>(node, std::move(child), builder->context);
  TURDB_RETURN_IF_ERROR(insert->Compile(builder));
  return OperatorPtr(std::move(insert));
}

}  // namespace turdb::sql
