// The distance kernels: a table of functions per instruction set, chosen once at run time.
//
// Floats are added in a different order by each table, so keys differ in the last bits between CPUs;
// the integer kernels agree exactly. Pointers need no alignment. NaN and infinity follow IEEE, save
// that a NaN cosine or NaN sum is returned as +infinity (see vec/metric.h).
// Invariant: every function of every table is set. Tables are immutable, so any thread may call;
// SetActiveKernels is for tests and must not run beside other users.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "vec/metric.h"

namespace turdb::vec {

struct Sq8Query;
struct CodeSums {
  uint64_t sum;
  uint64_t squares;
};

// Key of a metric between two float vectors.
using DistanceFn = float (*)(const float* a, const float* b, uint32_t dim);
// Keys between a query and n vectors that begin stride_bytes apart. Prefetches ahead.
using BatchFn = void (*)(const float* query, const void* base, size_t stride_bytes, uint32_t n,
                         uint32_t dim, float* keys);

// Keys between a query and the n vectors pointed to. Prefetches ahead.
using GatherFn = void (*)(const float* query, const float* const* vectors, uint32_t n, uint32_t dim, float* keys);

struct Kernels {
  std::string_view name;

  DistanceFn distance[kMetricCount];  // by Metric
  BatchFn batch[kMetricCount];
  GatherFn gather[kMetricCount];

  float (*inner_product)(const float* a, const float* b, uint32_t dim);  // the plain sum, NaN kept
  float (*norm_squared)(const float* a, uint32_t dim);
  void (*scale)(const float* from, float factor, float* to, uint32_t dim);  // from == to is fine
  bool (*is_all_finite)(const float* a, size_t n);
  uint64_t (*hamming_bits)(const uint8_t* a, const uint8_t* b, size_t bytes);

  void (*half_to_float)(const uint16_t* from, float* to, size_t n);
  void (*float_to_half)(const float* from, uint16_t* to, size_t n);  // to nearest even
  void (*double_to_float)(const double* from, float* to, size_t n);

  // SQ8 (vec/sq8.h). The sum of codes[i] * query[i], exact.
  int32_t (*dot_u8s8)(const uint8_t* codes, const int8_t* query, uint32_t n);
  // Keys of n vectors: nodes[i] points to padded_dim codes, which Sq8Terms follow.
  void (*sq8_keys)(const Sq8Query& query, const uint8_t* const* nodes, uint32_t n, float* keys);
  float (*sq8_key)(const Sq8Query& query, const uint8_t* node);
  // The smallest and largest of x - mean.
  void (*min_max)(const float* x, const float* mean, uint32_t dim, float* low, float* high);
  // codes[i] = round((x[i] - mean[i] - offset) * inverse_scale), clamped to 0..255.
  void (*encode_u8)(const float* x, const float* mean, float offset, float inverse_scale,
                    uint32_t dim, uint8_t* codes);
  CodeSums (*sum_codes)(const uint8_t* codes, uint32_t n);
  // to[i] = codes[i] - 128; returns their sum.
  int32_t (*flip_codes)(const uint8_t* codes, int8_t* to, uint32_t n);
};

// The fastest table that this CPU runs: "avx512", "avx2", "neon" or "scalar".
const Kernels& ActiveKernels();
// nullptr when the CPU (or the build) does not have it.
const Kernels* KernelsByName(std::string_view name);
std::vector<std::string_view> AvailableKernels();
// Overrides the choice; false and no change when the name is not available. For tests.
bool SetActiveKernels(std::string_view name);

// The distance that users see (see DistanceOfKey).
inline float Distance(Metric metric, const float* a, const float* b, uint32_t dim) {
  return DistanceOfKey(metric, ActiveKernels().distance[static_cast<int>(metric)](a, b, dim));
}
// to = from / |from|, zero for a zero vector. Returns |from|.
float Normalize(const float* from, float* to, uint32_t dim);

namespace internal {
extern const Kernels* const kScalarKernels;
extern const Kernels* const kAvx2Kernels;    // nullptr off x86
extern const Kernels* const kAvx512Kernels;  // nullptr off x86
extern const Kernels* const kNeonKernels;    // nullptr off 64-bit ARM
extern const Kernels* const kNeonDotKernels;
}  // namespace internal

}  // namespace turdb::vec
