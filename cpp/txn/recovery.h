// Recovery: from what a directory holds to the newest committed state. Runs at every open; nothing is ever undone, because
// nothing uncommitted is in the files.
//
//   case                                                   action
//   1  closed cleanly: no log                              the files are the state
//   2  whole commits behind the checkpoint                 applied to page versions in memory; the files are not touched
//   3  the log ends in the middle of a transaction         its frames are ignored; new ones begin a new segment there
//   4  a torn or never-synced last frame                   as 3
//   5  a bad frame in a segment that others follow         kCorruption: commits would be lost
//   6  a page torn by an interrupted checkpoint            restored from the double-write area, then as 2
//   7  pages written by an interrupted checkpoint          as 2, from the LSN in the page on
//   8  a new page torn, which the double-write area spares built from zeros by its own delta
//   9  a file whose creation did not commit                removed
//   10 a file dropped, still there                         removed
//   11 a file created, not on disk yet                     made in memory, written by the next checkpoint
//   12 a file of the last checkpoint is missing            kCorruption when it is first used; the rest works
//   13 a page that a delta needs is damaged                kCorruption that names file and page
//   14 recovery itself interrupted                         it wrote only repaired pages and removed only garbage: again
//   15 opened read-only                                    as above, with repairs in memory and nothing removed
//   16 read beside a process that writes                   as 15, up to where that process has published
//   17 other processes read what is recovered              what they may need is not removed (see RemoveGarbage)
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "txn/database_state.h"
#include "txn/directory.h"
#include "txn/double_write.h"
#include "wal/log_reader.h"

namespace turdb::txn {

class Recovery final : public wal::LogVisitor {
 public:
  // Commits behind `limit` are not looked at.
  Recovery(env::Env* env, std::string directory, const format::DirectoryMeta& meta, bool is_read_only,
           IntrusivePtr<pager::PageMemory> memory, IntrusivePtr<pager::OpenFiles> open_files, Lsn limit = wal::kEndOfLog);

  absl::Status Run();
  // Cases 9 and 10, and segments outside the log. Data files stay when another process reads a state before end_lsn(): a
  // later open removes them. REQUIRES: Run, not read-only.
  absl::Status RemoveGarbage(bool with_data_files);

  // REQUIRES: Run.
  IntrusivePtr<DatabaseState> state() const { return state_; }
  const wal::LogReader& log() const { return log_; }
  FileId next_file_id() const { return next_file_id_; }
  std::set<std::string> paths() const;  // of the files in the state

 private:
  struct File {
    IntrusivePtr<pager::DataFile> file;
    pager::PageTable table;
    uint32_t page_count = 0;
  };
  using PageKey = std::pair<uint32_t, uint32_t>;

  absl::Status OnCreate(FileId file, const std::string& path) override;
  absl::Status OnDrop(FileId file) override;
  absl::Status OnPage(FileId file, PageId page, const wal::PageChange& change) override;
  absl::Status OnFrameEnd(format::FrameKind kind, Lsn lsn) override;

  absl::Status RepairTornPages();
  absl::StatusOr<std::unique_ptr<env::File>> OpenForRepair(FileId file);
  absl::Status RepairPage(env::File* data, FileId file, PageId page, const uint8_t* image);
  absl::Status ReadBase(File& file, PageId page, uint8_t* to);
  absl::Status SyncWhatIsReliedOn();
  bool IsGarbage(const std::string& path) const;
  void BuildState();

  env::Env* const env_;
  const std::string directory_;
  const format::DirectoryMeta& meta_;
  const bool is_read_only_;
  const IntrusivePtr<pager::PageMemory> memory_;
  const IntrusivePtr<pager::OpenFiles> open_files_;
  wal::LogReader log_;
  const pager::Epoch epoch_;
  std::map<FileId, File> files_;
  std::map<PageKey, std::string> repaired_;          // read-only: pages that are torn on disk
  std::vector<pager::PageVersion*> touched_;         // since the last frame's end
  FileId next_file_id_;
  IntrusivePtr<DatabaseState> state_;
};

}  // namespace turdb::txn
