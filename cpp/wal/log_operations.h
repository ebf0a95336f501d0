// The operations in a frame's payload (format/wal_record.h), one after another.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "base/coding.h"
#include "format/page_delta.h"
#include "format/page_moves.h"
#include "format/wal_record.h"
#include "wal/log_reader.h"

namespace turdb::wal {

// One operation, with the fields that its kind has.
struct Operation {
  format::LogOp op;
  uint64_t file = 0;
  std::string_view name;
  uint64_t page = 0;
  PageChange change;  // without its LSN; its delta is null in operations of other kinds
};

// Next is false at the end and at bytes that make no sense (is_bad).
class OperationReader {
 public:
  explicit OperationReader(std::string_view payload)
      : at_(reinterpret_cast<const uint8_t*>(payload.data())), end_(at_ + payload.size()) {}

  bool Next(Operation* out) {
    if (at_ == nullptr || at_ == end_) return false;
    *out = Operation{static_cast<format::LogOp>(*at_++)};
    at_ = DecodeVarint(at_, end_, &out->file);
    if (at_ == nullptr || out->file > std::numeric_limits<uint32_t>::max()) return Bad();
    switch (out->op) {
      case format::LogOp::kFileName: return Name(out);
      case format::LogOp::kCreate:
      case format::LogOp::kDrop: return true;
      case format::LogOp::kPage:
      case format::LogOp::kZeroPage:
      case format::LogOp::kMovedPage: return Page(out);
    }
    return Bad();
  }
  bool is_bad() const { return at_ == nullptr; }

 private:
  bool Bad() {
    at_ = nullptr;
    return false;
  }
  bool Name(Operation* out) {
    uint64_t length;
    at_ = DecodeVarint(at_, end_, &length);
    if (at_ == nullptr || length > static_cast<uint64_t>(end_ - at_)) return Bad();
    out->name = {reinterpret_cast<const char*>(at_), length};
    at_ += length;
    return true;
  }
  bool Page(Operation* out) {
    at_ = DecodeVarint(at_, end_, &out->page);
    if (at_ == nullptr || out->page > std::numeric_limits<uint32_t>::max()) return Bad();
    PageChange& change = out->change;
    change.is_from_zero = out->op == format::LogOp::kZeroPage;
    if (out->op == format::LogOp::kMovedPage) {
      change.moves = at_;
      at_ = format::SkipPageMoves(at_, end_);
      change.moves_end = at_;
      if (at_ == nullptr) return Bad();
    }
    change.delta = at_;
    at_ = format::SkipPageDelta(at_, end_);
    change.delta_end = at_;
    return at_ != nullptr;
  }
  const uint8_t* at_;
  const uint8_t* const end_;
};

}  // namespace turdb::wal
