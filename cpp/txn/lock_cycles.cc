// Deadlocks of the lock table, and what its errors say.
//
// A waiter waits for the incompatible holders of its resource and for the requests that stand before its own. A new wait is the
// only thing that can close a cycle, so the graph is searched once a wait begins, from the one who begins it.
#include <algorithm>
#include <set>

#include "base/errors.h"
#include "txn/lock_table.h"

namespace turdb::txn {
namespace {

std::string_view KindName(LockKey::Kind kind) {
  switch (kind) {
    case LockKey::Kind::kDatabase: return "the database";
    case LockKey::Kind::kTable: return "table";
    case LockKey::Kind::kRow: return "row";
    case LockKey::Kind::kKey: return "a key";
  }
  return "";
}

// "row 5 of table 't'"
std::string Describe(const LockKey& key, std::string_view name) {
  switch (key.kind) {
    case LockKey::Kind::kDatabase: return "the database";
    case LockKey::Kind::kTable: return Cat("table '", name, "'");
    case LockKey::Kind::kRow: return Cat("row ", static_cast<int64_t>(key.id), " of table '", name, "'");
    case LockKey::Kind::kKey: return Cat("a key of a unique index of table '", name, "'");
  }
  return "";
}

}  // namespace

std::vector<LockOwner*> LockTable::BlockersLocked(const LockOwner* owner) const {
  std::vector<LockOwner*> blockers;
  if (owner->waits_for_ == nullptr) return blockers;
  const auto found = queues_.find(*owner->waits_for_);
  if (found == queues_.end()) return blockers;
  const Queue& queue = found->second;
  const auto own = std::find_if(queue.begin(), queue.end(), [&](const Request* request) { return request->owner == owner; });
  if (own == queue.end()) return blockers;
  AllHoldersLocked(*owner->waits_for_, [&](LockOwner* holder, LockMode held) {
    if (holder != owner && !AreCompatible(held, (*own)->mode)) blockers.push_back(holder);
    return true;
  });
  for (auto before = queue.begin(); before != own; ++before) blockers.push_back((*before)->owner);
  return blockers;
}

bool LockTable::FindCycleLocked(LockOwner* owner, std::vector<LockOwner*>* cycle) const {
  struct Step {
    LockOwner* at;
    std::vector<LockOwner*> next;
  };
  std::vector<Step> path;
  std::set<LockOwner*> seen;
  path.push_back({owner, BlockersLocked(owner)});
  while (!path.empty()) {
    Step& top = path.back();
    if (top.next.empty()) {
      path.pop_back();
      continue;
    }
    LockOwner* const next = top.next.back();
    top.next.pop_back();
    if (next == owner) {
      cycle->clear();
      for (const Step& step : path) cycle->push_back(step.at);
      return true;
    }
    // One that was chosen already is about to let go.
    if (next->is_victim_ || next->waits_for_ == nullptr || !seen.insert(next).second) continue;
    path.push_back({next, BlockersLocked(next)});
  }
  return false;
}

std::string LockTable::DescribeCycleLocked(const std::vector<LockOwner*>& cycle, const LockOwner* victim) const {
  std::string text = "deadlock detected: ";
  for (size_t i = 0; i < cycle.size(); ++i) {
    const LockOwner* next = cycle[(i + 1) % cycle.size()];
    text += Cat(i > 0 ? ", " : "", "transaction ", cycle[i]->id().value(), " waits for ",
                KindName(cycle[i]->waits_for_->kind), " held by ", next->id().value());
  }
  return text + Cat("; transaction ", victim->id().value(), ", the youngest, was rolled back: run it again");
}

void LockTable::EndCyclesLocked(LockOwner* owner) {
  std::vector<LockOwner*> cycle;
  while (!owner->is_victim_ && FindCycleLocked(owner, &cycle)) {
    LockOwner* const victim =
        *std::max_element(cycle.begin(), cycle.end(), [](auto* a, auto* b) { return a->id() < b->id(); });
    victim->victim_message_ = DescribeCycleLocked(cycle, victim);
    victim->is_victim_ = true;
    victim->wake_.notify_one();
  }
}

absl::Status LockTable::TimeoutLocked(const LockOwner* owner, const LockKey& key, std::string_view name,
                                      const LockWait& wait) const {
  std::string holders;
  AllHoldersLocked(key, [&](const LockOwner* holder, LockMode) {
    if (holder != owner) holders += Cat(holders.empty() ? "" : ", ", holder->id().value());
    return true;
  });
  const std::string waited = wait.timeout.count() > 0 ? Cat(" (waited ", wait.timeout.count(), " ms)") : std::string();
  const std::string by = holders.empty() ? "others wait for it already" : Cat("transaction ", holders, " holds it");
  return BusyError("database is locked: ", Describe(key, name), " is not free, ", by, waited, "; retry");
}

}  // namespace turdb::txn
