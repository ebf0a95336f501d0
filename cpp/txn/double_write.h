// DoubleWrite: keeps the images of pages that are about to be overwritten, until the files are synced.
// Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "env/env.h"
#include "format/double_write.h"

namespace turdb::txn {

class DoubleWrite {
 public:
  DoubleWrite(env::Env* env, std::string path, uint64_t salt) : env_(env), path_(std::move(path)), salt_(salt) {}

  struct Entry {
    FileId file;
    PageId page;
  };
  // Begins a batch of at most kDoubleWritePages; what the area held before is given up.
  // REQUIRES: the files that earlier batches went to are synced.
  absl::Status Begin(Lsn target);
  absl::Status Add(Entry entry, const uint8_t* sealed_page);
  absl::Status Finish();  // written
  absl::Status Sync();
  // Gives the area's space back. REQUIRES: the files that batches went to are synced, and nothing follows.
  void Remove();

  // Calls visit(entry, image) for every intact image of a checkpoint that was to reach past `checkpoint_lsn`.
  absl::Status ReadImages(Lsn checkpoint_lsn, const std::function<absl::Status(Entry, const uint8_t*)>& visit) const;

 private:
  static constexpr size_t kBufferPages = 32;
  absl::Status FlushBuffer();

  env::Env* const env_;
  const std::string path_;
  const uint64_t salt_;
  std::unique_ptr<env::File> file_;
  bool is_new_file_ = false;
  Lsn target_{0};
  std::vector<Entry> entries_;
  std::string buffer_;
  uint64_t offset_ = 0;
};

}  // namespace turdb::txn
