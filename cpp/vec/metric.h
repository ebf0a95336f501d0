// The metrics, and how a kernel's sort key becomes the distance that users see.
//
// Kernels return keys: numbers that order as the distances do and are cheaper (the squared L2). A
// key that is NaN (cosine with a zero vector) is +infinity, so that comparisons stay a total order.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace turdb::vec {

// The values are on disk.
enum class Metric : uint8_t { kL2 = 0, kCosine = 1, kInnerProduct = 2, kL1 = 3, kHamming = 4 };
inline constexpr int kMetricCount = 5;

// "l2", "cosine", "ip", "l1", "hamming".
std::string_view MetricName(Metric metric);
std::optional<Metric> MetricByName(std::string_view name);

// L2: the root; cosine: 1 - cos, NaN where a vector is zero; ip: the negative inner product;
// L1: the sum; Hamming: how many elements differ.
inline float DistanceOfKey(Metric metric, float key) {
  if (metric == Metric::kL2) return std::sqrt(key);
  if (metric == Metric::kCosine && std::isinf(key)) return std::numeric_limits<float>::quiet_NaN();
  return key;
}

}  // namespace turdb::vec
