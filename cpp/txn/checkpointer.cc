// The loop of the checkpoint thread.
#include "txn/checkpointer.h"

#include <algorithm>
#include <system_error>

namespace turdb::txn {
namespace {

constexpr std::chrono::milliseconds kFirstPause{100}, kLongestPause{30'000};

}  // namespace

void Checkpointer::StartLocked() {
  if (thread_.joinable() || is_stopping_) return;
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error&) {
    // No thread to be had: the next call tries again, and commits that find the log long write checkpoints themselves.
  }
}

void Checkpointer::Wake(CheckpointReason reason) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (!pending_) pending_ = reason;
  StartLocked();
  wake_.notify_all();
}

void Checkpointer::NoteFirstCommit() {
  std::lock_guard<std::mutex> guard(mutex_);
  if (interval_ms() == 0 || has_news_.exchange(true)) return;
  news_since_ = Clock::now();
  StartLocked();
  wake_.notify_all();
}

void Checkpointer::set_interval_ms(uint64_t ms) {
  std::lock_guard<std::mutex> guard(mutex_);
  interval_ms_.store(ms);
  wake_.notify_all();
}

std::optional<Checkpointer::Clock::time_point> Checkpointer::DeadlineLocked() const {
  std::optional<Clock::time_point> deadline = retry_at_;
  if (has_news_.load() && interval_ms() > 0) {
    const auto due = news_since_ + std::chrono::milliseconds(interval_ms());
    deadline = deadline ? std::min(*deadline, due) : due;
  }
  return deadline;
}

void Checkpointer::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!is_stopping_) {
    const auto deadline = DeadlineLocked();
    if (!pending_) {
      if (!deadline) {
        wake_.wait(lock);
        continue;
      }
      if (Clock::now() < *deadline) {
        wake_.wait_until(lock, *deadline);
        continue;
      }
    }
    const CheckpointReason reason = pending_.value_or(CheckpointReason::kTime);
    pending_.reset();
    has_news_.store(false);
    retry_at_.reset();
    lock.unlock();
    const bool is_done = run_(reason);
    lock.lock();
    pause_ = is_done ? std::chrono::milliseconds(0) : std::clamp(2 * pause_, kFirstPause, kLongestPause);
    if (!is_done) retry_at_ = Clock::now() + pause_;
  }
}

void Checkpointer::Stop() {
  std::thread thread;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
}

}  // namespace turdb::txn
