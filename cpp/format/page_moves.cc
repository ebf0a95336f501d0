// Finding what moved: where the pages differ, the widths of packed arrays are tried in both directions.
#include "format/page_moves.h"

#include <array>
#include <cstring>
#include <vector>

#include "base/coding.h"
#include "format/page.h"

namespace turdb::format {
namespace {

constexpr size_t kLeastLength = 32;    // a move takes about 5 bytes, and cuts a range of the delta in two
constexpr size_t kMostMoves = 64;
constexpr size_t kMostMisses = 64;     // a page that is new altogether is given up soon
constexpr std::array<int, 10> kDistances = {-1, -2, -4, -6, -8, 1, 2, 4, 6, 8};  // from the new place to the old one

struct Move {
  size_t to = 0;
  size_t length = 0;
  int distance = 0;
};

size_t MatchLength(const uint8_t* a, const uint8_t* b, size_t most) {
  size_t n = 0;
  while (n + 8 <= most && Load<uint64_t>(a + n) == Load<uint64_t>(b + n)) n += 8;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

// The longest move that begins at or right behind the first different byte.
Move Longest(const uint8_t* base, const uint8_t* page, size_t at) {
  Move best;
  for (const int distance : kDistances) {
    const size_t to = distance < 0 ? at + static_cast<size_t>(-distance) : at;  // behind what was put in
    const size_t from = distance < 0 ? at : at + static_cast<size_t>(distance);
    if (std::max(to, from) + kLeastLength > kPageBytes) continue;
    const size_t length = MatchLength(page + to, base + from, kPageBytes - std::max(to, from));
    if (length >= kLeastLength && length > best.length) best = {to, length, distance};
  }
  return best;
}

template <typename Take>
const uint8_t* WalkMoves(const uint8_t* at, const uint8_t* end, Take take) {
  uint64_t position = kPageHeaderBytes;
  while (true) {
    uint64_t length, gap, zigzag;
    at = DecodeVarint(at, end, &length);
    if (at == nullptr || length == 0) return at;
    at = DecodeVarint(at, end, &gap);
    if (at == nullptr || gap > kPageBytes || length > kPageBytes) return nullptr;
    at = DecodeVarint(at, end, &zigzag);
    if (at == nullptr || zigzag > 2 * kPageBytes) return nullptr;
    position += gap;
    const int64_t from = static_cast<int64_t>(position) + UnZigZag(zigzag);
    if (position + length > kPageBytes || from < static_cast<int64_t>(kPageHeaderBytes) ||
        from + static_cast<int64_t>(length) > static_cast<int64_t>(kPageBytes)) {
      return nullptr;
    }
    take(position, static_cast<size_t>(from), length);
    position += length;
  }
}

}  // namespace

bool AppendPageMoves(const uint8_t* base, const uint8_t* page, std::string* to, uint8_t* moved) {
  std::vector<Move> moves;
  size_t misses = 0;
  size_t at = kPageHeaderBytes;
  while (moves.size() < kMostMoves && misses < kMostMisses) {
    at += MatchLength(base + at, page + at, kPageBytes - at);
    if (at + kLeastLength > kPageBytes) break;
    if (Load<uint64_t>(base + at + 16) == Load<uint64_t>(page + at + 16) &&
        Load<uint64_t>(base + at + 24) == Load<uint64_t>(page + at + 24)) {  // a value changed in its place
      at += 16;
      continue;
    }
    const Move move = Longest(base, page, at);
    if (move.length == 0) {
      ++misses;
      at += 8;
      continue;
    }
    moves.push_back(move);
    at = move.to + move.length;
  }
  if (moves.empty()) return false;
  std::memcpy(moved, base, kPageBytes);
  size_t written = kPageHeaderBytes;
  for (const Move& move : moves) {
    std::memcpy(moved + move.to, base + static_cast<int64_t>(move.to) + move.distance, move.length);
    AppendVarint(to, move.length);
    AppendVarint(to, move.to - written);
    AppendVarint(to, ZigZag(move.distance));
    written = move.to + move.length;
  }
  to->push_back('\0');
  return true;
}

const uint8_t* ApplyPageMoves(const uint8_t* at, const uint8_t* end, uint8_t* page) {
  uint8_t before[kPageBytes];
  std::memcpy(before, page, kPageBytes);
  return WalkMoves(at, end, [&](uint64_t to, size_t from, uint64_t length) { std::memcpy(page + to, before + from, length); });
}

const uint8_t* SkipPageMoves(const uint8_t* at, const uint8_t* end) {
  return WalkMoves(at, end, [](uint64_t, size_t, uint64_t) {});
}

}  // namespace turdb::format
