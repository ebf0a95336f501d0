// ConnectionImpl: the public calls of a connection, over its ConnectionState.
#pragma once

#include <array>

#include "engine/connection_state.h"
#include "engine/statement_cache.h"
#include "engine/statement_shape.h"

namespace turdb::engine {

class ConnectionImpl final : public Connection {
 public:
  ConnectionImpl(std::shared_ptr<Database> database, const OpenOptions& options);
  ~ConnectionImpl() override;

  absl::Status Close() override;
  absl::StatusOr<std::shared_ptr<Statement>> Prepare(std::string_view sql, size_t* consumed) override;
  bool in_transaction() const override;
  int64_t changes() const override { return state_->changes; }
  int64_t total_changes() const override { return state_->total_changes; }
  int64_t last_insert_rowid() const override { return state_->last_insert_rowid; }
  void set_timeout_ms(uint64_t timeout_ms) override;
  void Interrupt() override { state_->interrupted.store(true); }
  void SetProgress(std::function<absl::Status(const ProgressReport&)> progress) override;
  absl::Status CreateScalar(sql::ScalarFunction function) override;
  absl::Status CreateAggregate(sql::AggregateFunction function) override;
  absl::Status CreateCollation(std::string_view name, std::function<int(std::string_view, std::string_view)> compare) override;
  absl::StatusOr<uint64_t> Append(std::string_view table, uint64_t rows, absl::Span<const AppendColumn> columns) override;  // append.cc
  absl::Status Knn(const KnnRequest& request, int64_t* ids, float* distances) override;                                     // knn.cc
  txn::StoreStats stats() const override;
  const std::string& path() const override { return path_; }
  const std::shared_ptr<ConnectionState>& state() const { return state_; }

 private:
  absl::StatusOr<uint64_t> AppendLocked(std::string_view table, uint64_t rows, absl::Span<const AppendColumn> columns);
  absl::Status KnnLocked(const KnnRequest& request, int64_t* ids, float* distances);
  absl::StatusOr<std::shared_ptr<Statement>> PrepareLocked(std::string_view sql, size_t* consumed);
  // The statement of a text that is a shape seen before with other literals; null when it is none.
  std::shared_ptr<Statement> FindByShape(std::string_view sql);
  bool WasSeen(const std::string& shape);  // and notes it

  const std::shared_ptr<ConnectionState> state_;
  const std::string path_;
  StatementCache cache_;
  StatementShape shape_;                         // its memory is used again
  std::array<uint64_t, 128> seen_shapes_ = {};  // hashes, each where it belongs
};

}  // namespace turdb::engine
