// PerProcess<T>::Get(): one T a process. A child made by fork() has a new one: the parent's may be locked by a thread that the
// child does not have, and would stay locked in it for ever. Made when the program is loaded, never destroyed; a child leaves
// its parent's behind.
#pragma once

#include <pthread.h>

#include <atomic>

namespace turdb {

template <class T>
class PerProcess {
 public:
  static T& Get() { return *object_.load(std::memory_order_acquire); }

 private:
  static T* MakeFirst() {
    pthread_atfork(nullptr, nullptr, [] { object_.store(new T, std::memory_order_release); });
    return new T;
  }
  static inline std::atomic<T*> object_{MakeFirst()};
};

}  // namespace turdb
