// GraphMeta: page 1 of a .hnsw file in memory, and the codec that the file's mean makes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "format/hnsw_page.h"
#include "hnsw/traverse.h"
#include "pager/file_view.h"
#include "vec/metric.h"
#include "vec/sq8.h"

namespace turdb::hnsw {

// What the user chose at CREATE INDEX.
struct GraphOptions {
  vec::Metric metric = vec::Metric::kCosine;
  uint32_t dim = 0;
  uint32_t m = 16;
  uint32_t ef_construction = 200;
  uint64_t seed = 42;
};

// BadValueError for m, ef_construction or a metric out of range, DimensionError for too many dimensions.
absl::Status CheckOptions(const GraphOptions& options);

struct GraphMeta {
  GraphOptions options;
  uint32_t node_count = 0;     // slots [0, node_count) were absorbed; later ones are the tail
  uint32_t present_count = 0;  // nodes in the graph, deleted ones too
  uint32_t deleted_count = 0;
  Entry entry;
  uint64_t trained_count = 0;
  uint32_t unrepaired_count = 0;

  uint32_t live_count() const { return present_count - deleted_count; }
};

// Called between batches with how many of how many nodes are done; an error stops the work and is returned.
using Progress = std::function<absl::Status(uint64_t done, uint64_t total)>;

void EncodeMeta(const GraphMeta& meta, uint8_t* page);
// CorruptionError that names `path` when a field is out of range for a file of `page_count` pages.
absl::StatusOr<GraphMeta> DecodeMeta(const uint8_t* page, uint32_t page_count, const std::string& path);
absl::StatusOr<GraphMeta> ReadMeta(const pager::FileView& view);

// Which byte range of the mean is on its i-th page.
absl::StatusOr<vec::Sq8Codec> ReadCodec(const pager::FileView& view, const GraphMeta& meta);

}  // namespace turdb::hnsw
