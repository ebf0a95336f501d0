// Runs of pages in a nameless file: first fit, neighbours joined when they are free again.
#include "pager/preserved_space.h"

#include <iterator>

#include "base/status_macros.h"

namespace turdb::pager {

using format::kPageBytes;

PreservedSpace::PreservedSpace(env::Env* env, std::string directory)
    : env_(env), directory_(std::move(directory)), process_id_(env::PosixEnv()->ProcessId()) {}

uint64_t PreservedSpace::TakeLocked(uint32_t n) {
  for (auto at = free_.begin(); at != free_.end(); ++at) {
    if (at->second < n) continue;
    const auto [first, length] = *at;
    free_.erase(at);
    if (length > n) free_.emplace(first + n, length - n);
    return first;
  }
  n_file_pages_ += n;
  return n_file_pages_ - n;
}

void PreservedSpace::GiveLocked(uint64_t first, uint32_t n) {
  auto at = free_.emplace(first, n).first;
  if (const auto next = std::next(at); next != free_.end() && first + at->second == next->first) {
    at->second += next->second;
    free_.erase(next);
  }
  if (at == free_.begin()) return;
  const auto before = std::prev(at);
  if (before->first + before->second != first) return;
  before->second += at->second;
  free_.erase(at);
}

absl::StatusOr<IntrusivePtr<PreservedRun>> PreservedSpace::Add(const uint8_t* pages, uint32_t n) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (file_ == nullptr) {
    TURDB_ASSIGN_OR_RETURN(file_, env_->NewSpillFile(directory_));
    if (file_ == nullptr) return IntrusivePtr<PreservedRun>();
  }
  const uint64_t first = TakeLocked(n);
  const absl::Status written = file_->WriteAt(first * kPageBytes, pages, size_t{n} * kPageBytes);
  if (!written.ok()) {
    file_->Discard(first * kPageBytes, uint64_t{n} * kPageBytes);
    GiveLocked(first, n);
    return written;
  }
  n_stored_ += n;
  return MakeIntrusive<PreservedRun>(IntrusivePtr<PreservedSpace>(this), first, n);
}

void PreservedSpace::Give(uint64_t first, uint32_t n) {
  if (env::PosixEnv()->ProcessId() != process_id_) return;  // the parent of a forked child has them still
  std::lock_guard<std::mutex> guard(mutex_);
  file_->Discard(first * kPageBytes, uint64_t{n} * kPageBytes);
  GiveLocked(first, n);
  n_stored_ -= n;
}

uint64_t PreservedSpace::n_pages() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return n_stored_;
}

uint32_t PreservedSpace::n_ranges() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return n_ranges_;
}

void PreservedSpace::CountRanges(int32_t difference) {
  std::lock_guard<std::mutex> guard(mutex_);
  n_ranges_ += static_cast<uint32_t>(difference);
}

}  // namespace turdb::pager
