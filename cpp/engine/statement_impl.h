// StatementImpl: one prepared statement: syntax tree, plan and idle operators, kept between executions.
//
// A plan holds for one version of the catalog and of the connection's functions; when either has moved on, the
// statement is bound and planned anew at its next execution.
#pragma once

#include <memory>
#include <string>

#include "engine/execution.h"
#include "engine/row_buffer.h"
#include "sql/syntax/parser.h"

namespace turdb::engine {

class InsertBatch;

class StatementImpl final : public Statement, public std::enable_shared_from_this<StatementImpl> {
 public:
  static absl::StatusOr<std::shared_ptr<StatementImpl>> Create(std::shared_ptr<ConnectionState> state, sql::ParsedStatement parsed);

  StatementClass statement_class() const override { return class_; }
  bool is_read_only() const override { return class_ == StatementClass::kSelect; }
  uint32_t parameter_count() const override { return parsed_.parameter_count; }
  const std::vector<std::string>& parameter_names() const override { return parameter_names_; }
  bool has_returning() const override;
  const std::string& text() const override { return text_; }
  absl::StatusOr<std::unique_ptr<Result>> Execute(absl::Span<const Value> parameters) override;
  absl::StatusOr<int64_t> ExecuteMany(const NextParameters& next) override;

  // A finished run gives its operators back.
  void Recycle(std::unique_ptr<Execution> execution);

 private:
  StatementImpl(std::shared_ptr<ConnectionState> state, sql::ParsedStatement parsed);
  absl::Status EnsurePlan(txn::Transaction* txn);
  absl::StatusOr<std::unique_ptr<Execution>> TakeExecution();
  const ResultColumns& columns() const { return plan_->bound.columns; }  // REQUIRES: EnsurePlan
  absl::Status CheckParameters(absl::Span<const Value> parameters) const;

  absl::StatusOr<std::unique_ptr<Result>> ExecuteLocked(absl::Span<const Value> parameters);
  absl::StatusOr<int64_t> ExecuteManyLocked(const NextParameters& next);
  absl::StatusOr<std::unique_ptr<Result>> ExecuteRead(absl::Span<const Value> parameters);
  // write_statement.cc
  absl::StatusOr<std::unique_ptr<Result>> ExecuteWrite(absl::Span<const Value> parameters);
  absl::Status Write(absl::Span<const Value> parameters, RowBuffer* rows, int64_t* changes);
  absl::Status TryWrite(absl::Span<const Value> parameters, RowBuffer* rows, int64_t* changes, bool* may_retry);
  absl::Status EndFailedWrite(txn::Transaction* txn, const sql::ExecContext& context, const absl::Status& status,
                              bool* may_retry);
  absl::Status TakeWholeTable();
  const catalog::TableDef* target() const;  // of an INSERT, UPDATE or DELETE
  absl::StatusOr<std::unique_ptr<Result>> ExecuteExplain(absl::Span<const Value> parameters);
  absl::StatusOr<std::unique_ptr<Result>> ExecuteSchema(absl::Span<const Value> parameters);
  absl::StatusOr<std::unique_ptr<Result>> ExecutePragma();
  absl::StatusOr<std::unique_ptr<Result>> ExecuteVacuum(absl::Span<const Value> parameters);  // vacuum.cc
  absl::Status ExecuteTransactionControl();
  // Runs the plan once in a transaction that is writing; RETURNING rows go to `rows`, which has the plan's columns.
  absl::Status RunWrite(Execution* execution, RowBuffer* rows);
  absl::Status RunMany(const NextParameters& next, int64_t* changes);
  absl::Status RunOne(const std::vector<Value>& parameters, int64_t* changes);
  absl::Status RunBatch(InsertBatch* batch, int64_t* changes);
  std::unique_ptr<Result> Buffered(RowBuffer rows, ResultColumns columns, int64_t changes) const;

  const std::shared_ptr<ConnectionState> state_;
  const sql::ParsedStatement parsed_;
  const std::string text_;
  std::vector<std::string> parameter_names_;
  StatementClass class_ = StatementClass::kSelect;
  bool is_nowait_ = false;  // a SELECT .. NOWAIT
  std::shared_ptr<sql::PhysicalPlan> plan_;
  uint64_t functions_version_ = 0;
  uint64_t catalog_version_ = 0;  // of the catalog's file
  std::unique_ptr<Execution> idle_;
  ResultColumns own_columns_;  // of EXPLAIN
};

}  // namespace turdb::engine
