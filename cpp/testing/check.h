// Errors of the engine as tests see them: RuntimeError("Kind: message").
#pragma once

#include <stdexcept>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"

namespace turdb::testing {

inline void Check(const absl::Status& status) {
  if (status.ok()) return;
  throw std::runtime_error(Cat(ErrorKindName(KindOf(status)), ": ", FromAbsl(status.message())));
}
template <typename T>
T Check(absl::StatusOr<T> result) {
  Check(result.status());
  return *std::move(result);
}

}  // namespace turdb::testing
