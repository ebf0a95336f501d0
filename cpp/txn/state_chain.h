// StateChain: the committed states that anybody can still see, oldest first.
//
// A commit appends its state when its log record is written; the state is published, so that new snapshots see it, when
// it is as durable as was asked, in order. The next writer works on the head, published or not.
// Invariants: (1) published states precede the others; (2) of the published ones only the newest is kept without being in
// use; (3) lsns do not fall from front to back. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "txn/database_state.h"

namespace turdb::txn {

class StateChain {
 public:
  explicit StateChain(IntrusivePtr<DatabaseState> first);

  // Where the lsn of the newest published state is told to other processes.
  void TellPublished(std::atomic<uint64_t>* word) { published_word_ = word; }

  IntrusivePtr<DatabaseState> published() const;
  IntrusivePtr<DatabaseState> head() const;
  // Changes with every change of head(), before anybody can see the new one.
  uint64_t head_serial() const { return head_serial_.load(std::memory_order_acquire); }

  void Append(IntrusivePtr<DatabaseState> state, bool needs_sync);
  // Publishes states in order, up to the first that needs a sync and lies behind `durable`.
  void PublishUpTo(Lsn durable);
  bool IsPublished(Lsn lsn) const;
  // After a failed sync: what was not published never will be.
  void DropUnpublished();

  // What a checkpoint may write to the files, and the states in use that are older, oldest first: what they show in the mapped
  // files must be preserved first.
  struct Candidates {
    IntrusivePtr<DatabaseState> newest;
    std::vector<IntrusivePtr<DatabaseState>> older;
  };
  Candidates CheckpointCandidates();
  void Trim();  // lets go of states that nobody uses any more
  // Replaces the newest published state and the head by clean(state), where that is not null.
  void Clean(const std::function<IntrusivePtr<DatabaseState>(const DatabaseState&)>& clean);
  struct Snapshots {
    uint64_t n_in_use = 0;
    Lsn oldest_lsn;               // of a state in use; of the newest where there is none
    double oldest_seconds = 0;    // since there is a newer one
  };
  Snapshots CountSnapshots() const;
  struct InUse {
    IntrusivePtr<DatabaseState> state;
    double outdated_seconds;  // 0: it is the newest
  };
  std::vector<InUse> ListInUse() const;  // oldest first

 private:
  struct Entry {
    IntrusivePtr<DatabaseState> state;
    bool needs_sync = false;
    std::chrono::steady_clock::time_point outdated_at{};  // when a newer one was published
  };
  void PublishLocked(Entry entry);
  void TrimLocked();

  std::atomic<uint64_t>* published_word_ = nullptr;
  std::atomic<uint64_t> head_serial_{0};
  mutable std::mutex mutex_;
  std::deque<Entry> published_;  // never empty
  std::deque<Entry> pending_;
};

}  // namespace turdb::txn
