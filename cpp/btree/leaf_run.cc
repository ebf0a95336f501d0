#include "btree/leaf_run.h"

#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::btree {

using format::kPageBytes;
using format::kPageHeaderBytes;

namespace {

// Runs the job in another thread, or at once where there is none to be had.
absl::Status Start(pager::FileWriter::WriteJob job, std::future<absl::Status>* running) {
  try {
    *running = std::async(std::launch::async, job);
    return absl::OkStatus();
  } catch (const std::system_error&) {
    return job();
  }
}

}  // namespace

LeafRun::LeafRun(pager::FileWriter* writer, format::PageKind kind, Link link)
    : writer_(writer), kind_(kind), link_(std::move(link)) {}

LeafRun::~LeafRun() {
  if (writing_.valid()) writing_.wait();
  std::free(pages_);
  std::free(written_);
}

absl::Status LeafRun::Await() { return writing_.valid() ? writing_.get() : absl::OkStatus(); }

absl::Status LeafRun::Add(const uint8_t* page) {
  if (n_ == kBatchPages) TURDB_RETURN_IF_ERROR(FlushDirect());  // may leave this without a batch
  if (pages_ == nullptr) {
    pages_ = static_cast<uint8_t*>(std::aligned_alloc(64, kBatchPages * kPageBytes));
    if (pages_ == nullptr) return OutOfMemoryError("loading rows: out of memory");
  }
  uint8_t* to = pages_ + n_++ * kPageBytes;
  std::memcpy(to, page, kPageBytes);
  std::memset(to, 0, kPageHeaderBytes);
  SetPageKind(to, kind_);
  return absl::OkStatus();
}

absl::Status LeafRun::FlushDirect() {
  TURDB_RETURN_IF_ERROR(Await());
  TURDB_ASSIGN_OR_RETURN(const PageId first, writer_->ExtendDirect(n_));
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter::WriteJob job, writer_->BeginWriteDirect(first, n_, pages_));
  if (job != nullptr) {
    TURDB_RETURN_IF_ERROR(Start(std::move(job), &writing_));
    std::swap(pages_, written_);
  }
  const uint32_t n = n_;
  n_ = 0;
  is_direct_ = true;
  for (uint32_t i = 0; i < n; ++i) TURDB_RETURN_IF_ERROR(link_(linked_++, first + i));
  return absl::OkStatus();
}

absl::Status LeafRun::FlushPrivate() {
  const uint32_t n = n_;
  n_ = 0;
  for (uint32_t i = 0; i < n; ++i) {
    TURDB_ASSIGN_OR_RETURN(const PageId id, writer_->Allocate(kind_));
    TURDB_ASSIGN_OR_RETURN(uint8_t* const to, writer_->MutablePage(id));
    std::memcpy(to + kPageHeaderBytes, pages_ + i * kPageBytes + kPageHeaderBytes, kPageBytes - kPageHeaderBytes);
    TURDB_RETURN_IF_ERROR(link_(linked_++, id));
  }
  return absl::OkStatus();
}

absl::Status LeafRun::Finish() {
  if (n_ > 0) TURDB_RETURN_IF_ERROR(is_direct_ ? FlushDirect() : FlushPrivate());
  return Await();
}

}  // namespace turdb::btree
