// DatabaseState: every file of the database as one commit left it; what a snapshot points to.
//
// Files are kept in chunks of 64 by id; a commit copies the chunks it touches and shares the others, so its cost does
// not grow with the number of files. Immutable once published. Thread-safe for reading.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/intrusive_ptr.h"
#include "base/strong_id.h"
#include "pager/file_state.h"

namespace turdb::txn {

class DatabaseState : public RefCounted<DatabaseState> {
 public:
  explicit DatabaseState(Lsn lsn)
      : lsn_(lsn), epoch_(pager::NextEpoch()), pin_(MakeIntrusive<pager::SnapshotPin>()) {}
  // The files of `other`; `lease` is given back when neither the state nor a view of it is left.
  DatabaseState(const DatabaseState& other, std::shared_ptr<void> lease)
      : lsn_(other.lsn_),
        epoch_(pager::NextEpoch()),
        pin_(MakeIntrusive<pager::SnapshotPin>(std::move(lease))),
        chunks_(other.chunks_) {}
  // Of a database that could not be read: a state without files that says why.
  explicit DatabaseState(absl::Status status)
      : status_(std::move(status)), lsn_(0), epoch_(pager::NextEpoch()), pin_(MakeIntrusive<pager::SnapshotPin>()) {}

  const absl::Status& status() const { return status_; }  // not OK: nothing could be read
  Lsn lsn() const { return lsn_; }  // the end of the commit that made it
  const IntrusivePtr<pager::SnapshotPin>& pin() const { return pin_; }
  const pager::FileState* Find(FileId file) const;  // null: no such file
  // visit(FileId, const IntrusivePtr<pager::FileState>&), by id.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const auto& [index, chunk] : chunks_) {
      for (uint32_t i = 0; i < kChunk; ++i) {
        if (chunk->files[i]) visit(FileId(index * kChunk + i), chunk->files[i]);
      }
    }
  }

  // Whether anybody but its one keeper looks at this state.
  bool IsInUse() const { return IsShared() || pin_->IsShared(); }
  // A copy at `lsn`, to be changed by Set before it is published.
  IntrusivePtr<DatabaseState> CopyAt(Lsn lsn) const;
  void Set(FileId file, IntrusivePtr<pager::FileState> state);  // null removes

 private:
  static constexpr uint32_t kChunk = 64;
  struct Chunk : RefCounted<Chunk> {
    explicit Chunk(pager::Epoch owner_in) : owner(owner_in) {}
    const pager::Epoch owner;  // of the state that may change it
    uint32_t n_used = 0;
    std::array<IntrusivePtr<pager::FileState>, kChunk> files;
  };
  using Entry = std::pair<uint32_t, IntrusivePtr<Chunk>>;

  const absl::Status status_;
  const Lsn lsn_;
  const pager::Epoch epoch_;
  const IntrusivePtr<pager::SnapshotPin> pin_;
  std::vector<Entry> chunks_;  // by index, none empty
};

}  // namespace turdb::txn
