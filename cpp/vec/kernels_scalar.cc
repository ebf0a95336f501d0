// Kernels in plain C++: the ones every CPU runs, and the reference the others are tested against.
#include <cstddef>
#include <cstdint>

#include "vec/half.h"
#include "vec/kernels.h"
#include "vec/sq8.h"

namespace turdb::vec {
namespace {

struct Isa {
  // A "vector" of four floats, which the compiler maps to whatever the baseline has.
  static constexpr uint32_t kWidth = 4;
  typedef float V __attribute__((vector_size(16)));

  static V Load(const float* p) {
    V v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
  }
  static V LoadPart(const float* p, uint32_t n) {
    V v = Zero();
    for (uint32_t i = 0; i < n; ++i) __builtin_memcpy(reinterpret_cast<char*>(&v) + i * sizeof(float), p + i, sizeof(float));
    return v;
  }
  static V Zero() { return V{}; }
  static V Set1(float x) { return V{x, x, x, x}; }
  static V Add(V a, V b) { return a + b; }
  static V Sub(V a, V b) { return a - b; }
  static V Mul(V a, V b) { return a * b; }
  static V Fma(V a, V b, V c) { return a * b + c; }
  static V Abs(V a) {
    for (uint32_t i = 0; i < kWidth; ++i) a[i] = __builtin_fabsf(a[i]);
    return a;
  }
  static V Min(V a, V b) {
    for (uint32_t i = 0; i < kWidth; ++i) a[i] = b[i] < a[i] ? b[i] : a[i];
    return a;
  }
  static V Max(V a, V b) {
    for (uint32_t i = 0; i < kWidth; ++i) a[i] = b[i] > a[i] ? b[i] : a[i];
    return a;
  }
  static float Sum(V a) { return (a[0] + a[2]) + (a[1] + a[3]); }
  static float MinOf(V a) {
    float low = a[0];
    for (uint32_t i = 1; i < kWidth; ++i) low = a[i] < low ? a[i] : low;
    return low;
  }
  static float MaxOf(V a) {
    float high = a[0];
    for (uint32_t i = 1; i < kWidth; ++i) high = a[i] > high ? a[i] : high;
    return high;
  }
  static uint32_t CountUnequal(V a, V b) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < kWidth; ++i) count += a[i] != b[i];
    return count;
  }
  static void StoreU8(V a, uint8_t* to) {
    for (uint32_t i = 0; i < kWidth; ++i) {
      const float x = a[i] > 0 ? (a[i] < 255 ? a[i] : 255.0f) : 0.0f;
      to[i] = static_cast<uint8_t>(__builtin_rintf(x));
    }
  }
  static int32_t DotU8S8(const uint8_t* codes, const int8_t* query, uint32_t n) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < n; ++i) sum += static_cast<int32_t>(codes[i]) * query[i];
    return sum;
  }
  static void HalfToFloat(const uint16_t* from, float* to, size_t n) {
    for (size_t i = 0; i < n; ++i) to[i] = HalfToFloatOne(from[i]);
  }
  static void FloatToHalf(const float* from, uint16_t* to, size_t n) {
    for (size_t i = 0; i < n; ++i) to[i] = FloatToHalfOne(from[i]);
  }
};

#include "vec/kernels_impl.h"

constexpr Kernels kTable = MakeTable("scalar");

}  // namespace

namespace internal {
const Kernels* const kScalarKernels = &kTable;
}  // namespace internal
}  // namespace turdb::vec
