// The declared type of a column: what the user wrote, its SQLite affinity, and for turdb's own types
// (VECTOR(n) so far; tags keep room for decimal, date, json, arrays, ...) what it means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "types/cell.h"

namespace turdb {

enum class Affinity : uint8_t { kNone = 0, kBlob, kText, kNumeric, kInteger, kReal };  // kNone: an expression

enum class TypeId : uint8_t {
  kAny = 0,     // SQLite's rules: any storage class, shaped by the affinity
  kVector = 1,  // VECTOR(n): float32
  // 2..15 other vector types, 16.. scalar types to come; stored in the catalog, never renumbered
};

struct LogicalType {
  TypeId id = TypeId::kAny;
  Affinity affinity = Affinity::kBlob;
  uint32_t dim = 0;      // kVector: dimensions, 1 to kMaxVectorDim
  std::string declared;  // as written, e.g. "VARCHAR(10)"; empty when none was given
  bool is_vector() const { return id == TypeId::kVector; }
};

inline constexpr uint32_t kMaxVectorDim = 65536;

// From the tokens of a column definition: "VECTOR(384)", "FLOAT[384]" (the other spelling of VECTOR),
// "VARCHAR(10)", "". BadValueError for VECTOR without a dimension or out of range.
absl::StatusOr<LogicalType> ParseLogicalType(std::string_view declared);

// SQLite's five rules (https://www.sqlite.org/datatype3.html, 3.1).
Affinity AffinityOfDeclaredType(std::string_view declared);
std::string_view AffinityName(Affinity affinity);
std::string_view StorageClassName(StorageClass type);  // as typeof(): "null", "integer", ...

}  // namespace turdb
