// Chunks of slots: taking, giving back, growing, cooling.
#include "pager/spill_region.h"

#include <algorithm>
#include <bit>

#include "base/errors.h"
#include "base/poison.h"
#include "base/status_macros.h"

namespace turdb::pager {
namespace {

// The file is mapped in pieces that grow with it: few maps for the operating system, little waste for small spills.
constexpr uint32_t kFirstMapChunks = 4, kLargestMapChunks = 256;
// Empty chunks that keep their disk space, for transactions that spill a little again and again.
constexpr uint32_t kKeptEmpty = 4;

}  // namespace

SpillRegion::~SpillRegion() {
  for (const Chunk& chunk : chunks_) Unpoison(chunk.bytes, kChunkBytes);  // the addresses may be mapped again
}

absl::Status SpillRegion::Grow() {
  if (file_ == nullptr) {
    auto file = env_->NewSpillFile(directory_);
    // A read-only database on a read-only disk: what recovery made stays in memory.
    is_impossible_ = file.ok() ? *file == nullptr : KindOf(file.status()) == ErrorKind::kReadOnly;
    if (is_impossible_) return absl::OkStatus();
    TURDB_RETURN_IF_ERROR(file.status());
    file_ = *std::move(file);
  }
  const auto n_old = static_cast<uint32_t>(chunks_.size());
  const uint32_t n_new = std::clamp(n_old / 2, kFirstMapChunks, kLargestMapChunks);
  TURDB_ASSIGN_OR_RETURN(uint8_t* data, file_->Map(n_old * kChunkBytes, n_new * kChunkBytes));
  for (uint32_t i = 0; i < n_new; ++i) {
    chunks_.push_back({data + i * kChunkBytes});
    Poison(chunks_.back().bytes, kChunkBytes);
    bare_.push_back(n_old + n_new - 1 - i);  // the first is taken first
  }
  return absl::OkStatus();
}

absl::Status SpillRegion::OpenChunk() {
  if (bare_.empty()) TURDB_RETURN_IF_ERROR(Grow());
  if (is_impossible_) return absl::OkStatus();
  const uint32_t number = bare_.back();
  TURDB_RETURN_IF_ERROR(file_->Reserve(number * kChunkBytes, kChunkBytes));
  bare_.pop_back();
  chunks_[number].is_reserved = chunks_[number].is_listed = true;
  open_.push_back(number);
  ++n_empty_;
  ++n_reserved_;
  return absl::OkStatus();
}

absl::StatusOr<SpillRegion::Slot> SpillRegion::Take() {
  std::lock_guard<std::mutex> guard(mutex_);
  while (true) {
    if (open_.empty()) TURDB_RETURN_IF_ERROR(OpenChunk());
    if (is_impossible_) return Slot();
    const uint32_t number = open_.back();
    Chunk& chunk = chunks_[number];
    if (!chunk.is_reserved || chunk.free == 0) {
      chunk.is_listed = false;
      open_.pop_back();
      continue;
    }
    if (chunk.free == ~uint64_t{0}) --n_empty_;
    const auto bit = static_cast<uint32_t>(std::countr_zero(chunk.free));
    chunk.free &= chunk.free - 1;
    if (chunk.free == 0) CoolAfterFilling(number);
    ++n_used_;
    Unpoison(chunk.bytes + bit * format::kPageBytes, format::kPageBytes);
    return Slot{chunk.bytes + bit * format::kPageBytes, number * kChunkSlots + bit};
  }
}

void SpillRegion::CoolAfterFilling(uint32_t number) {
  next_to_cool_ = next_to_cool_ + 1 < chunks_.size() ? next_to_cool_ + 1 : 0;
  for (const uint32_t cooled : {last_filled_, next_to_cool_}) {
    if (cooled != number && chunks_[cooled].is_reserved) file_->Cool(chunks_[cooled].bytes, kChunkBytes);
  }
  last_filled_ = number;
}

void SpillRegion::Give(uint32_t number) {
  std::lock_guard<std::mutex> guard(mutex_);
  Chunk& chunk = chunks_[number / kChunkSlots];
  Poison(chunk.bytes + number % kChunkSlots * format::kPageBytes, format::kPageBytes);
  chunk.free |= uint64_t{1} << (number % kChunkSlots);
  --n_used_;
  if (chunk.free == ~uint64_t{0} && ++n_empty_ > kKeptEmpty) {
    file_->Discard(uint64_t{number / kChunkSlots} * kChunkBytes, kChunkBytes);
    chunk.is_reserved = false;
    bare_.push_back(number / kChunkSlots);
    --n_empty_;
    --n_reserved_;
  } else if (!chunk.is_listed) {
    chunk.is_listed = true;
    open_.push_back(number / kChunkSlots);
  }
}

uint64_t SpillRegion::used_bytes() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return n_used_ * format::kPageBytes;
}

uint64_t SpillRegion::file_bytes() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return n_reserved_ * kChunkBytes;
}

}  // namespace turdb::pager
