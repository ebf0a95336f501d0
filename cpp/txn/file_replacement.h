// FileReplacement: a copy of a data file with the pages of a newer state, to take the file's place.
//
// A checkpoint makes one of each file that it must not write to, because a snapshot in another process reads it. Until Install
// nothing has changed for anybody; what is not installed is removed again. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "env/env.h"
#include "pager/data_file.h"
#include "pager/page_table.h"

namespace turdb::txn {

class FileReplacement {
 public:
  struct Page {
    PageId id;
    const pager::PageVersion* version;
  };
  struct Paths {
    std::string copy;    // which nothing has
    std::string second;  // the file's second name (pager/replaced_file.h)
  };
  // Gives `file` its second name and copies it, with `pages` written over; durable, but for the names. kConflict while
  // somebody writes pages directly; kDiskFull, kIo, also where files cannot have two names.
  static absl::StatusOr<std::unique_ptr<FileReplacement>> Prepare(env::Env* env, IntrusivePtr<pager::DataFile> file,
                                                                  Paths paths, const std::vector<Page>& pages);
  ~FileReplacement();
  // The copy gets the file's path. The directories are to be synced. kIo. REQUIRES: as DataFile::Replace.
  absl::Status Install(Lsn written);

  pager::DataFile* file() const { return file_.get(); }
  uint64_t bytes() const { return bytes_; }  // of the file as it was

 private:
  FileReplacement(env::Env* env, IntrusivePtr<pager::DataFile> file, Paths paths)
      : env_(env), file_(std::move(file)), paths_(std::move(paths)) {}
  absl::Status MakeSecondName();
  absl::Status WriteCopy(const std::vector<Page>& pages);

  env::Env* const env_;
  const IntrusivePtr<pager::DataFile> file_;
  const Paths paths_;
  bool has_made_name_ = false, has_copy_ = false;
  uint64_t bytes_ = 0;
};

}  // namespace turdb::txn
