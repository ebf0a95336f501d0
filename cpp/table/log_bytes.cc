#include "table/log_bytes.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::table {
namespace {

constexpr size_t kFirstChunkBytes = 256;
constexpr size_t kChunkBytes = 64 << 10;

}  // namespace

absl::StatusOr<char*> LogBytes::Reserve(size_t n) {
  if (!chunks_.empty()) {
    Chunk& last = chunks_.back();
    if (last.bytes != nullptr && last.capacity - last.used >= n) return last.bytes.get() + last.used;
  }
  if (memory_bytes_ >= bound_) TURDB_RETURN_IF_ERROR(Spill());
  const size_t doubled = chunks_.empty() ? kFirstChunkBytes : std::min(kChunkBytes, 2 * chunks_.back().capacity);
  Chunk chunk;
  chunk.capacity = std::max(n, doubled);
  chunk.bytes.reset(new char[chunk.capacity]);
  memory_bytes_ += chunk.capacity;
  chunks_.push_back(std::move(chunk));
  return chunks_.back().bytes.get();
}

absl::Status LogBytes::Spill() {
  for (; n_spilled_ < chunks_.size(); ++n_spilled_) {
    Chunk& chunk = chunks_[n_spilled_];
    if (chunk.bytes == nullptr) continue;
    TURDB_ASSIGN_OR_RETURN(chunk.block, space_.Append(std::string_view(chunk.bytes.get(), chunk.used)));
    chunk.bytes.reset();
    memory_bytes_ -= chunk.capacity;
  }
  return absl::OkStatus();
}

void LogBytes::CutBackTo(uint64_t size) {
  while (size_ > size) {
    Chunk& last = chunks_.back();
    const uint64_t first = size_ - last.used;
    if (first < size) {
      last.used = size - first;
      size_ = size;
      break;
    }
    size_ = first;
    if (last.bytes != nullptr) memory_bytes_ -= last.capacity;
    chunks_.pop_back();
  }
  n_spilled_ = std::min(n_spilled_, chunks_.size());
}

void LogBytes::Clear() {
  CutBackTo(0);
  std::vector<Chunk>().swap(chunks_);
  memory_bytes_ = 0;
  n_spilled_ = 0;
  space_.Reset();
}

absl::Status LogBytes::ForEach(absl::FunctionRef<absl::Status(std::string_view records)> visit) {
  std::unique_ptr<char[]> read;
  size_t capacity = 0;
  for (const Chunk& chunk : chunks_) {
    const char* bytes = chunk.bytes.get();
    if (bytes == nullptr) {
      if (capacity < chunk.block->length) read.reset(new char[capacity = chunk.block->length]);
      TURDB_RETURN_IF_ERROR(space_.Read(*chunk.block, read.get()));
      bytes = read.get();
    }
    TURDB_RETURN_IF_ERROR(visit(std::string_view(bytes, chunk.used)));
  }
  return absl::OkStatus();
}

}  // namespace turdb::table
