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

// The schema may have changed since the shape was planned: an error about its text is that of this statement's.
absl::Status ShapedStatement::InItsOwnWords(const absl::Status& status) const {
  if (KindOf(status) != ErrorKind::kName && KindOf(status) != ErrorKind::kSyntax) return status;
  std::lock_guard lock(state_->mutex);
  size_t consumed = 0;
  auto parsed = sql::ParseStatement(text_, &consumed);
  const absl::Status own = parsed.ok() ? StatementImpl::Create(state_, *std::move(parsed)).status() : parsed.status();
  return own.ok() ? status : own;
}

absl::StatusOr<std::unique_ptr<Result>> ShapedStatement::Execute(absl::Span<const Value> parameters) {
  TURDB_RETURN_IF_ERROR(CheckNone(parameters));
  auto result = shape_->Execute(values_);
  if (!result.ok()) return InItsOwnWords(result.status());
  return result;
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
