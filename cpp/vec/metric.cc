#include "vec/metric.h"

namespace turdb::vec {

std::string_view MetricName(Metric metric) {
  switch (metric) {
    case Metric::kL2: return "l2";
    case Metric::kCosine: return "cosine";
    case Metric::kInnerProduct: return "ip";
    case Metric::kL1: return "l1";
    case Metric::kHamming: return "hamming";
  }
  return "unknown";
}

std::optional<Metric> MetricByName(std::string_view name) {
  for (int i = 0; i < kMetricCount; ++i) {
    if (MetricName(static_cast<Metric>(i)) == name) return static_cast<Metric>(i);
  }
  return std::nullopt;
}

}  // namespace turdb::vec
