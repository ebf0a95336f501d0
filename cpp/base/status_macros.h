// TURDB_RETURN_IF_ERROR(expr) and TURDB_ASSIGN_OR_RETURN(lhs, expr): how a Status travels up.
#pragma once

#include <utility>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define TURDB_RETURN_IF_ERROR(expr)                       \
  do {                                                    \
    ::absl::Status turdb_status_ = (expr);                \
    if (ABSL_PREDICT_FALSE(!turdb_status_.ok())) {        \
      return turdb_status_;                               \
    }                                                     \
  } while (false)

#define TURDB_CONCAT_INNER_(a, b) a##b
#define TURDB_CONCAT_(a, b) TURDB_CONCAT_INNER_(a, b)

#define TURDB_ASSIGN_OR_RETURN(lhs, expr) \
  TURDB_ASSIGN_OR_RETURN_IMPL_(TURDB_CONCAT_(turdb_statusor_, __LINE__), lhs, expr)

#define TURDB_ASSIGN_OR_RETURN_IMPL_(statusor, lhs, expr) \
  auto statusor = (expr);                                 \
  if (ABSL_PREDICT_FALSE(!statusor.ok())) {               \
    return std::move(statusor).status();                  \
  }                                                       \
  lhs = std::move(statusor).value()
