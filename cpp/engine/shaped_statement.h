// ShapedStatement: a statement whose text is a known shape with other literals (statement_shape.h).
//
// It runs the statement of its shape with the literals as parameters; to whoever holds it, it has none.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/statement_impl.h"

namespace turdb::engine {

class ShapedStatement final : public Statement {
 public:
  ShapedStatement(std::shared_ptr<ConnectionState> state, std::shared_ptr<StatementImpl> shape, std::vector<Value> values,
                  std::string text)
      : state_(std::move(state)), shape_(std::move(shape)), values_(std::move(values)), text_(std::move(text)) {}

  StatementClass statement_class() const override { return shape_->statement_class(); }
  bool is_read_only() const override { return shape_->is_read_only(); }
  uint32_t parameter_count() const override { return 0; }
  const std::vector<std::string>& parameter_names() const override { return parameter_names_; }
  bool has_returning() const override { return shape_->has_returning(); }
  const std::string& text() const override { return text_; }
  absl::StatusOr<std::unique_ptr<Result>> Execute(absl::Span<const Value> parameters) override;
  absl::StatusOr<int64_t> ExecuteMany(const NextParameters& next) override;

 private:
  absl::Status InItsOwnWords(const absl::Status& status) const;

  const std::shared_ptr<ConnectionState> state_;
  const std::shared_ptr<StatementImpl> shape_;
  const std::vector<Value> values_;
  const std::string text_;
  const std::vector<std::string> parameter_names_;
};

}  // namespace turdb::engine
