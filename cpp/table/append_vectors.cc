// VectorColumnWriter::Append: many vectors at once.
//
// Slots that fall into pages which exist already are written there; the rest fills whole new pages in buffers that go
// straight to the file. Each vector's bytes are copied once, by the thread that also checksums and writes its page.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>

#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/status_macros.h"
#include "table/vector_column_writer.h"

namespace turdb::table {
namespace {

// Pages a thread fills before it writes them: 1 MiB, so that the copy is still in the cache when it is written.
constexpr uint32_t kChunkPages = 64;
// Below this a second thread costs more than it saves.
constexpr uint32_t kMinPagesPerThread = 256;
constexpr uint32_t kMaxThreads = 4;

struct AlignedDelete {
  void operator()(uint8_t* bytes) const { ::operator delete(bytes, std::align_val_t(64)); }
};
using PageBuffer = std::unique_ptr<uint8_t, AlignedDelete>;
PageBuffer NewPageBuffer(uint32_t pages) {
  return PageBuffer(static_cast<uint8_t*>(::operator new(size_t{pages} * format::kPageBytes, std::align_val_t(64))));
}

struct Source {
  const int64_t* rowids;
  const float* vectors;
  size_t stride;
  uint32_t rows;
};

// A page of vectors [first, first + n) of the source; what follows them is zero, row ids of unused slots free.
void FillPage(const format::VecLayout& layout, const Source& from, uint32_t first, uint8_t* page) {
  const uint32_t n = std::min(layout.vectors_per_page(), from.rows - first);
  std::memset(page, 0, format::kPageHeaderBytes);
  format::SetPageKind(page, format::PageKind::kVectorData);
  uint8_t* at = page + format::kVecPageHeaderBytes;
  std::memcpy(at, from.rowids + first, size_t{n} * 8);
  at += size_t{n} * 8;
  for (uint32_t i = n; i < layout.vectors_per_page(); ++i, at += 8) Store<int64_t>(at, format::kFreeSlotRowId);
  std::memset(at, 0, page + layout.DataOffset() - at);
  at = page + layout.DataOffset();
  const float* vector = from.vectors + first * from.stride;
  if (from.stride * sizeof(float) == layout.stride()) {
    std::memcpy(at, vector, size_t{n} * layout.stride());
  } else {
    for (uint32_t i = 0; i < n; ++i) std::memcpy(at + size_t{i} * layout.stride(), vector + i * from.stride, layout.vector_bytes());
  }
  at += size_t{n} * layout.stride();
  std::memset(at, 0, page + format::kPageBytes - at);
}

// The pages of one vector too long for a page.
void FillSpan(const format::VecLayout& layout, const Source& from, uint32_t row, uint8_t* pages) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(from.vectors + row * from.stride);
  for (uint32_t i = 0; i < layout.pages_per_vector(); ++i) {
    uint8_t* page = pages + size_t{i} * format::kPageBytes;
    std::memset(page, 0, format::kPageBytes);
    format::SetPageKind(page, format::PageKind::kVectorData);
    if (i == 0) Store<int64_t>(page + format::kVecPageHeaderBytes, from.rowids[row]);
    const uint32_t done = i * format::kSpanPayloadBytes;
    std::memcpy(page + format::kSpanDataOffset, bytes + done, std::min(format::kSpanPayloadBytes, layout.vector_bytes() - done));
  }
}

// What several threads share: the next group (of pages_per_vector pages) to fill, and the first error.
class PageFiller {
 public:
  PageFiller(const format::VecLayout& layout, const Source& from, PageId first_page, pager::FileWriter* writer)
      : layout_(layout), from_(from), first_page_(first_page), writer_(writer),
        groups_((from.rows + layout.vectors_per_page() - 1) / layout.vectors_per_page()) {}

  void Run() {
    Report(OrOutOfMemory([this] {
      Fill();
      return absl::OkStatus();
    }));
  }
  absl::Status TakeStatus() {
    std::lock_guard<std::mutex> guard(mutex_);
    return status_;
  }

 private:
  void Fill() {
    const uint32_t per_group = layout_.pages_per_vector();
    const uint32_t chunk = std::max(1u, kChunkPages / per_group);
    const PageBuffer buffer = NewPageBuffer(chunk * per_group);
    while (!failed_.load(std::memory_order_relaxed)) {
      const uint32_t first = next_.fetch_add(chunk, std::memory_order_relaxed);
      if (first >= groups_) return;
      const uint32_t n = std::min(chunk, groups_ - first);
      for (uint32_t i = 0; i < n; ++i) {
        uint8_t* pages = buffer.get() + size_t{i} * per_group * format::kPageBytes;
        if (layout_.spans_pages()) FillSpan(layout_, from_, first + i, pages);
        else FillPage(layout_, from_, (first + i) * layout_.vectors_per_page(), pages);
      }
      Report(writer_->WriteDirect(first_page_ + first * per_group, n * per_group, buffer.get()));
    }
  }
  void Report(const absl::Status& status) {
    if (status.ok()) return;
    std::lock_guard<std::mutex> guard(mutex_);
    status_ = status;
    failed_ = true;
  }

  const format::VecLayout& layout_;
  const Source& from_;
  const PageId first_page_;
  pager::FileWriter* const writer_;
  const uint32_t groups_;
  std::atomic<uint32_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  absl::Status status_;  // guarded by mutex_
};

}  // namespace

absl::StatusOr<NodeId> VectorColumnWriter::Append(const int64_t* rowids, const float* vectors, size_t stride, uint32_t rows) {
  TURDB_ASSIGN_OR_RETURN(const NodeId first, NextSlot());
  if (uint64_t{first.value()} + rows >= UINT32_MAX) return TooBigError("column ", column_.name, ": no vector slots are left");
  const uint64_t room = layout_.SlotCapacity(writer_->view().page_count());
  const auto in_old_pages = static_cast<uint32_t>(std::min<uint64_t>(rows, room > first.value() ? room - first.value() : 0));
  for (uint32_t i = 0; i < in_old_pages; ++i) {
    TURDB_RETURN_IF_ERROR(Write(first + i, RowId(rowids[i]), vectors + i * stride));
  }
  if (in_old_pages < rows) {
    const uint64_t pages = layout_.PageCount(uint64_t{first.value()} + rows) - writer_->view().page_count();
    TURDB_ASSIGN_OR_RETURN(const PageId first_page, writer_->ExtendDirect(static_cast<uint32_t>(pages)));
    TURDB_RETURN_IF_ERROR(AppendPages(first_page, static_cast<uint32_t>(pages), rowids + in_old_pages,
                                      vectors + in_old_pages * stride, stride, rows - in_old_pages));
  }
  TURDB_RETURN_IF_ERROR(AddToCounts(rows, rows));
  return first;
}

absl::Status VectorColumnWriter::AppendPages(PageId first_page, uint32_t pages, const int64_t* rowids, const float* vectors,
                                             size_t stride, uint32_t rows) {
  const Source from{rowids, vectors, stride, rows};
  PageFiller filler(layout_, from, first_page, writer_);
  const uint32_t threads = std::clamp(std::min(pages / kMinPagesPerThread, std::thread::hardware_concurrency()), 1u, kMaxThreads);
  std::vector<std::thread> helpers;
  helpers.reserve(threads);
  for (uint32_t i = 1; i < threads && TryStartThread(&helpers, [&filler] { filler.Run(); }); ++i) {
  }
  filler.Run();
  for (std::thread& helper : helpers) helper.join();
  return filler.TakeStatus();
}

}  // namespace turdb::table
