// What every fuzz target shares: its entry point, its input taken apart, and the check that ends the process.
//
// A target is a function FuzzX(data, size) in a file x_fuzz.cc. scripts/fuzz links each with libFuzzer
// (TURDB_FUZZ_MAIN makes the function LLVMFuzzerTestOneInput); tests/fuzz runs the same functions on kept inputs through
// turdb._testing.fuzz. A target finds bugs by crashing: a sanitizer's report, or FUZZ_CHECK.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace turdb::fuzz {

void FuzzBtreeOps(const uint8_t* data, size_t size);
void FuzzDatabaseDecode(const uint8_t* data, size_t size);
void FuzzGraphDecode(const uint8_t* data, size_t size);
void FuzzKeyEncoding(const uint8_t* data, size_t size);
void FuzzPageDecode(const uint8_t* data, size_t size);
void FuzzRecordCodec(const uint8_t* data, size_t size);
void FuzzSqlSyntax(const uint8_t* data, size_t size);
void FuzzWalReader(const uint8_t* data, size_t size);

#define FUZZ_CHECK(condition)                                                             \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);      \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

inline void MustBeOk(const absl::Status& status) {
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  FUZZ_CHECK(status.ok());
}
template <typename T>
T MustBeOk(absl::StatusOr<T> result) {
  MustBeOk(result.status());
  return *std::move(result);
}

// The input, read from its beginning; zeros behind its end.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  uint8_t Byte() { return at_ < end_ ? *at_++ : 0; }
  template <typename T>
  T Number() {
    T value{};
    const size_t n = std::min<size_t>(sizeof(T), end_ - at_);
    if (n > 0) std::memcpy(&value, at_, n);
    at_ += n;
    return value;
  }
  std::string_view Bytes(size_t most) {
    const size_t n = std::min<size_t>(most, end_ - at_);
    const std::string_view bytes(reinterpret_cast<const char*>(at_), n);
    at_ += n;
    return bytes;
  }
  std::string_view Rest() { return Bytes(static_cast<size_t>(end_ - at_)); }

 private:
  const uint8_t* at_;
  const uint8_t* const end_;
};

}  // namespace turdb::fuzz

#ifdef TURDB_FUZZ_MAIN
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  turdb::fuzz::TURDB_FUZZ_MAIN(data, size);
  return 0;
}
#endif
