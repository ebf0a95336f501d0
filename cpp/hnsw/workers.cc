#include "hnsw/workers.h"

#include <algorithm>

#include "base/out_of_memory.h"

namespace turdb::hnsw {

Workers::Workers(int threads) {
  threads_.reserve(static_cast<size_t>(std::max(threads, 1)));
  for (int worker = 1; worker < threads; ++worker) {
    if (!TryStartThread(&threads_, [this, worker] { Loop(worker); })) break;  // fewer do it, too
  }
}

Workers::~Workers() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    is_stopping_ = true;
  }
  begin_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::Drain(int worker) {
  for (;;) {
    if (worker == 0 && check_) {
      stopped_ = check_();
      if (!stopped_.ok()) next_.store(n_, std::memory_order_relaxed);  // the others finish the runs that they have
    }
    const uint64_t first = next_.fetch_add(run_, std::memory_order_relaxed);
    if (first >= n_) return;
    const uint64_t end = std::min<uint64_t>(n_, first + run_);
    try {
      for (uint64_t i = first; i < end; ++i) (*work_)(static_cast<uint32_t>(i), worker);
    } catch (const std::bad_alloc&) {
      is_out_of_memory_.store(true, std::memory_order_relaxed);
      next_.store(n_, std::memory_order_relaxed);
    }
  }
}

void Workers::Loop(int worker) {
  uint64_t seen = 0;
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    begin_.wait(lock, [&] { return is_stopping_ || step_ != seen; });
    if (is_stopping_) return;
    seen = step_;
    lock.unlock();
    Drain(worker);
    lock.lock();
    if (--busy_ == 0) end_.notify_one();
  }
}

absl::Status Workers::ForEach(uint32_t n, uint32_t run, const std::function<void(uint32_t, int)>& work) {
  stopped_ = absl::OkStatus();
  if (n == 0) return stopped_;
  const bool is_shared = !threads_.empty() && n > run;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    work_ = &work;
    n_ = n;
    run_ = std::max(run, 1u);
    next_.store(0, std::memory_order_relaxed);
    busy_ = is_shared ? static_cast<int>(threads_.size()) : 0;
    step_ += is_shared;
  }
  if (is_shared) begin_.notify_all();
  Drain(0);
  std::unique_lock<std::mutex> lock(mutex_);
  end_.wait(lock, [&] { return busy_ == 0; });
  return stopped_.ok() && is_out_of_memory_.exchange(false) ? OutOfMemory() : stopped_;
}

}  // namespace turdb::hnsw
