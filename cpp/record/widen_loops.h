// The loops of widen.h, included once per instruction set by a file that defines TURDB_WIDEN_NAMESPACE; the compiler
// turns them into vector code for the flags of that file (record/flags.cmake).
#include <cstdint>
#include <cstring>

#include "base/coding.h"
#include "record/widen.h"
#include "record/widen_table.h"

namespace turdb::record {
namespace TURDB_WIDEN_NAMESPACE {
namespace {

template <typename T>
void Widen(const uint8_t* __restrict from, uint32_t n, int64_t* __restrict to) {
  for (uint32_t i = 0; i < n; ++i) to[i] = Load<T>(from + sizeof(T) * i);
}
template <typename T>
void WidenAdd(const uint8_t* __restrict from, uint32_t n, uint64_t base, int64_t* __restrict to) {
  for (uint32_t i = 0; i < n; ++i) to[i] = static_cast<int64_t>(base + Load<T>(from + sizeof(T) * i));
}
template <typename T>
void Narrow(const int64_t* __restrict from, uint32_t n, uint8_t* __restrict to) {
  for (uint32_t i = 0; i < n; ++i) Store<T>(to + sizeof(T) * i, static_cast<T>(from[i]));
}

void WidenAny(const uint8_t* from, uint32_t width, uint32_t n, int64_t* to) {
  switch (width) {
    case 1: return Widen<int8_t>(from, n, to);
    case 2: return Widen<int16_t>(from, n, to);
    case 4: return Widen<int32_t>(from, n, to);
    default: std::memcpy(to, from, 8 * size_t{n});
  }
}

void WidenKeysAny(const uint8_t* from, uint32_t width, uint32_t n, int64_t base, int64_t* to) {
  const uint64_t start = static_cast<uint64_t>(base);
  switch (width) {
    case 0:
      for (uint32_t i = 0; i < n; ++i) to[i] = static_cast<int64_t>(start + i);
      return;
    case 1: return WidenAdd<uint8_t>(from, n, start, to);
    case 2: return WidenAdd<uint16_t>(from, n, start, to);
    case 4: return WidenAdd<uint32_t>(from, n, start, to);
    default: return WidenAdd<uint64_t>(from, n, start, to);
  }
}

void NarrowAny(const int64_t* from, uint32_t width, uint32_t n, uint8_t* to) {
  switch (width) {
    case 1: return Narrow<int8_t>(from, n, to);
    case 2: return Narrow<int16_t>(from, n, to);
    case 4: return Narrow<int32_t>(from, n, to);
    default: std::memcpy(to, from, 8 * size_t{n});
  }
}

IntRange Range(const int64_t* values, uint32_t n) {
  int64_t min = values[0];
  int64_t max = values[0];
  for (uint32_t i = 1; i < n; ++i) {
    min = values[i] < min ? values[i] : min;
    max = values[i] > max ? values[i] : max;
  }
  return {min, max};
}

}  // namespace

extern const WidenTable kTable;
const WidenTable kTable = {WidenAny, WidenKeysAny, NarrowAny, Range};

}  // namespace TURDB_WIDEN_NAMESPACE
}  // namespace turdb::record
