// FairLock: one holder at a time. First come, first served, with a timeout.
// Not tied to a thread: who holds a place may hand it on. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>

namespace turdb::txn {

class FairLock {
 public:
  bool Acquire(std::chrono::milliseconds timeout) {
    std::unique_lock<std::mutex> guard(mutex_);
    if (!is_held_ && waiting_.empty()) {
      is_held_ = true;
      return true;
    }
    if (timeout.count() <= 0) return false;
    Waiter self;
    const auto at = waiting_.insert(waiting_.end(), &self);
    const bool is_granted = self.granted.wait_for(guard, timeout, [&self] { return self.is_granted; });
    if (!is_granted) waiting_.erase(at);
    return is_granted;
  }

  void Release() {
    std::lock_guard<std::mutex> guard(mutex_);
    if (waiting_.empty()) {
      is_held_ = false;
      return;
    }
    Waiter* next = waiting_.front();
    waiting_.pop_front();
    next->is_granted = true;
    next->granted.notify_one();
  }

 private:
  struct Waiter {
    std::condition_variable granted;
    bool is_granted = false;
  };
  std::mutex mutex_;
  bool is_held_ = false;
  std::list<Waiter*> waiting_;
};

}  // namespace turdb::txn
