// EntryRuns: sorted runs of index entries in a temporary file, merged to one order; what EntrySorter does past its memory.
//
// A run is a sequence of blocks; an entry is u32 key bytes, u32 payload bytes with is_distinct in the highest bit, the key,
// the payload. Blocks live no longer than the process. Merging takes as many passes as leave kMergeWidth runs for the last
// one. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "env/temp_file.h"

namespace turdb::table {

struct SortedEntry {
  std::string_view key, payload;
  bool is_distinct = false;
};

class EntryRuns {
 public:
  using Sink = std::function<absl::Status(const SortedEntry&)>;

  explicit EntryRuns(env::TempPlace place) : place_(std::move(place)) {}
  bool empty() const { return runs_.empty(); }
  // Entries in ascending order of their keys from BeginRun to EndRun. kDiskFull, kIo.
  void BeginRun();
  absl::Status Add(const SortedEntry& entry);
  absl::Status EndRun();
  // All entries in ascending order; their bytes are good until `sink` returns. An error of `sink` ends it.
  absl::Status Merge(const Sink& sink);

 private:
  using Run = std::vector<env::TempBlock>;
  class Cursor;
  absl::Status WriteBlock();
  absl::Status MergeRange(env::TempSpace* space, const Run* runs, size_t count, const Sink& sink);
  absl::Status MergePass();

  static constexpr size_t kMergeWidth = 64;
  env::TempPlace place_;
  std::unique_ptr<env::TempSpace> space_;
  std::vector<Run> runs_;
  std::string block_;
};

}  // namespace turdb::table
