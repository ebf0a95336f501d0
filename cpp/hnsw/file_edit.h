// FileEdit: a graph in a transaction's private pages, open for writing.
//
// Pages that were written are found at once, by this and by the Graph that reads beside it; phases that read
// from several threads must not run while one writes.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hnsw/graph.h"
#include "hnsw/linker.h"
#include "hnsw/meta.h"
#include "pager/file_writer.h"

namespace turdb::hnsw {

class FileEdit final : public PageEdit {
 public:
  // Reads the header. `writer` must outlive this; nothing else may write the file meanwhile.
  static absl::StatusOr<std::unique_ptr<FileEdit>> Open(pager::FileWriter* writer);

  absl::StatusOr<uint8_t*> Page(uint32_t id) override;
  absl::StatusOr<uint8_t*> Node(uint32_t id);  // writable

  // The header as it is to become; Finish writes it.
  GraphMeta& meta() { return meta_; }
  const format::HnswLayout& layout() const { return layout_; }
  Graph<PagePointers>& graph() { return graph_; }
  const pager::FileView& view() const { return writer_->view(); }

  // Makes room for nodes [0, count) and lets the graph see them (as free slots, where they are new).
  absl::Status GrowTo(uint32_t count);
  absl::Status WriteMean(const std::vector<float>& mean);
  absl::Status Finish();

 private:
  FileEdit(pager::FileWriter* writer, const GraphMeta& meta);

  pager::FileWriter* writer_;
  GraphMeta meta_;
  format::HnswLayout layout_;
  PagePointers pages_;
  Graph<PagePointers> graph_;
  std::vector<uint8_t*> writable_;
};

}  // namespace turdb::hnsw
