// Vectors from and to other values: JSON text, blobs of float32 (sql/exec/cell_ops.h).
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/errors.h"
#include "sql/exec/cell_ops.h"
#include "types/number_text.h"
#include "vec/kernels.h"

namespace turdb::sql {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A short piece of a value for a message.
std::string_view Excerpt(std::string_view s) { return s.substr(0, 40); }

absl::Status BadText(std::string_view text, std::string_view why) {
  return BadValueError("cannot read a vector from '", Excerpt(text), text.size() > 40 ? "...'" : "'", ": ", why);
}

absl::Status ParseVector(std::string_view text, Arena* arena, Cell* result) {
  const char* at = text.data();
  const char* end = at + text.size();
  auto skip = [&] { while (at != end && IsSpace(*at)) ++at; };
  skip();
  if (at == end || *at != '[') return BadText(text, "expected [number, number, ...]");
  ++at;
  size_t most = 1;
  for (const char* p = at; p != end; ++p) most += *p == ',';
  if (most > kMaxVectorDim) return BadText(text, "too many dimensions");
  float* to = arena->AllocateArray<float>(most);
  uint32_t n = 0;
  for (;;) {
    skip();
    if (at != end && *at == '+') ++at;
    const auto parsed = std::from_chars(at, end, to[n]);
    if (parsed.ec != std::errc()) return BadText(text, n == 0 ? "it has no number" : "expected a number");
    if (!std::isfinite(to[n])) return BadText(text, "NaN and infinity are not allowed");
    ++n;
    at = parsed.ptr;
    skip();
    if (at == end) return BadText(text, "no closing ]");
    const char c = *at++;
    if (c == ']') break;
    if (c != ',') return BadText(text, "expected , or ]");
  }
  skip();
  if (at != end) return BadText(text, "something follows the closing ]");
  *result = Cell::Vector(to, n);
  return absl::OkStatus();
}

absl::Status VectorFromBlob(const Cell& blob, Arena* arena, Cell* result) {
  if (blob.length == 0 || blob.length % sizeof(float) != 0) {
    return BadValueError("cannot read a vector from a blob of ", blob.length, " bytes: expected float32 values, 4 bytes each");
  }
  const uint32_t dim = blob.length / sizeof(float);
  const float* values = reinterpret_cast<const float*>(blob.bytes);
  if (reinterpret_cast<uintptr_t>(blob.bytes) % alignof(float) != 0) {
    float* to = arena->AllocateArray<float>(dim);
    std::memcpy(to, blob.bytes, blob.length);
    values = to;
  }
  *result = Cell::Vector(values, dim);
  return absl::OkStatus();
}

}  // namespace

absl::Status ToVector(const Cell& cell, Arena* arena, Cell* result) {
  switch (cell.type) {
    case StorageClass::kVector: *result = cell; break;
    case StorageClass::kText: return ParseVector(cell.view(), arena, result);
    case StorageClass::kBlob: {
      absl::Status status = VectorFromBlob(cell, arena, result);
      if (!status.ok()) return status;
      break;
    }
    default:
      return BadValueError("a vector is expected (a vector, a blob of float32 or '[1, 2, 3]'), not ",
                           StorageClassName(cell.type));
  }
  if (!vec::ActiveKernels().is_all_finite(reinterpret_cast<const float*>(result->bytes), result->dim())) {
    return BadValueError("a vector holds NaN or infinity");
  }
  return absl::OkStatus();
}

std::string_view VectorToJson(const Cell& vector, Arena* arena) {
  const uint32_t dim = vector.dim();
  constexpr size_t kFloatBytes = 24;  // shortest form of a float32, sign, exponent and comma
  char* start = arena->Allocate(2 + dim * kFloatBytes, 1);
  char* to = start;
  *to++ = '[';
  for (uint32_t i = 0; i < dim; ++i) {
    float value;
    std::memcpy(&value, vector.bytes + i * sizeof(float), sizeof(float));
    if (i != 0) *to++ = ',';
    to = std::to_chars(to, to + kFloatBytes, value).ptr;
  }
  *to++ = ']';
  return {start, static_cast<size_t>(to - start)};
}

}  // namespace turdb::sql
