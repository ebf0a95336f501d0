#include "types/logical_type.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/errors.h"

namespace turdb {
namespace {

// The n of "NAME(n)" or "NAME[n]" with any white space, or false when `declared` has another shape.
bool ParseDimension(std::string_view lower, std::string_view name, char open, char close, uint32_t* dim) {
  if (lower.substr(0, name.size()) != name) return false;
  std::string_view rest = FromAbsl(absl::StripAsciiWhitespace(ToAbsl(lower.substr(name.size()))));
  if (rest.size() < 3 || rest.front() != open || rest.back() != close) return false;
  return absl::SimpleAtoi(ToAbsl(rest.substr(1, rest.size() - 2)), dim);
}

}  // namespace

Affinity AffinityOfDeclaredType(std::string_view declared) {
  const std::string lower = AsciiLowerCopy(declared);
  auto has = [&](const char* part) { return lower.find(part) != std::string::npos; };
  if (has("int")) return Affinity::kInteger;
  if (has("char") || has("clob") || has("text")) return Affinity::kText;
  if (lower.empty() || has("blob")) return Affinity::kBlob;
  if (has("real") || has("floa") || has("doub")) return Affinity::kReal;
  return Affinity::kNumeric;
}

absl::StatusOr<LogicalType> ParseLogicalType(std::string_view declared) {
  LogicalType type;
  type.declared = std::string(declared);
  const std::string lower = AsciiLowerCopy(declared);
  const bool names_vector = lower == "vector" || lower.rfind("vector(", 0) == 0 ||
                            lower.rfind("vector (", 0) == 0;
  const bool is_float_array = lower.rfind("float", 0) == 0 && lower.find('[') != std::string::npos;
  if (!names_vector && !is_float_array) {
    type.affinity = AffinityOfDeclaredType(declared);
    return type;
  }
  type.id = TypeId::kVector;
  type.affinity = Affinity::kBlob;
  const bool parsed = names_vector ? ParseDimension(lower, "vector", '(', ')', &type.dim)
                                   : ParseDimension(lower, "float", '[', ']', &type.dim);
  if (!parsed || type.dim == 0 || type.dim > kMaxVectorDim) {
    return BadValueError("type ", declared, ": a vector column needs its number of dimensions, 1 to ",
                         kMaxVectorDim, ", e.g. VECTOR(384)");
  }
  return type;
}

std::string_view AffinityName(Affinity affinity) {
  switch (affinity) {
    case Affinity::kNone: return "NONE";
    case Affinity::kBlob: return "BLOB";
    case Affinity::kText: return "TEXT";
    case Affinity::kNumeric: return "NUMERIC";
    case Affinity::kInteger: return "INTEGER";
    case Affinity::kReal: return "REAL";
  }
  return "";
}

std::string_view StorageClassName(StorageClass type) {
  switch (type) {
    case StorageClass::kNull: return "null";
    case StorageClass::kInteger: return "integer";
    case StorageClass::kReal: return "real";
    case StorageClass::kText: return "text";
    case StorageClass::kBlob: return "blob";
    case StorageClass::kVector: return "vector";
  }
  return "";
}

}  // namespace turdb
