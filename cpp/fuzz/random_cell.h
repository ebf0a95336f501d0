// Cells made from a fuzzer's input: any storage class, and the values at which encodings change their width.
#pragma once

#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "fuzz/target.h"
#include "types/cell.h"

namespace turdb::fuzz {

class CellMaker {
 public:
  // A cell whose bytes live as long as the maker. `longest`: of text and blobs; made longer than the input by repetition.
  Cell Make(Input* input, uint32_t longest) {
    switch (input->Byte() % 8) {
      case 0: return Cell();
      case 1: return Cell::Integer(static_cast<int8_t>(input->Byte()));
      case 2: return Cell::Integer(Integer(input));
      case 3: return Cell::Real(static_cast<double>(Integer(input)));
      case 4: return Cell::Real(input->Number<double>());
      case 5: return Cell::Text(Text(input, longest));
      case 6: return Cell::Blob(Text(input, longest));
      default: return Cell::Text(input->Bytes(input->Byte() % 16));
    }
  }
  std::vector<Cell> MakeRow(Input* input, uint32_t columns, uint32_t longest) {
    std::vector<Cell> row;
    for (uint32_t c = 0; c < columns; ++c) row.push_back(Make(input, longest));
    return row;
  }
  std::string_view Text(Input* input, uint32_t longest) {
    const uint32_t length = input->Number<uint16_t>() % (longest + 1);
    const std::string_view pattern = input->Bytes(1 + input->Byte() % 8);
    std::string text(pattern);
    if (!pattern.empty()) {
      while (text.size() < length) text.append(pattern);
    }
    text.resize(std::min<size_t>(text.size(), length));
    kept_.push_back(std::move(text));
    return kept_.back();
  }

 private:
  // A power of two and its surroundings.
  static int64_t Integer(Input* input) {
    const uint64_t power = uint64_t{1} << (input->Byte() % 64);
    const uint64_t value = power + static_cast<uint64_t>(static_cast<int8_t>(input->Byte()));
    return static_cast<int64_t>(input->Byte() % 2 == 0 ? value : ~value);
  }

  std::deque<std::string> kept_;
};

inline bool IsSame(const Cell& a, const Cell& b) {
  if (a.type != b.type) return false;
  if (a.has_bytes()) return a.view() == b.view();
  return a.is_null() || a.integer == b.integer;  // reals by their bits
}

}  // namespace turdb::fuzz
