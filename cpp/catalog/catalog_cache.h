// CatalogCache: the decoded catalogs of the last few versions seen, by the version of the catalog's file.
//
// Equal file versions mean equal bytes for every transaction of a store, so a snapshot found here needs no reading. A
// few are kept because transactions with DDL of their own alternate with those of the committed state. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "catalog/catalog.h"

namespace turdb::catalog {

class CatalogCache {
 public:
  std::shared_ptr<const CatalogSnapshot> Find(uint64_t file_version) {
    absl::MutexLock lock(&mutex_);
    for (const Entry& entry : entries_) {
      if (entry.file_version == file_version && entry.snapshot != nullptr) return entry.snapshot;
    }
    return nullptr;
  }
  void Put(uint64_t file_version, std::shared_ptr<const CatalogSnapshot> snapshot) {
    absl::MutexLock lock(&mutex_);
    entries_[next_++ % entries_.size()] = {file_version, std::move(snapshot)};
  }

 private:
  struct Entry {
    uint64_t file_version = 0;
    std::shared_ptr<const CatalogSnapshot> snapshot;
  };
  absl::Mutex mutex_;
  std::array<Entry, 4> entries_ ABSL_GUARDED_BY(mutex_);
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace turdb::catalog
