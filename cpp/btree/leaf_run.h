// LeafRun: new leaf pages of a bulk load on their way to the file.
//
// Leaves are gathered; when there are many they are reserved and written directly, a megabyte at a time, by a thread of their own
// while the next are laid out; else they become private pages as any other. Their ids are known only then, so the tree takes them
// in by callback.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <future>

#include "absl/status/status.h"
#include "pager/file_writer.h"

namespace turdb::btree {

class LeafRun {
 public:
  // link(i, id): leaf i of this run's leaves (counted from 0 over its whole life) is page id. In order.
  using Link = std::function<absl::Status(uint64_t leaf, PageId id)>;

  LeafRun(pager::FileWriter* writer, format::PageKind kind, Link link);
  ~LeafRun();
  LeafRun(const LeafRun&) = delete;

  // Takes a copy of a whole page.
  absl::Status Add(const uint8_t* page);
  absl::Status Finish();  // writes what is left

 private:
  absl::Status FlushDirect();
  absl::Status Await();  // the batch that is being written
  absl::Status FlushPrivate();

  static constexpr uint32_t kBatchPages = 64;
  pager::FileWriter* const writer_;
  const format::PageKind kind_;
  const Link link_;
  uint8_t* pages_ = nullptr;    // kBatchPages, 64-byte aligned
  uint8_t* written_ = nullptr;  // the same: the batch before
  std::future<absl::Status> writing_;
  uint32_t n_ = 0;
  uint64_t linked_ = 0;
  bool is_direct_ = false;  // a batch went out, so this is a big load
};

}  // namespace turdb::btree
