// The expressions of a physical node, each with the batch that its columns come from.
#pragma once

#include <functional>

#include "sql/plan/physical_plan.h"

namespace turdb::sql {

enum class ExprScope : uint8_t {
  kNone,     // no batch: registers, parameters, constants
  kOutput,   // the node's own output
  kInput,    // output of children[0]
  kRight,    // output of children[1]
  kBoth,     // output of children[0], then of children[1]
  kRow,      // the row layout of writes
};

// Calls visit for every expression that is there (never for null).
void VisitPhysicalExprs(PhysicalNode* node, const std::function<void(ExprPtr*, ExprScope)>& visit);

}  // namespace turdb::sql
