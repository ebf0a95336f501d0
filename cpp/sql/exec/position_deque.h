// PositionDeque: numbers that are added and taken at both ends, of which only the ends are in memory.
//
// What lies between waits in a temporary file, in pieces. An error empties it and is left where its maker wants it. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "env/temp_file.h"

namespace turdb::sql {

class PositionDeque {
 public:
  // Errors go to *status, which outlives it.
  PositionDeque(env::TempPlace place, absl::Status* status) : space_(std::move(place)), status_(*status) {}

  bool empty() const { return front_.empty() && pieces_.empty() && back_.empty(); }
  // REQUIRES: !empty().
  uint64_t front();
  uint64_t back();
  void pop_front();
  void pop_back();
  void push_back(uint64_t value);
  void clear();

 private:
  static constexpr size_t kPiece = 4096;

  void FillFront();
  void FillBack();
  void Read(const env::TempBlock& piece, std::vector<uint64_t>* to);
  void Fail(absl::Status status);

  env::TempSpace space_;
  std::deque<uint64_t> front_, back_;
  std::deque<env::TempBlock> pieces_;
  std::vector<uint64_t> piece_;
  absl::Status& status_;
};

}  // namespace turdb::sql
