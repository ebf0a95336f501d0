// CopyPages: a file's pages as they are, under another file id: what backup does, and VACUUM where nothing is to be squeezed.
//
// Pages do not say which file they are in, but for page 0 and their checksums, which the writer makes anew.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "pager/file_writer.h"

namespace turdb::table {

// Called with the number of pages just copied; an error stops the copy.
using PagesCopied = absl::FunctionRef<absl::Status(uint32_t pages)>;

// One file on its way, so that a copy can be done in steps.
class PageCopier {
 public:
  // REQUIRES: `to` has page 0 only; both outlive the copier.
  PageCopier(const pager::FileView* from, pager::FileWriter* to) : from_(from), to_(to) {}

  // Copies up to `most` pages and returns how many; 0 when nothing is left. kCorruption for a page that cannot be read.
  absl::StatusOr<uint32_t> Step(uint32_t most);

 private:
  absl::Status CopyHeader();

  const pager::FileView* from_;
  pager::FileWriter* to_;
  uint32_t next_ = 0;
};

// All of it.
absl::Status CopyPages(const pager::FileView& from, pager::FileWriter* to, PagesCopied progress);
// Only what page 0 keeps for the room that owns the file.
absl::Status CopyUserArea(const pager::FileView& from, pager::FileWriter* to);

}  // namespace turdb::table
