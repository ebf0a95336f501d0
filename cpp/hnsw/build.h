// Build: the graph over all slots of a vector file, made in memory and written out in bulk.
//
// The pages are made in their final form (so that search and linking run on them as they will on the
// mapped file), then appended to the file past the log. Nodes are linked in a shuffled order in
// batches (hnsw/linker.h): the result depends on the vectors, the options and nothing else.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hnsw/graph.h"
#include "hnsw/meta.h"
#include "hnsw/vectors.h"
#include "pager/file_writer.h"

namespace turdb::hnsw {

// All pages of a .hnsw file but page 0 (which is there and zero), 64-byte aligned.
class GraphImage {
 public:
  explicit GraphImage(uint32_t page_count);
  uint32_t page_count() const { return page_count_; }
  uint8_t* Page(uint32_t id) { return bytes_.get() + size_t{id} * format::kPageBytes; }
  const uint8_t* bytes() const { return bytes_.get(); }

 private:
  struct Free {
    void operator()(uint8_t* bytes) const;
  };
  uint32_t page_count_;
  std::unique_ptr<uint8_t[], Free> bytes_;
};

// kBadValue or kDimension for the options, kCorruption when a vector cannot be read, or what progress returned.
absl::StatusOr<GraphImage> BuildImage(const VectorSource& vectors, const GraphOptions& options, int threads,
                                      const Progress& progress, GraphMeta* meta);

// Builds and writes it into a file that has page 0 only.
absl::StatusOr<GraphMeta> Build(const VectorSource& vectors, const GraphOptions& options, int threads,
                                const Progress& progress, pager::FileWriter* writer);

}  // namespace turdb::hnsw
