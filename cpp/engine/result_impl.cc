#include "engine/result_impl.h"

#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/status_macros.h"

namespace turdb::engine {

ResultImpl::ResultImpl(std::shared_ptr<ConnectionState> state, std::shared_ptr<StatementImpl> statement,
                       std::unique_ptr<Execution> execution, std::shared_ptr<txn::Transaction> txn)
    : state_(std::move(state)),
      statement_(std::move(statement)),
      execution_(std::move(execution)),
      txn_(std::move(txn)),
      columns_(ColumnsOf(execution_->plan)) {
  if (txn_ == state_->transaction) {
    registration_ = state_->open_results.insert(state_->open_results.end(), this);
    is_registered_ = true;
  }
}

ResultImpl::ResultImpl(std::shared_ptr<ConnectionState> state, RowBuffer rows, std::shared_ptr<const ResultColumns> columns, int64_t changes)
    : state_(std::move(state)), columns_(std::move(columns)), rows_(std::move(rows)), is_buffered_(true), changes_(changes) {}

ResultImpl::~ResultImpl() { Close(); }

absl::Status ResultImpl::Next(ColumnBatch* batch) {
  std::lock_guard lock(state_->mutex);
  batch->size = 0;
  if (is_closed_) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  TURDB_RETURN_IF_ERROR(failure_);
  if (is_buffered_) {
    return OrOutOfMemory([&] { return rows_.Next(batch); });
  }
  if (execution_ == nullptr) return absl::OkStatus();
  const absl::Status status = OrOutOfMemory([&] { return execution_->root->Next(batch); });
  if (!status.ok()) {
    batch->size = 0;
    Finish();
    return status;
  }
  if (batch->size == 0) Finish();
  return absl::OkStatus();
}

absl::Status ResultImpl::Detach() {
  if (execution_ != nullptr) {
    RowBuffer rows(columns().size(), state_.get());
    ColumnBatch batch;
    absl::Status status;
    while (true) {
      status = execution_->root->Next(&batch);
      if (!status.ok() || batch.size == 0) break;
      status = rows.AddBatch(batch);
      if (!status.ok()) break;
    }
    rows_ = std::move(rows);
    is_buffered_ = true;
    Finish();
    return status;
  }
  Unregister();
  return absl::OkStatus();
}

void ResultImpl::Abandon(const absl::Status& failure) {
  failure_ = failure;
  Finish();
}

void ResultImpl::Close() {
  std::lock_guard lock(state_->mutex);
  if (is_closed_) return;
  is_closed_ = true;
  Finish();
}

void ResultImpl::Finish() {
  Unregister();
  if (execution_ != nullptr) {
    const absl::Status closed = OrOutOfMemory([&] {
      execution_->root->Close();
      return absl::OkStatus();
    });
    execution_->context.txn = nullptr;
    if (closed.ok()) statement_->Recycle(std::move(execution_));
    execution_ = nullptr;
  }
  txn_ = nullptr;
}

void ResultImpl::Unregister() {
  if (!is_registered_) return;
  state_->open_results.erase(registration_);
  is_registered_ = false;
}

}  // namespace turdb::engine
