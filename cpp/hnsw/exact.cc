#include "hnsw/exact.h"

#include <algorithm>
#include <cmath>

#include "base/status_macros.h"
#include "hnsw/workers.h"
#include "vec/kernels.h"

namespace turdb::hnsw {

using format::kFreeSlotRowId;

namespace {

constexpr uint32_t kKeysAtOnce = 256;
constexpr uint64_t kBytesWorthThreads = 8ull << 20;  // waking a thread costs as much as reading some 100 KB

// Scans slots [first, end) into a list of hits whose distance is still a key.
class Scan {
 public:
  Scan(const VectorSource& vectors, vec::Metric metric, const float* query, const ExactRequest& request)
      : vectors_(vectors), metric_(metric), query_(query), request_(request),
        scratch_(vectors.is_dense() ? 0 : vectors.dim()) {}

  void Run(uint32_t first, uint32_t end) {
    if (!vectors_.is_dense()) {
      for (uint32_t slot = first; slot < end && !is_damaged_; ++slot) OneByOne(slot);
    } else if (request_.filter.words == nullptr) {
      AllOf(first, end);
    } else {
      Matching(first, end);
    }
    KeepNearest(request_.k, &hits_);
  }
  std::vector<Hit>& hits() { return hits_; }
  bool is_damaged() const { return is_damaged_; }
  NodeId damaged_slot() const { return damaged_slot_; }
  uint64_t computed() const { return computed_; }

 private:
  void SetDamaged(uint32_t slot) {
    is_damaged_ = true;
    damaged_slot_ = NodeId(slot);
  }

  bool IsInRadius(float key) const {
    if (request_.radius == std::numeric_limits<float>::infinity()) return true;
    const float distance = vec::DistanceOfKey(metric_, key);
    return request_.is_inclusive ? distance <= request_.radius : distance < request_.radius;
  }

  void Offer(float key, uint32_t slot, int64_t rowid) {
    if (rowid == kFreeSlotRowId || !(key <= worst_) || !IsInRadius(key)) return;
    hits_.push_back({key, NodeId(slot), RowId(rowid)});
    // Cut down when twice too many: an amortised constant a hit, and the bound gets tight soon.
    if (hits_.size() >= 2 * uint64_t{request_.k} + 64) {
      KeepNearest(request_.k, &hits_);
      if (!hits_.empty()) worst_ = hits_.back().distance;
    }
  }

  void AllOf(uint32_t first, uint32_t end) {
    const vec::BatchFn batch = vec::ActiveKernels().batch[static_cast<int>(metric_)];
    float keys[kKeysAtOnce];
    for (uint32_t slot = first; slot < end;) {
      uint32_t run;
      size_t stride;
      const int64_t* rowids = nullptr;
      const float* at = vectors_.Run(NodeId(slot), &run, &stride, &rowids);
      if (at == nullptr) return SetDamaged(slot);
      run = std::min({run, end - slot, kKeysAtOnce});
      if (slot + run < end) vectors_.Prefetch(NodeId(slot + run));
      batch(query_, at, stride, run, vectors_.dim(), keys);
      computed_ += run;
      for (uint32_t i = 0; i < run; ++i) {
        if (keys[i] <= worst_) Offer(keys[i], slot + i, rowids == nullptr ? slot + i : rowids[i]);
      }
      slot += run;
    }
  }

  void Matching(uint32_t first, uint32_t end) {
    const float* pointers[kKeysAtOnce];
    uint32_t slots[kKeysAtOnce];
    float keys[kKeysAtOnce];
    uint32_t n = 0;
    const auto flush = [&] {
      vec::ActiveKernels().gather[static_cast<int>(metric_)](query_, pointers, n, vectors_.dim(), keys);
      computed_ += n;
      for (uint32_t i = 0; i < n; ++i) {
        if (keys[i] <= worst_) Offer(keys[i], slots[i], vectors_.RowIdOf(NodeId(slots[i])));
      }
      n = 0;
    };
    for (uint32_t slot = first; slot < end; ++slot) {
      if (slot % 64 == 0 && slot / 64 < request_.filter.word_count && request_.filter.words[slot / 64] == 0) {
        slot += 63;
        continue;
      }
      if (!request_.filter.Matches(slot)) continue;
      pointers[n] = vectors_.Read(NodeId(slot), nullptr);
      if (pointers[n] == nullptr) return SetDamaged(slot);
      slots[n] = slot;
      if (++n == kKeysAtOnce) flush();
    }
    flush();
  }

  void OneByOne(uint32_t slot) {
    if (!request_.filter.Matches(slot)) return;
    const float* vector = vectors_.Read(NodeId(slot), scratch_.data());
    if (vector == nullptr) return SetDamaged(slot);
    ++computed_;
    const float key = vec::ActiveKernels().distance[static_cast<int>(metric_)](query_, vector, vectors_.dim());
    Offer(key, slot, vectors_.RowIdOf(NodeId(slot)));
  }

  const VectorSource& vectors_;
  const vec::Metric metric_;
  const float* const query_;
  const ExactRequest& request_;
  std::vector<float> scratch_;
  std::vector<Hit> hits_;
  float worst_ = std::numeric_limits<float>::infinity();
  uint64_t computed_ = 0;
  bool is_damaged_ = false;
  NodeId damaged_slot_;
};

}  // namespace

absl::Status ExactSearch(const VectorSource& vectors, vec::Metric metric, const float* query,
                         const ExactRequest& request, std::vector<Hit>* hits, SearchCounters* counters) {
  hits->clear();
  const uint32_t end = std::min(request.end_slot, vectors.slot_count());
  if (request.k == 0 || request.first_slot >= end) return absl::OkStatus();
  const uint32_t count = end - request.first_slot;
  const uint64_t bytes = uint64_t{count} * vectors.layout().vector_bytes();
  const auto threads = bytes < kBytesWorthThreads ? 1u : static_cast<uint32_t>(std::clamp(request.threads, 1, 64));
  std::vector<Scan> scans(threads, Scan(vectors, metric, query, request));
  if (threads == 1) {
    scans[0].Run(request.first_slot, end);
  } else {
    Workers workers(static_cast<int>(threads));
    TURDB_RETURN_IF_ERROR(workers.ForEach(threads, 1, [&](uint32_t i, int) {
      scans[i].Run(request.first_slot + static_cast<uint32_t>(uint64_t{count} * i / threads),
                   request.first_slot + static_cast<uint32_t>(uint64_t{count} * (i + 1) / threads));
    }));
  }
  for (Scan& scan : scans) {
    if (scan.is_damaged()) return vectors.Damage(scan.damaged_slot());
    counters->tail += scan.computed();
    hits->insert(hits->end(), scan.hits().begin(), scan.hits().end());
  }
  KeepNearest(request.k, hits);
  for (Hit& hit : *hits) hit.distance = vec::DistanceOfKey(metric, hit.distance);
  return absl::OkStatus();
}

}  // namespace turdb::hnsw
