// Checkpointer: the thread that writes checkpoints, so that no commit has to.
//
// It starts with the first commit and sleeps until it is woken (the log or the page versions have grown) or until something
// committed has waited for the interval. After a failed checkpoint it tries again by itself, after pauses that double from
// 100 ms to 30 s.
// Invariants: (1) `run` is called by one thread at a time and never after Stop; (2) a forked child has no such thread, and
// touches nothing of it: its owner leaves the object behind there. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace turdb::txn {

enum class CheckpointReason : uint8_t { kLog, kMemory, kTime, kRequest };

class Checkpointer {
 public:
  // `run` returns false when the checkpoint failed and is to be tried again.
  Checkpointer(std::function<bool(CheckpointReason)> run, uint64_t interval_ms)
      : run_(std::move(run)), interval_ms_(interval_ms) {}
  ~Checkpointer() { Stop(); }

  void Wake(CheckpointReason reason);
  // Something was committed: it will be in the files after the interval.
  void NoteCommit() {
    if (!has_news_.load(std::memory_order_relaxed)) NoteFirstCommit();
  }
  void set_interval_ms(uint64_t ms);
  uint64_t interval_ms() const { return interval_ms_.load(std::memory_order_relaxed); }
  // Ends the thread, after the checkpoint that is running. Idempotent.
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;
  void NoteFirstCommit();
  void StartLocked();
  void Run();
  std::optional<Clock::time_point> DeadlineLocked() const;

  const std::function<bool(CheckpointReason)> run_;
  std::atomic<uint64_t> interval_ms_;  // 0: none
  std::atomic<bool> has_news_{false};  // committed since the last checkpoint began

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::thread thread_;
  bool is_stopping_ = false;
  std::optional<CheckpointReason> pending_;
  Clock::time_point news_since_;
  std::optional<Clock::time_point> retry_at_;
  std::chrono::milliseconds pause_{0};  // before the next retry
};

}  // namespace turdb::txn
