// PageClaims: what a structural check of a tree has met, and what it found wrong.
//
// Every page belongs to the tree once; a page of pieces belongs to it as often as it has pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "pager/file_view.h"

namespace turdb::btree {

class PageClaims {
 public:
  // Appends the pages met to `used`. An error of `check`, which is asked for each some of them, ends the work.
  PageClaims(const pager::FileView& view, std::vector<PageId>* used, const std::function<absl::Status()>& check)
      : view_(view), used_(used), check_(check) {
    seen_.resize(view.page_count());
  }

  bool is_full() const { return findings_.size() >= kMaxFindings || !stopped_.ok(); }
  void Note(const absl::Status& status) { findings_.push_back(std::string(FromAbsl(status.message()))); }
  void Note(PageId id, std::string_view what) { findings_.push_back(Cat("page ", id.value(), ": ", what)); }
  // False, and noted, when the page is outside the file or was met before.
  bool Claim(PageId id);
  // The links of an overflow chain.
  void ClaimChain(OverflowRef first, uint32_t length);
  // The pages of pieces against what was claimed of them, and the list of those with room. Once, at the end.
  void CheckPieces();
  absl::StatusOr<std::vector<std::string>> TakeFindings() {
    TURDB_RETURN_IF_ERROR(stopped_);
    return std::move(findings_);
  }

 private:
  static constexpr size_t kPagesPerCheck = 256;
  static constexpr size_t kMaxFindings = 100;  // a badly damaged file would say the same for ever

  void ClaimPiece(OverflowRef ref);
  void CheckRoomList(size_t pages_with_room);

  const pager::FileView& view_;
  std::vector<PageId>* const used_;
  const std::function<absl::Status()>& check_;
  absl::Status stopped_;
  std::vector<bool> seen_;
  absl::flat_hash_map<PageId, uint32_t> pieces_;  // a bit an entry
  std::vector<std::string> findings_;
};

}  // namespace turdb::btree
