// SQ8: a vector as one byte a dimension with a scale and an offset of its own.
//
// Scheme (after LVQ, Aguerrebere et al., VLDB 2023): subtract the mean of the data, then spread each
// vector's own [min, max] over 0..255. Measured on the Debian set (63,666 sentence embeddings, 384
// dimensions), recall@10 of a scan over the codes alone: this 0.997, global min/max 0.994, and with
// 20 candidates re-ranked by floats 1.000 (docs/decisions/0003-vector-codes.md). A trained range per
// dimension would need the query multiplied by it, and distances between two codes would no longer
// be one integer product; the per-vector range also survives data that drifts after training.
//
// With x' = x - mean ~ offset + scale * c, and a query (which is encoded just as a vector, its codes
// shifted by 128 to int8 for the sake of VNNI and SDOT) q' ~ o + s * d:
//   q'.x' ~ o * sum_x + offset * s * sum(d) + scale * s * dot(c, d)
//   key   = bias_q + bias_x - 2 q'.x'
// where sum_x is the sum of the decoded x', and bias is |x'|^2 for L2 and cosine (whose vectors are
// normalised first: the key is then twice the cosine distance), and -2 mean.x for the inner product
// (the key is then -2 q.x). So any key is one integer product and three multiply-adds.
// Immutable after training; any thread may encode.
#pragma once

#include <cstdint>
#include <vector>

#include "vec/metric.h"

namespace turdb::vec {

// What stands behind the (padded) codes of a vector, on disk too.
struct Sq8Terms {
  float scale;
  float offset;
  float sum;
  float bias;
};
static_assert(sizeof(Sq8Terms) == 16);

// A query ready for Kernels::sq8_keys. key = bias + x.bias + scale_weight * x.scale * dot
// + offset_weight * x.offset + sum_weight * x.sum.
struct Sq8Query {
  const int8_t* codes = nullptr;
  uint32_t padded_dim = 0;  // codes of both sides are zero-padded to this
  float bias = 0;
  float scale_weight = 0;
  float offset_weight = 0;
  float sum_weight = 0;
};

class Sq8Codec {
 public:
  // Codes are padded with zeros to a multiple of 64, which is a cache line and an AVX-512 register.
  static constexpr uint32_t kCodeAlignment = 64;
  static uint32_t PaddedDim(uint32_t dim) { return (dim + kCodeAlignment - 1) & ~(kCodeAlignment - 1); }

  // REQUIRES metric is L2, cosine or inner product; mean has dim floats.
  Sq8Codec(Metric metric, uint32_t dim, std::vector<float> mean);

  Metric metric() const { return metric_; }
  uint32_t dim() const { return dim_; }
  uint32_t padded_dim() const { return PaddedDim(dim_); }
  const std::vector<float>& mean() const { return mean_; }

  // Writes the codes (padded_dim bytes). `scratch` takes dim floats.
  Sq8Terms Encode(const float* x, uint8_t* codes, float* scratch) const;
  // Encodes a query; `codes` takes padded_dim bytes and must outlive the result.
  Sq8Query EncodeQuery(const float* x, int8_t* codes, float* scratch) const;
  // The query that an encoded vector makes: its key to another is their distance by codes.
  Sq8Query QueryOfCode(const Sq8Terms& terms, const uint8_t* vector_codes, int8_t* codes) const;
  // The vector that the codes stand for (mean added; normalised for cosine).
  void Decode(const Sq8Terms& terms, const uint8_t* codes, float* x) const;

 private:
  Metric metric_;
  uint32_t dim_;
  std::vector<float> mean_;
  float mean_norm_squared_;
};

// Gathers the mean that a codec centres by. For cosine the vectors are normalised on the way.
class Sq8Trainer {
 public:
  Sq8Trainer(Metric metric, uint32_t dim);
  void Add(const float* x);
  uint64_t count() const { return count_; }
  std::vector<float> Mean() const;  // zero when nothing was added

 private:
  Metric metric_;
  uint64_t count_ = 0;
  std::vector<double> sums_;
  std::vector<float> scratch_;
};

}  // namespace turdb::vec
