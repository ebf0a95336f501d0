#include "vec/sq8.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "vec/kernels.h"

namespace turdb::vec {
Sq8Codec::Sq8Codec(Metric metric, uint32_t dim, std::vector<float> mean)
    : metric_(metric), dim_(dim), mean_(std::move(mean)),
      mean_norm_squared_(ActiveKernels().norm_squared(mean_.data(), dim)) {}

Sq8Terms Sq8Codec::Encode(const float* x, uint8_t* codes, float* scratch) const {
  const Kernels& kernels = ActiveKernels();
  if (metric_ == Metric::kCosine) {
    Normalize(x, scratch, dim_);
    x = scratch;
  }
  float low, high;
  kernels.min_max(x, mean_.data(), dim_, &low, &high);
  Sq8Terms terms;
  // Halves before the difference: the range of finite floats may not be a finite float.
  terms.scale = (high / 255.0f) - (low / 255.0f);
  terms.offset = low;
  const float inverse = terms.scale > 0 && std::isnormal(terms.scale) ? 1.0f / terms.scale : 0.0f;
  kernels.encode_u8(x, mean_.data(), low, inverse, dim_, codes);
  std::memset(codes + dim_, 0, padded_dim() - dim_);
  const CodeSums sums = kernels.sum_codes(codes, dim_);
  const double scale = terms.scale, offset = terms.offset, sum = static_cast<double>(sums.sum);
  terms.sum = static_cast<float>(dim_ * offset + scale * sum);
  if (metric_ == Metric::kInnerProduct) {
    terms.bias = -2.0f * kernels.inner_product(mean_.data(), x, dim_);
  } else {
    // The norm of what the codes decode to, so that a vector's key to its own code is zero.
    terms.bias = static_cast<float>(dim_ * offset * offset + 2 * offset * scale * sum +
                                    scale * scale * static_cast<double>(sums.squares));
  }
  return terms;
}

Sq8Query Sq8Codec::EncodeQuery(const float* x, int8_t* codes, float* scratch) const {
  auto* unsigned_codes = reinterpret_cast<uint8_t*>(codes);
  const Sq8Terms terms = Encode(x, unsigned_codes, scratch);
  return QueryOfCode(terms, unsigned_codes, codes);
}

Sq8Query Sq8Codec::QueryOfCode(const Sq8Terms& terms, const uint8_t* vector_codes,
                               int8_t* codes) const {
  const int32_t sum = ActiveKernels().flip_codes(vector_codes, codes, dim_);
  std::memset(codes + dim_, 0, padded_dim() - dim_);
  Sq8Query query;
  query.codes = codes;
  query.padded_dim = padded_dim();
  query.bias = metric_ == Metric::kInnerProduct ? terms.bias + 2.0f * mean_norm_squared_ : terms.bias;
  query.scale_weight = -2.0f * terms.scale;
  query.offset_weight = -2.0f * terms.scale * static_cast<float>(sum);
  query.sum_weight = -2.0f * (terms.offset + 128.0f * terms.scale);
  return query;
}

void Sq8Codec::Decode(const Sq8Terms& terms, const uint8_t* codes, float* x) const {
  for (uint32_t i = 0; i < dim_; ++i) {
    x[i] = mean_[i] + terms.offset + terms.scale * static_cast<float>(codes[i]);
  }
}

Sq8Trainer::Sq8Trainer(Metric metric, uint32_t dim) : metric_(metric), sums_(dim), scratch_(dim) {}

void Sq8Trainer::Add(const float* x) {
  if (metric_ == Metric::kCosine) {
    Normalize(x, scratch_.data(), static_cast<uint32_t>(scratch_.size()));
    x = scratch_.data();
  }
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += x[i];
  ++count_;
}

std::vector<float> Sq8Trainer::Mean() const {
  std::vector<float> mean(sums_.size());
  if (count_ == 0) return mean;
  for (size_t i = 0; i < mean.size(); ++i) mean[i] = static_cast<float>(sums_[i] / static_cast<double>(count_));
  return mean;
}

}  // namespace turdb::vec
