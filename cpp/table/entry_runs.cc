#include "table/entry_runs.h"

#include <algorithm>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::table {
namespace {
constexpr size_t kBlockBytes = 64 << 10;
constexpr size_t kEntryHeaderBytes = 8;
constexpr uint32_t kDistinctBit = uint32_t{1} << 31;
}  // namespace

// Reads one run; `entry` is the one it stands on.
class EntryRuns::Cursor {
 public:
  Cursor(env::TempSpace* space, const Run* run) : space_(space), run_(run) {}

  // False at the end.
  absl::StatusOr<bool> Next() {
    if (at_ == block_.size()) {
      if (next_block_ == run_->size()) return false;
      const env::TempBlock& block = (*run_)[next_block_++];
      block_.resize(block.length);
      TURDB_RETURN_IF_ERROR(space_->Read(block, block_.data()));
      at_ = 0;
    }
    if (block_.size() - at_ < kEntryHeaderBytes) return Damaged();
    const uint32_t key_bytes = Load<uint32_t>(block_.data() + at_);
    const uint32_t rest = Load<uint32_t>(block_.data() + at_ + 4);
    const uint64_t payload_bytes = rest & ~kDistinctBit;
    at_ += kEntryHeaderBytes;
    if (key_bytes + payload_bytes > block_.size() - at_) return Damaged();
    entry.key = {block_.data() + at_, key_bytes};
    entry.payload = {block_.data() + at_ + key_bytes, payload_bytes};
    entry.is_distinct = (rest & kDistinctBit) != 0;
    at_ += key_bytes + payload_bytes;
    return true;
  }

  SortedEntry entry;

 private:
  static absl::Status Damaged() { return CorruptionError("a block of index entries in a temporary file is damaged"); }

  env::TempSpace* space_;
  const Run* run_;
  size_t next_block_ = 0, at_ = 0;
  std::string block_;
};

void EntryRuns::BeginRun() {
  if (space_ == nullptr) space_ = std::make_unique<env::TempSpace>(place_);
  runs_.emplace_back();
  block_.clear();
}

absl::Status EntryRuns::Add(const SortedEntry& entry) {
  char header[kEntryHeaderBytes];
  Store(header, static_cast<uint32_t>(entry.key.size()));
  Store(header + 4, static_cast<uint32_t>(entry.payload.size()) | (entry.is_distinct ? kDistinctBit : 0));
  block_.append(header, kEntryHeaderBytes).append(entry.key).append(entry.payload);
  return block_.size() >= kBlockBytes ? WriteBlock() : absl::OkStatus();
}

absl::Status EntryRuns::WriteBlock() {
  TURDB_ASSIGN_OR_RETURN(const env::TempBlock block, space_->Append(block_));
  runs_.back().push_back(block);
  block_.clear();
  return absl::OkStatus();
}

absl::Status EntryRuns::EndRun() { return block_.empty() ? absl::OkStatus() : WriteBlock(); }

absl::Status EntryRuns::MergeRange(env::TempSpace* space, const Run* runs, size_t count, const Sink& sink) {
  std::vector<Cursor> cursors;
  for (size_t i = 0; i < count; ++i) cursors.emplace_back(space, &runs[i]);
  std::vector<size_t> heap;
  auto is_after = [&](size_t a, size_t b) {
    const int order = cursors[a].entry.key.compare(cursors[b].entry.key);
    return order != 0 ? order > 0 : a > b;
  };
  for (size_t i = 0; i < count; ++i) {
    TURDB_ASSIGN_OR_RETURN(const bool has_entry, cursors[i].Next());
    if (has_entry) heap.push_back(i);
  }
  std::make_heap(heap.begin(), heap.end(), is_after);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), is_after);
    Cursor& first = cursors[heap.back()];
    TURDB_RETURN_IF_ERROR(sink(first.entry));
    TURDB_ASSIGN_OR_RETURN(const bool has_more, first.Next());
    if (has_more) {
      std::push_heap(heap.begin(), heap.end(), is_after);
    } else {
      heap.pop_back();
    }
  }
  return absl::OkStatus();
}

// Neighbouring runs become one, in a new file.
absl::Status EntryRuns::MergePass() {
  const std::unique_ptr<env::TempSpace> space = std::move(space_);
  const std::vector<Run> runs = std::move(runs_);
  runs_.clear();
  for (size_t first = 0; first < runs.size(); first += kMergeWidth) {
    BeginRun();
    TURDB_RETURN_IF_ERROR(MergeRange(space.get(), &runs[first], std::min(kMergeWidth, runs.size() - first),
                                     [this](const SortedEntry& entry) { return Add(entry); }));
    TURDB_RETURN_IF_ERROR(EndRun());
  }
  return absl::OkStatus();
}

absl::Status EntryRuns::Merge(const Sink& sink) {
  while (runs_.size() > kMergeWidth) TURDB_RETURN_IF_ERROR(MergePass());
  return MergeRange(space_.get(), runs_.data(), runs_.size(), sink);
}

}  // namespace turdb::table
