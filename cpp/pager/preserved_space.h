// PreservedSpace: the disk space of pages that checkpoints have overwritten and old snapshots still show.
//
// A nameless file of runs of pages; a run is given back when the last map that shows it is gone, and its disk space with
// it. One a store. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "base/intrusive_ptr.h"
#include "env/env.h"
#include "format/page.h"

namespace turdb::pager {

class PreservedRun;

class PreservedSpace : public RefCounted<PreservedSpace> {
 public:
  PreservedSpace(env::Env* env, std::string directory);

  // Stores n pages. Null where the env has no spill files. kDiskFull, kIo.
  absl::StatusOr<IntrusivePtr<PreservedRun>> Add(const uint8_t* pages, uint32_t n);
  uint64_t n_pages() const;  // stored now
  // Ranges that maps of this store have redirected; the operating system bounds how many a process may have.
  uint32_t n_ranges() const;
  void CountRanges(int32_t difference);

 private:
  friend class PreservedRun;
  uint64_t TakeLocked(uint32_t n);
  void GiveLocked(uint64_t first, uint32_t n);
  void Give(uint64_t first, uint32_t n);

  env::Env* const env_;
  const std::string directory_;
  const uint64_t process_id_;

  mutable std::mutex mutex_;
  std::unique_ptr<env::SpillFile> file_;
  std::map<uint64_t, uint64_t> free_;  // first page -> number of pages; neighbours are joined
  uint64_t n_file_pages_ = 0;
  uint64_t n_stored_ = 0;
  uint32_t n_ranges_ = 0;
};

// Pages that lie together in the space. Immutable.
class PreservedRun : public RefCounted<PreservedRun> {
 public:
  PreservedRun(IntrusivePtr<PreservedSpace> space, uint64_t first, uint32_t n)
      : space_(std::move(space)), first_(first), n_(n) {}
  ~PreservedRun() { space_->Give(first_, n_); }
  const env::SpillFile& file() const { return *space_->file_; }
  uint64_t offset(uint32_t page_in_run) const { return (first_ + page_in_run) * format::kPageBytes; }
  PreservedSpace* space() const { return space_.get(); }

 private:
  const IntrusivePtr<PreservedSpace> space_;
  const uint64_t first_;
  const uint32_t n_;
};

}  // namespace turdb::pager
