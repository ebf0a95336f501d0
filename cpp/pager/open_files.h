// OpenFiles: how many data files of a store have a descriptor open. A database has a file for each table and index, and may have more of
// them than a process may have descriptors; maps stay when the descriptor goes, so it is needed for little.
//
// Files that nobody needs open are closed, those opened longest ago first, when there are more than the limit. Files
// that are needed (written and not synced, say) stay, and the limit is passed.
// Thread-safe. Asks other files with its own mutex held, and they do not wait for theirs, so a file may call it under its mutex.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "base/intrusive_ptr.h"

namespace turdb::pager {

class DataFile;

class OpenFiles : public RefCounted<OpenFiles> {
 public:
  explicit OpenFiles(size_t limit) : limit_(limit) {}

  void NoteOpened(DataFile* file);  // has been opened just now
  void Forget(DataFile* file);      // is about to be destroyed
  size_t limit() const { return limit_; }

 private:
  const size_t limit_;
  std::mutex mutex_;
  std::list<DataFile*> files_;  // the one opened longest ago first
  absl::flat_hash_map<DataFile*, std::list<DataFile*>::iterator> places_;
};

}  // namespace turdb::pager
