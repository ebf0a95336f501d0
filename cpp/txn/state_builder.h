// StateBuilder: a committed state and operations of the log make the next state.
//
// Pages that change are copied first, from the state's versions or from the file, so the state built upon does not change.
// Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pager/page_memory.h"
#include "txn/database_state.h"
#include "wal/log_reader.h"

namespace turdb::txn {

class StateBuilder final : public wal::LogVisitor {
 public:
  // Files are those that were replaced up to `files` (DataFile::SearchReplaced).
  StateBuilder(env::Env* env, std::string directory, const DatabaseState& base,
               IntrusivePtr<pager::PageMemory> memory, IntrusivePtr<pager::OpenFiles> open_files, Lsn files);

  absl::Status OnCreate(FileId file, const std::string& path) override;
  absl::Status OnDrop(FileId file) override;
  absl::Status OnPage(FileId file, PageId page, const wal::PageChange& change) override;
  absl::Status OnFrameEnd(format::FrameKind kind, Lsn lsn) override;

  // The state at `lsn`; changed files have a content version of their own.
  absl::StatusOr<IntrusivePtr<DatabaseState>> Build(Lsn lsn);

 private:
  struct File {
    IntrusivePtr<pager::DataFile> file;  // null: dropped
    pager::PageTable table;
    uint32_t page_count = 0;
  };
  absl::StatusOr<File*> Find(FileId id);
  absl::StatusOr<pager::PageVersion*> OwnVersion(File* file, PageId page, bool is_from_zero);

  env::Env* const env_;
  const std::string directory_;
  const DatabaseState& base_;
  const IntrusivePtr<pager::PageMemory> memory_;
  const IntrusivePtr<pager::OpenFiles> open_files_;
  const Lsn replaced_files_;
  const pager::Epoch epoch_;
  std::map<FileId, File> files_;  // that changed
  std::vector<pager::PageVersion*> touched_;
};

}  // namespace turdb::txn
