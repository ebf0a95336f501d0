// SharedMapping: one map of a data file, shared by everybody who reads through it, with the pages it has preserved.
//
// A data file has several maps when checkpoints ran while snapshots were held: before a page is overwritten, every map that
// an old snapshot may read it through is redirected to a copy of it. A map that has preserved pages is not handed out any
// more; states made later get a new one, which shows the file. MapSet knows the maps that are alive, and of each the LSN
// before which no state reads through it.
// Addresses never change, and a redirection is one step for readers, who take no lock.
// Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "base/intrusive_ptr.h"
#include "base/strong_id.h"
#include "env/env.h"
#include "pager/preserved_space.h"

namespace turdb::pager {

class SharedMapping;

// The live maps of one data file.
struct MapSet {
  struct Entry {
    SharedMapping* map;
    Lsn oldest_state;
  };
  std::mutex mutex;
  std::vector<Entry> maps;
  Lsn oldest_state{0};  // of maps made now

  Lsn OldestStateOf(const SharedMapping* map) const;  // with the mutex held
};

class SharedMapping : public RefCounted<SharedMapping> {
 public:
  SharedMapping(std::unique_ptr<env::Mapping> mapping, std::shared_ptr<MapSet> set, Lsn oldest_state);
  ~SharedMapping();
  const uint8_t* data() const { return mapping_->data(); }
  size_t size() const { return mapping_->size(); }
  const MapSet* set() const { return set_.get(); }
  void Advise(env::Mapping::Access access, size_t length) { mapping_->Advise(access, 0, length); }

  uint64_t CountPreserved() const;  // pages

  // --- with the set's mutex held -------------------------------------------------------------
  bool HasPreserved(uint32_t page) const;
  bool has_preserved_pages() const { return !preserved_.empty(); }
  // The end of the run of pages from `page` on that are not preserved, at most `limit`.
  uint32_t EndOfPlain(uint32_t page, uint32_t limit) const;
  // Redirects [page, page + run's pages). REQUIRES: none of them is preserved, and the run holds the same bytes.
  absl::Status Redirect(uint32_t page, const IntrusivePtr<PreservedRun>& run, uint32_t first_in_run, uint32_t n);
  // Preserves what `other` has preserved.
  absl::Status RedirectLike(const SharedMapping& other);

 private:
  struct Range {
    uint32_t end;
    IntrusivePtr<PreservedRun> run;
    uint32_t first_in_run;
  };
  const std::unique_ptr<env::Mapping> mapping_;
  const std::shared_ptr<MapSet> set_;
  std::map<uint32_t, Range> preserved_;  // by first page; they do not overlap
};

}  // namespace turdb::pager
