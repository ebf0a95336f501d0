// Build: the graph over all slots of a vector file, made in memory and written out in bulk.
//
// The pages are made in their final form (so that search and linking run on them as they will on the
// mapped file), then appended to the file past the log. A graph larger than the memory allowed for it is made in a mapped file
// without a name, which the operating system writes out when it needs the memory. Nodes are linked in a shuffled order in
// batches (hnsw/linker.h): the result depends on the vectors, the options and nothing else.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/temp_file.h"
#include "hnsw/graph.h"
#include "hnsw/meta.h"
#include "hnsw/vectors.h"
#include "pager/file_writer.h"

namespace turdb::hnsw {

// Memory that a graph may take while it is made, and where it lies when that is not enough.
struct ImageSpace {
  env::TempPlace place;  // no env: always in memory
  uint64_t memory_bytes = ~uint64_t{0};
};

// All pages of a .hnsw file but page 0 (which is there and zero), 64-byte aligned.
class GraphImage {
 public:
  // Zero pages. kOutOfMemory; kDiskFull, kIo when they are in a file.
  static absl::StatusOr<GraphImage> New(uint32_t page_count, const ImageSpace& space);
  GraphImage() = default;

  uint32_t page_count() const { return page_count_; }
  uint8_t* Page(uint32_t id) { return bytes_ + size_t{id} * format::kPageBytes; }
  const uint8_t* bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(uint8_t* bytes) const;
  };
  uint32_t page_count_ = 0;
  uint8_t* bytes_ = nullptr;  // of one of the two
  std::unique_ptr<uint8_t[], Free> memory_;
  std::unique_ptr<env::SpillFile> file_;
};

// kBadValue or kDimension for the options, kCorruption when a vector cannot be read, or what progress returned.
absl::StatusOr<GraphImage> BuildImage(const VectorSource& vectors, const GraphOptions& options, int threads,
                                      const Progress& progress, GraphMeta* meta, const ImageSpace& space = {});

// Builds and writes it into a file that has page 0 only.
absl::StatusOr<GraphMeta> Build(const VectorSource& vectors, const GraphOptions& options, int threads,
                                const Progress& progress, pager::FileWriter* writer, const ImageSpace& space = {});

}  // namespace turdb::hnsw
