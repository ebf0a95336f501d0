// Lookup and copy on write of a state's chunks.
#include "txn/database_state.h"

#include <algorithm>

namespace turdb::txn {
namespace {

template <typename Chunks>
auto LowerBound(Chunks& chunks, uint32_t index) {
  return std::lower_bound(chunks.begin(), chunks.end(), index,
                          [](const auto& entry, uint32_t wanted) { return entry.first < wanted; });
}

}  // namespace

const pager::FileState* DatabaseState::Find(FileId file) const {
  const uint32_t index = file.value() / kChunk;
  const auto found = LowerBound(chunks_, index);
  if (found == chunks_.end() || found->first != index) return nullptr;
  return found->second->files[file.value() % kChunk].get();
}

IntrusivePtr<DatabaseState> DatabaseState::CopyAt(Lsn lsn) const {
  auto copy = MakeIntrusive<DatabaseState>(lsn);
  copy->chunks_ = chunks_;
  return copy;
}

void DatabaseState::Set(FileId file, IntrusivePtr<pager::FileState> state) {
  const uint32_t index = file.value() / kChunk;
  auto found = LowerBound(chunks_, index);
  if (found == chunks_.end() || found->first != index) {
    if (!state) return;
    found = chunks_.insert(found, {index, MakeIntrusive<Chunk>(epoch_)});
  } else if (found->second->owner != epoch_) {
    auto copy = MakeIntrusive<Chunk>(epoch_);
    copy->n_used = found->second->n_used;
    copy->files = found->second->files;
    found->second = std::move(copy);
  }
  Chunk& chunk = *found->second;
  auto& slot = chunk.files[file.value() % kChunk];
  chunk.n_used += (state ? 1 : 0) - (slot ? 1 : 0);
  slot = std::move(state);
  if (chunk.n_used == 0) chunks_.erase(found);
}

}  // namespace turdb::txn
