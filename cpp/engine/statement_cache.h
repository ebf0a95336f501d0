// StatementCache: prepared statements by their text, the least recently used dropped first. Not thread-safe.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "engine/statement_impl.h"

namespace turdb::engine {

class StatementCache {
 public:
  explicit StatementCache(size_t capacity) : capacity_(capacity) {}

  std::shared_ptr<StatementImpl> Find(std::string_view text) {
    const auto found = by_text_.find(text);
    if (found == by_text_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return *found->second;
  }
  void Put(std::shared_ptr<StatementImpl> statement) {
    const std::string_view text = statement->text();
    if (by_text_.contains(text)) return;
    entries_.push_front(std::move(statement));
    by_text_.emplace(text, entries_.begin());
    if (entries_.size() <= capacity_) return;
    by_text_.erase(std::string_view(entries_.back()->text()));
    entries_.pop_back();
  }
  void Clear() {
    by_text_.clear();
    entries_.clear();
  }

 private:
  using Entries = std::list<std::shared_ptr<StatementImpl>>;
  const size_t capacity_;
  Entries entries_;                                              // the most recently used first
  absl::flat_hash_map<std::string_view, Entries::iterator> by_text_;  // keys point into the statements
};

}  // namespace turdb::engine
