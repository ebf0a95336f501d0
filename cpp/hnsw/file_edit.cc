#include "hnsw/file_edit.h"

#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::hnsw {

absl::StatusOr<std::unique_ptr<FileEdit>> FileEdit::Open(pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(const GraphMeta meta, ReadMeta(writer->view()));
  return std::unique_ptr<FileEdit>(new FileEdit(writer, meta));
}

FileEdit::FileEdit(pager::FileWriter* writer, const GraphMeta& meta)
    : writer_(writer), meta_(meta), layout_(meta.options.dim, meta.options.m),
      pages_(&writer->view(), writer->view().page_count()), graph_(&pages_, layout_, meta.node_count),
      writable_(writer->view().page_count()) {}

absl::StatusOr<uint8_t*> FileEdit::Page(uint32_t id) {
  if (id >= writable_.size()) return CorruptionError("vector index '", view().path(), "' has no page ", id);
  if (writable_[id] == nullptr) {
    TURDB_ASSIGN_OR_RETURN(writable_[id], writer_->MutablePage(PageId(id)));
    pages_.Set(id, writable_[id]);
  }
  return writable_[id];
}

absl::StatusOr<uint8_t*> FileEdit::Node(uint32_t id) {
  uint32_t offset;
  const uint32_t page_id = layout_.PageOf(id, &offset);
  TURDB_ASSIGN_OR_RETURN(uint8_t* page, Page(page_id));
  return page + offset;
}

absl::Status FileEdit::GrowTo(uint32_t count) {
  const auto old_pages = view().page_count();
  const uint64_t pages = layout_.PageCount(count);
  if (pages > CandidatePool::kExpanded || count > CandidatePool::kExpanded) {
    return TooBigError("vector index '", view().path(), "' cannot hold ", count, " vectors");
  }
  if (pages > old_pages) {
    TURDB_ASSIGN_OR_RETURN(const PageId first, writer_->ExtendZeroed(static_cast<uint32_t>(pages) - old_pages,
                                                                     format::PageKind::kHnswNodes));
    if (first.value() != old_pages) return InternalError("vector index '", view().path(), "' grew at page ", first.value());
    pages_.Grow(static_cast<uint32_t>(pages));
    writable_.assign(pages, nullptr);
    for (uint32_t id = old_pages; id < pages; ++id) {
      TURDB_ASSIGN_OR_RETURN(uint8_t* page, Page(id));
      format::SetPageKind(page, layout_.KindOfPage(id));
    }
  }
  graph_.set_node_count(count);
  return absl::OkStatus();
}

absl::Status FileEdit::WriteMean(const std::vector<float>& mean) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(mean.data());
  const auto size = static_cast<uint32_t>(mean.size() * sizeof(float));
  for (uint32_t at = 0, id = 2; at < size; at += format::kHnswPayloadBytes, ++id) {
    TURDB_ASSIGN_OR_RETURN(uint8_t* page, Page(id));
    std::memcpy(page + format::kHnswDataOffset, bytes + at, std::min(size - at, format::kHnswPayloadBytes));
  }
  return absl::OkStatus();
}

absl::Status FileEdit::Finish() {
  TURDB_ASSIGN_OR_RETURN(uint8_t* page, Page(1));
  EncodeMeta(meta_, page);
  return absl::OkStatus();
}

}  // namespace turdb::hnsw
