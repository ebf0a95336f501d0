#include "engine/shaped_statement.h"

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::engine {
namespace {

absl::Status CheckNone(absl::Span<const Value> parameters) {
  if (parameters.empty()) return absl::OkStatus();
  return ParameterError("Incorrect number of bindings supplied. The current statement uses 0, and there are ", parameters.size(),
                        " supplied.");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Result>> ShapedStatement::Execute(absl::Span<const Value> parameters) {
  TURDB_RETURN_IF_ERROR(CheckNone(parameters));
  return shape_->Execute(values_);
}

absl::StatusOr<int64_t> ShapedStatement::ExecuteMany(const NextParameters& next) {
  return shape_->ExecuteMany([&]() -> absl::StatusOr<const std::vector<Value>*> {
    TURDB_ASSIGN_OR_RETURN(const std::vector<Value>* const given, next());
    if (given == nullptr) return nullptr;
    TURDB_RETURN_IF_ERROR(CheckNone(*given));
    return &values_;
  });
}

}  // namespace turdb::engine
