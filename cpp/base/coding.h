// Little-endian fixed-width integers and LEB128 varints, as every byte format of turdb uses them.
// Load/Store do not need alignment. Decoders take the end of the input and never read past it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace turdb {

static_assert(std::endian::native == std::endian::little,
              "turdb's files are little-endian; a big-endian port swaps in Load and Store");

template <typename T>
T Load(const void* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void Store(void* to, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to, &value, sizeof(T));
}

inline constexpr int kMaxVarintBytes = 10;

inline int VarintLength(uint64_t value) {
  return value == 0 ? 1 : (std::bit_width(value) + 6) / 7;
}

// Writes 1 to 10 bytes, returns the end.
inline uint8_t* EncodeVarint(uint8_t* to, uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<uint8_t>(value);
  return to;
}

// Returns the byte after the varint, or nullptr when it is cut short or longer than 10 bytes.
inline const uint8_t* DecodeVarint(const uint8_t* from, const uint8_t* end, uint64_t* value) {
  uint64_t result = 0;
  for (int shift = 0; shift < 70 && from < end; shift += 7) {
    const uint64_t byte = *from++;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return from;
    }
  }
  return nullptr;
}

inline void AppendVarint(std::string* to, uint64_t value) {
  uint8_t buffer[kMaxVarintBytes];
  to->append(reinterpret_cast<char*>(buffer), EncodeVarint(buffer, value) - buffer);
}
template <typename T>
void AppendFixed(std::string* to, T value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(T));
}

// Signed values whose small magnitudes encode short.
inline uint64_t ZigZag(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }
inline int64_t UnZigZag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

}  // namespace turdb
