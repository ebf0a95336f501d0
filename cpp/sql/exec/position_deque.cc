#include "sql/exec/position_deque.h"

#include <algorithm>

namespace turdb::sql {

void PositionDeque::clear() {
  front_.clear();
  back_.clear();
  pieces_.clear();
  space_.Reset();
}

// One number stays, so that it is not empty where it was not.
void PositionDeque::Fail(absl::Status status) {
  clear();
  front_.push_back(0);
  status_ = std::move(status);
}

void PositionDeque::Read(const env::TempBlock& piece, std::vector<uint64_t>* to) {
  to->resize(kPiece);
  const absl::Status status = space_.Read(piece, reinterpret_cast<char*>(to->data()));
  if (!status.ok()) Fail(status);
}

void PositionDeque::FillFront() {
  if (!front_.empty()) return;
  if (pieces_.empty()) return front_.swap(back_);
  Read(pieces_.front(), &piece_);
  if (!status_.ok()) return;
  pieces_.pop_front();
  front_.assign(piece_.begin(), piece_.end());
}

void PositionDeque::FillBack() {
  if (!back_.empty()) return;
  if (pieces_.empty()) return back_.swap(front_);
  Read(pieces_.back(), &piece_);
  if (!status_.ok()) return;
  pieces_.pop_back();
  back_.assign(piece_.begin(), piece_.end());
}

uint64_t PositionDeque::front() {
  FillFront();
  return status_.ok() ? front_.front() : 0;
}

uint64_t PositionDeque::back() {
  FillBack();
  return status_.ok() ? back_.back() : 0;
}

void PositionDeque::pop_front() {
  FillFront();
  if (status_.ok()) front_.pop_front();
  else clear();
}

void PositionDeque::pop_back() {
  FillBack();
  if (status_.ok()) back_.pop_back();
  else clear();
}

void PositionDeque::push_back(uint64_t value) {
  if (!status_.ok()) return;
  back_.push_back(value);
  if (back_.size() < 2 * kPiece) return;
  piece_.assign(back_.begin(), back_.begin() + kPiece);
  const auto written = space_.Append({reinterpret_cast<const char*>(piece_.data()), kPiece * sizeof(uint64_t)});
  if (!written.ok()) return Fail(written.status());
  pieces_.push_back(*written);
  back_.erase(back_.begin(), back_.begin() + kPiece);
}

}  // namespace turdb::sql
