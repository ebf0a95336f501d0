#include "hnsw/meta.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::hnsw {

using format::HnswLayout;

absl::Status CheckOptions(const GraphOptions& options) {
  if (options.m < format::kHnswMinM || options.m > format::kHnswMaxM) {
    return BadValueError("hnsw: m must be between ", format::kHnswMinM, " and ", format::kHnswMaxM, ", not ", options.m);
  }
  if (options.ef_construction < 4 || options.ef_construction > 10000) {
    return BadValueError("hnsw: ef_construction must be between 4 and 10000, not ", options.ef_construction);
  }
  if (options.metric != vec::Metric::kL2 && options.metric != vec::Metric::kCosine &&
      options.metric != vec::Metric::kInnerProduct) {
    return BadValueError("hnsw: an index orders by l2, cosine or ip, not ", vec::MetricName(options.metric));
  }
  if (!HnswLayout::Fits(options.dim, options.m)) {
    return DimensionError("hnsw: an index with m = ", options.m, " takes 1 to ", HnswLayout::MaxDim(options.m),
                          " dimensions, not ", options.dim);
  }
  return absl::OkStatus();
}

void EncodeMeta(const GraphMeta& meta, uint8_t* page) {
  page[format::kHnswCodeKind] = format::kHnswCodeSq8;
  page[format::kHnswMetric] = static_cast<uint8_t>(meta.options.metric);
  Store<uint16_t>(page + format::kHnswM, static_cast<uint16_t>(meta.options.m));
  Store<uint32_t>(page + format::kHnswDim, meta.options.dim);
  Store<uint32_t>(page + format::kHnswEfConstruction, meta.options.ef_construction);
  Store<uint32_t>(page + format::kHnswNodeCount, meta.node_count);
  Store<uint32_t>(page + format::kHnswPresentCount, meta.present_count);
  Store<uint32_t>(page + format::kHnswDeletedCount, meta.deleted_count);
  Store<uint32_t>(page + format::kHnswEntry, meta.entry.node);
  Store<uint32_t>(page + format::kHnswTopLevel, meta.entry.top_level);
  Store<uint64_t>(page + format::kHnswSeed, meta.options.seed);
  Store<uint64_t>(page + format::kHnswTrainedCount, meta.trained_count);
  Store<uint32_t>(page + format::kHnswUnrepaired, meta.unrepaired_count);
}

absl::StatusOr<GraphMeta> DecodeMeta(const uint8_t* page, uint32_t page_count, const std::string& path) {
  const auto damaged = [&](std::string_view what) {
    return CorruptionError("vector index '", path, "', page 1: ", what);
  };
  if (format::PageKindOf(page) != format::PageKind::kHnswHeader) return damaged("not the header of a vector index");
  if (page[format::kHnswCodeKind] != format::kHnswCodeSq8) {
    return NewerFormatError("vector index '", path, "' uses a code that this version of turdb does not know");
  }
  GraphMeta meta;
  meta.options.metric = static_cast<vec::Metric>(page[format::kHnswMetric]);
  meta.options.m = Load<uint16_t>(page + format::kHnswM);
  meta.options.dim = Load<uint32_t>(page + format::kHnswDim);
  meta.options.ef_construction = Load<uint32_t>(page + format::kHnswEfConstruction);
  meta.node_count = Load<uint32_t>(page + format::kHnswNodeCount);
  meta.present_count = Load<uint32_t>(page + format::kHnswPresentCount);
  meta.deleted_count = Load<uint32_t>(page + format::kHnswDeletedCount);
  meta.entry = {Load<uint32_t>(page + format::kHnswEntry), Load<uint32_t>(page + format::kHnswTopLevel)};
  meta.options.seed = Load<uint64_t>(page + format::kHnswSeed);
  meta.trained_count = Load<uint64_t>(page + format::kHnswTrainedCount);
  meta.unrepaired_count = Load<uint32_t>(page + format::kHnswUnrepaired);
  if (!CheckOptions(meta.options).ok()) return damaged("parameters out of range");
  const HnswLayout layout(meta.options.dim, meta.options.m);
  if (meta.node_count > CandidatePool::kExpanded || layout.PageCount(meta.node_count) > page_count) {
    return damaged("more nodes than pages");
  }
  if (meta.present_count > meta.node_count || meta.deleted_count > meta.present_count) return damaged("counts disagree");
  const bool has_entry = meta.entry.node != format::kNoNode;
  if (has_entry != (meta.present_count > 0) || (has_entry && meta.entry.node >= meta.node_count) ||
      meta.entry.top_level > format::kHnswMaxLevel) {
    return damaged("the entry point is out of range");
  }
  return meta;
}

absl::StatusOr<GraphMeta> ReadMeta(const pager::FileView& view) {
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, view.PageOfKind(PageId(1), format::PageKind::kHnswHeader));
  return DecodeMeta(page, view.page_count(), view.path());
}

absl::StatusOr<vec::Sq8Codec> ReadCodec(const pager::FileView& view, const GraphMeta& meta) {
  const uint32_t bytes = meta.options.dim * 4;
  std::vector<float> mean(meta.options.dim);
  for (uint32_t at = 0, id = 2; at < bytes; at += format::kHnswPayloadBytes, ++id) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, view.PageOfKind(PageId(id), format::PageKind::kHnswHeader));
    std::memcpy(reinterpret_cast<uint8_t*>(mean.data()) + at, page + format::kHnswDataOffset,
                std::min(bytes - at, format::kHnswPayloadBytes));
  }
  for (const float value : mean) {
    if (!std::isfinite(value)) return CorruptionError("vector index '", view.path(), "', page 2: the mean is not finite");
  }
  return vec::Sq8Codec(meta.options.metric, meta.options.dim, std::move(mean));
}

}  // namespace turdb::hnsw
