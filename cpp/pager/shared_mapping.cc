// Which ranges of a map are redirected.
#include "pager/shared_mapping.h"

#include <algorithm>
#include <iterator>

#include "base/status_macros.h"

namespace turdb::pager {

Lsn MapSet::OldestStateOf(const SharedMapping* map) const {
  return std::find_if(maps.begin(), maps.end(), [map](const Entry& entry) { return entry.map == map; })->oldest_state;
}

SharedMapping::SharedMapping(std::unique_ptr<env::Mapping> mapping, std::shared_ptr<MapSet> set, Lsn oldest_state)
    : mapping_(std::move(mapping)), set_(std::move(set)) {
  std::lock_guard<std::mutex> guard(set_->mutex);
  set_->maps.push_back({this, oldest_state});
}

SharedMapping::~SharedMapping() {
  {
    std::lock_guard<std::mutex> guard(set_->mutex);
    std::erase_if(set_->maps, [this](const MapSet::Entry& entry) { return entry.map == this; });
  }
  if (!preserved_.empty()) {
    preserved_.begin()->second.run->space()->CountRanges(-static_cast<int32_t>(preserved_.size()));
  }
}

uint64_t SharedMapping::CountPreserved() const {
  std::lock_guard<std::mutex> guard(set_->mutex);
  uint64_t n = 0;
  for (const auto& [page, range] : preserved_) n += range.end - page;
  return n;
}

bool SharedMapping::HasPreserved(uint32_t page) const {
  const auto next = preserved_.upper_bound(page);
  return next != preserved_.begin() && page < std::prev(next)->second.end;
}

uint32_t SharedMapping::EndOfPlain(uint32_t page, uint32_t limit) const {
  const auto next = preserved_.lower_bound(page);
  return next == preserved_.end() ? limit : std::min(limit, next->first);
}

absl::Status SharedMapping::Redirect(uint32_t page, const IntrusivePtr<PreservedRun>& run, uint32_t first_in_run,
                                     uint32_t n) {
  TURDB_RETURN_IF_ERROR(mapping_->Redirect(size_t{page} * format::kPageBytes, size_t{n} * format::kPageBytes, run->file(),
                                           run->offset(first_in_run)));
  preserved_.emplace(page, Range{page + n, run, first_in_run});
  run->space()->CountRanges(1);
  return absl::OkStatus();
}

absl::Status SharedMapping::RedirectLike(const SharedMapping& other) {
  for (const auto& [page, range] : other.preserved_) {
    TURDB_RETURN_IF_ERROR(Redirect(page, range.run, range.first_in_run, range.end - page));
  }
  return absl::OkStatus();
}

}  // namespace turdb::pager
