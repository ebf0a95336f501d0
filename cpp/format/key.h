// The first byte of each part of an encoded key; prose and examples in docs/format/key.md.
//
// The order of the codes is the order of the types. Gaps are for types to come, so that adding one never
// changes an existing index. No code is 0x00 or 0xff.
#pragma once

#include <cstdint>

namespace turdb::format {

inline constexpr uint8_t kKeyNull = 0x08;
// Numbers: kKeyNumberZero + n is a non-negative number of n bytes (0..8), kKeyNumberZero - 1 - n a negative one.
inline constexpr uint8_t kKeyNumberHugeNegative = 0x26;  // a real below int64, -inf first
inline constexpr uint8_t kKeyNumberZero = 0x30;
inline constexpr uint8_t kKeyNumberHuge = 0x39;          // a real of 2^63 or more, +inf last
// 0x40..0x7f: boolean, date, time, timestamp, interval, and others that sort before text
inline constexpr uint8_t kKeyText = 0x80;
inline constexpr uint8_t kKeyBlob = 0x90;
// 0x98..0x9f: uuid, inet, macaddr
inline constexpr uint8_t kKeyVector = 0xa0;
// 0xa8..0xdf: json, arrays, ranges, tuples, enums, users' own
inline constexpr uint8_t kKeyRowIdZero = 0xf0;           // + n or - 1 - n, as for numbers

// Inside text, blob and vector parts.
inline constexpr uint8_t kKeyTerminator = 0x00;
inline constexpr uint8_t kKeyEscape = 0x01;  // followed by the byte + 1; stands before 0x00 and 0x01

}  // namespace turdb::format
