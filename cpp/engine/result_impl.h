// ResultImpl: rows of one execution: pulled from its operators, or from a buffer when they were kept.
//
// A result that reads the connection's open transaction is registered there, so that the transaction can make it read
// its remaining rows into memory (Detach) before it ends. All calls take the connection's mutex.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "engine/row_buffer.h"
#include "engine/statement_impl.h"

namespace turdb::engine {

class ResultImpl final : public Result {
 public:
  // Streaming from operators that are open.
  ResultImpl(std::shared_ptr<ConnectionState> state, std::shared_ptr<StatementImpl> statement,
             std::unique_ptr<Execution> execution, std::shared_ptr<txn::Transaction> txn);
  // From memory.
  ResultImpl(std::shared_ptr<ConnectionState> state, RowBuffer rows, std::shared_ptr<const ResultColumns> columns, int64_t changes);
  ~ResultImpl() override;

  const std::shared_ptr<const ResultColumns>& shared_columns() const override { return columns_; }
  absl::Status Next(ColumnBatch* batch) override;
  int64_t changes() const override { return changes_; }
  void Close() override;

  absl::Status Detach();
  void Abandon(const absl::Status& failure);  // ends it; who wants more rows gets the error

 private:
  void Finish();      // gives the operators back and lets the transaction go
  void Unregister();

  std::shared_ptr<ConnectionState> state_;
  std::shared_ptr<StatementImpl> statement_;
  std::unique_ptr<Execution> execution_;  // null: finished or from memory
  std::shared_ptr<txn::Transaction> txn_;
  std::shared_ptr<const ResultColumns> columns_;
  RowBuffer rows_;
  bool is_buffered_ = false;
  bool is_closed_ = false;
  bool is_registered_ = false;
  std::list<ResultImpl*>::iterator registration_;
  int64_t changes_ = -1;
  absl::Status failure_;  // in place of the rows that are left
};

}  // namespace turdb::engine
