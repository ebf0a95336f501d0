// CatalogCache: the decoded catalogs of the last few versions seen, by the version of the catalog's file.
//
// Equal file versions mean equal bytes for every transaction of a store, so a snapshot found here needs no reading. A
// few are kept because transactions with DDL of their own alternate with those of the committed state. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>

#include "catalog/catalog.h"

namespace turdb::catalog {

class CatalogCache {
 public:
  std::shared_ptr<const CatalogSnapshot> Find(uint64_t file_version) {
    std::lock_guard<std::mutex> guard(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.file_version == file_version && entry.snapshot != nullptr) return entry.snapshot;
    }
    return nullptr;
  }
  void Put(uint64_t file_version, std::shared_ptr<const CatalogSnapshot> snapshot) {
    std::lock_guard<std::mutex> guard(mutex_);
    entries_[next_++ % entries_.size()] = {file_version, std::move(snapshot)};
  }

 private:
  struct Entry {
    uint64_t file_version = 0;
    std::shared_ptr<const CatalogSnapshot> snapshot;
  };
  std::mutex mutex_;  // guards what follows
  std::array<Entry, 4> entries_;
  size_t next_ = 0;
};

}  // namespace turdb::catalog
