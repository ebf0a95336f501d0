// CRC-32C by instruction or by table. One crc instruction takes 8 bytes with a latency of 3 cycles and a throughput
// of 1, so three independent streams run at full rate. Their results are joined by multiplying with x^(8n) modulo
// the polynomial, which is linear and therefore four table lookups (tables computed at compile time).
#include "base/crc32c.h"

#include <array>

#include "base/coding.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif
#endif

namespace turdb {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

// Product of two polynomials modulo the CRC's, in reflected bit order (bit 31 is x^0).
constexpr uint32_t Multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b >> 1) ^ ((b & 1) ? kPolynomial : 0);
  }
  return product;
}

// x^(8 * bytes) modulo the polynomial.
constexpr uint32_t PowerOfX(uint64_t bytes) {
  uint32_t result = 0x80000000u;
  uint32_t square = 0x00800000u;  // x^8
  for (; bytes != 0; bytes >>= 1) {
    if (bytes & 1) result = Multiply(result, square);
    square = Multiply(square, square);
  }
  return result;
}

using ByteTable = std::array<uint32_t, 256>;

constexpr ByteTable MakeByteTable() {
  ByteTable table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    table[i] = crc;
  }
  return table;
}

// Slicing by 8: table k gives the effect of a byte that 7 - k further bytes follow.
constexpr std::array<ByteTable, 8> MakeSlicingTables() {
  std::array<ByteTable, 8> tables{};
  tables[0] = MakeByteTable();
  for (int k = 1; k < 8; ++k) {
    for (int i = 0; i < 256; ++i) {
      tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 255];
    }
  }
  return tables;
}
constexpr std::array<ByteTable, 8> kSlicing = MakeSlicingTables();

uint32_t UpdateByTable(uint32_t state, const uint8_t* at, size_t length) {
  for (; length >= 8; at += 8, length -= 8) {
    const uint64_t word = Load<uint64_t>(at) ^ state;
    state = 0;
    for (int k = 0; k < 8; ++k) state ^= kSlicing[7 - k][(word >> (8 * k)) & 255];
  }
  for (; length > 0; ++at, --length) state = (state >> 8) ^ kSlicing[0][(state ^ *at) & 255];
  return state;
}

#if defined(__x86_64__) || defined(__aarch64__)
#define TURDB_CRC_INSTRUCTION 1

#if defined(__x86_64__)
#define TURDB_CRC_TARGET __attribute__((target("sse4.2")))
TURDB_CRC_TARGET inline uint32_t Step8(uint32_t crc, uint64_t word) {
  return static_cast<uint32_t>(_mm_crc32_u64(crc, word));
}
TURDB_CRC_TARGET inline uint32_t Step1(uint32_t crc, uint8_t byte) { return _mm_crc32_u8(crc, byte); }
bool HasInstruction() { return __builtin_cpu_supports("sse4.2"); }
#else
#define TURDB_CRC_TARGET __attribute__((target("+crc")))
TURDB_CRC_TARGET inline uint32_t Step8(uint32_t crc, uint64_t word) { return __crc32cd(crc, word); }
TURDB_CRC_TARGET inline uint32_t Step1(uint32_t crc, uint8_t byte) { return __crc32cb(crc, byte); }
bool HasInstruction() {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
  return true;
#endif
}
#endif

using ShiftTables = std::array<ByteTable, 4>;

// How a state changes when `bytes` zero bytes follow, a byte of the state at a time.
constexpr ShiftTables MakeShiftTables(uint64_t bytes) {
  ShiftTables tables{};
  const uint32_t power = PowerOfX(bytes);
  for (int k = 0; k < 4; ++k) {
    for (uint32_t i = 0; i < 256; ++i) tables[k][i] = Multiply(i << (8 * k), power);
  }
  return tables;
}

// Three times 1344 bytes: four rounds cover a page but for 256 bytes, which three times 80 nearly finish.
constexpr size_t kLongStream = 1344;
constexpr size_t kShortStream = 80;
constexpr ShiftTables kShiftLong = MakeShiftTables(kLongStream);
constexpr ShiftTables kShiftShort = MakeShiftTables(kShortStream);

inline uint32_t Shift(const ShiftTables& tables, uint32_t state) {
  return tables[0][state & 255] ^ tables[1][(state >> 8) & 255] ^ tables[2][(state >> 16) & 255] ^
         tables[3][state >> 24];
}

template <size_t kStream>
TURDB_CRC_TARGET inline uint32_t ThreeStreams(uint32_t state, const uint8_t* at, const ShiftTables& shift) {
  uint32_t second = 0, third = 0;
  for (size_t i = 0; i < kStream; i += 8) {
    state = Step8(state, Load<uint64_t>(at + i));
    second = Step8(second, Load<uint64_t>(at + kStream + i));
    third = Step8(third, Load<uint64_t>(at + 2 * kStream + i));
  }
  state = Shift(shift, state) ^ second;
  return Shift(shift, state) ^ third;
}

TURDB_CRC_TARGET uint32_t UpdateByInstruction(uint32_t state, const uint8_t* at, size_t length) {
  for (; length >= 3 * kLongStream; at += 3 * kLongStream, length -= 3 * kLongStream) {
    state = ThreeStreams<kLongStream>(state, at, kShiftLong);
  }
  for (; length >= 3 * kShortStream; at += 3 * kShortStream, length -= 3 * kShortStream) {
    state = ThreeStreams<kShortStream>(state, at, kShiftShort);
  }
  for (; length >= 8; at += 8, length -= 8) state = Step8(state, Load<uint64_t>(at));
  for (; length > 0; ++at, --length) state = Step1(state, *at);
  return state;
}
#endif

}  // namespace

uint32_t Crc32cByTable(uint32_t crc, const void* bytes, size_t length) {
  return ~UpdateByTable(~crc, static_cast<const uint8_t*>(bytes), length);
}

uint32_t Crc32c(uint32_t crc, const void* bytes, size_t length) {
#ifdef TURDB_CRC_INSTRUCTION
  static const bool has_instruction = HasInstruction();
  if (has_instruction) return ~UpdateByInstruction(~crc, static_cast<const uint8_t*>(bytes), length);
#endif
  return Crc32cByTable(crc, bytes, length);
}

}  // namespace turdb
