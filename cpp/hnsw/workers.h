// Workers: a few threads that run the steps of a build or of a batch of queries together.
//
// ForEach hands out indexes in small runs and returns when all are done, or the check stopped it; the caller's thread is worker
// 0. The threads sleep between steps. One ForEach at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace turdb::hnsw {

class Workers {
 public:
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int count() const { return static_cast<int>(threads_.size()) + 1; }
  // Asked by the caller's thread between its runs; an error ends the step early.
  void set_check(std::function<absl::Status()> check) { check_ = std::move(check); }
  // Calls work(index, worker) for every index in [0, n), in runs of `run`; or the check's error, or kOutOfMemory when work throws
  // std::bad_alloc, and some were left out.
  absl::Status ForEach(uint32_t n, uint32_t run, const std::function<void(uint32_t index, int worker)>& work);

 private:
  void Loop(int worker);
  void Drain(int worker);

  std::vector<std::thread> threads_;
  std::function<absl::Status()> check_;
  absl::Status stopped_;  // of worker 0
  std::mutex mutex_;
  std::condition_variable begin_, end_;
  uint64_t step_ = 0;  // guarded by mutex_, as are busy_ and is_stopping_
  int busy_ = 0;
  bool is_stopping_ = false;
  const std::function<void(uint32_t, int)>* work_ = nullptr;
  uint32_t n_ = 0, run_ = 1;
  std::atomic<uint64_t> next_{0};
  std::atomic<bool> is_out_of_memory_{false};  // of any worker
};

}  // namespace turdb::hnsw
