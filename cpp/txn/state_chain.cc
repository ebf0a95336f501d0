// Publication order and the life of old states.
#include "txn/state_chain.h"

#include <algorithm>
#include <vector>

namespace turdb::txn {

StateChain::StateChain(IntrusivePtr<DatabaseState> first) { PublishLocked({std::move(first)}); }

void StateChain::PublishLocked(Entry entry) {
  if (!published_.empty()) published_.back().outdated_at = std::chrono::steady_clock::now();
  published_.push_back(std::move(entry));
}

IntrusivePtr<DatabaseState> StateChain::published() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return published_.back().state;
}

IntrusivePtr<DatabaseState> StateChain::head() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return pending_.empty() ? published_.back().state : pending_.back().state;
}

void StateChain::Append(IntrusivePtr<DatabaseState> state, bool needs_sync) {
  std::lock_guard<std::mutex> guard(mutex_);
  head_serial_.fetch_add(1, std::memory_order_release);
  pending_.push_back({std::move(state), needs_sync});
}

void StateChain::PublishUpTo(Lsn durable) {
  std::lock_guard<std::mutex> guard(mutex_);
  while (!pending_.empty() && (!pending_.front().needs_sync || pending_.front().state->lsn() <= durable)) {
    PublishLocked(std::move(pending_.front()));
    pending_.pop_front();
  }
  if (published_word_ != nullptr) published_word_->store(published_.back().state->lsn().value());
  TrimLocked();
}

bool StateChain::IsPublished(Lsn lsn) const {
  std::lock_guard<std::mutex> guard(mutex_);
  return published_.back().state->lsn() >= lsn;
}

void StateChain::DropUnpublished() {
  std::lock_guard<std::mutex> guard(mutex_);
  head_serial_.fetch_add(1, std::memory_order_release);
  pending_.clear();
}

void StateChain::TrimLocked() {
  const auto last = std::prev(published_.end());
  const auto kept = std::remove_if(published_.begin(), last, [](const Entry& e) { return !e.state->IsInUse(); });
  if (kept == last) return;
  Entry newest = std::move(*last);
  published_.erase(kept, published_.end());
  published_.push_back(std::move(newest));
}

void StateChain::Trim() {
  std::lock_guard<std::mutex> guard(mutex_);
  TrimLocked();
}

StateChain::Candidates StateChain::CheckpointCandidates() {
  std::lock_guard<std::mutex> guard(mutex_);
  TrimLocked();
  Candidates candidates{published_.back().state, {}};
  for (const Entry& entry : published_) {
    if (entry.state->lsn() < candidates.newest->lsn()) candidates.older.push_back(entry.state);
  }
  return candidates;
}

void StateChain::Clean(const std::function<IntrusivePtr<DatabaseState>(const DatabaseState&)>& clean) {
  std::lock_guard<std::mutex> guard(mutex_);
  head_serial_.fetch_add(1, std::memory_order_release);
  if (auto cleaned = clean(*published_.back().state)) PublishLocked({std::move(cleaned)});
  if (!pending_.empty()) {
    Entry& head = pending_.back();
    if (auto cleaned = clean(*head.state)) pending_.push_back({std::move(cleaned), head.needs_sync});
  }
  TrimLocked();
}

StateChain::Snapshots StateChain::CountSnapshots() const {
  std::lock_guard<std::mutex> guard(mutex_);
  Snapshots snapshots;
  snapshots.oldest_lsn = published_.back().state->lsn();
  for (const Entry& entry : published_) {
    if (!entry.state->IsInUse()) continue;
    if (++snapshots.n_in_use > 1 || entry.state->lsn() == snapshots.oldest_lsn) continue;
    snapshots.oldest_lsn = entry.state->lsn();
    const std::chrono::duration<double> age = std::chrono::steady_clock::now() - entry.outdated_at;
    snapshots.oldest_seconds = age.count();
  }
  return snapshots;
}

std::vector<StateChain::InUse> StateChain::ListInUse() const {
  std::lock_guard<std::mutex> guard(mutex_);
  std::vector<InUse> all;
  for (const Entry& entry : published_) {
    if (!entry.state->IsInUse()) continue;
    const bool is_newest = entry.state->lsn() == published_.back().state->lsn();
    const std::chrono::duration<double> age = std::chrono::steady_clock::now() - entry.outdated_at;
    all.push_back({entry.state, is_newest ? 0 : age.count()});
  }
  return all;
}

}  // namespace turdb::txn
