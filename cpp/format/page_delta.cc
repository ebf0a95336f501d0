// Finding what changed, eight bytes at a time.
#include "format/page_delta.h"

#include <bit>
#include <cstring>

#include "base/coding.h"
#include "format/page.h"

namespace turdb::format {
namespace {

constexpr size_t kWords = kPageBytes / 8;
// A range is described by about 4 bytes, so splitting at 16 equal bytes always pays.
constexpr size_t kBlockWords = 8;
// Most of a page is as it was: so much at a time is compared by the C library, which has a version for every processor.
constexpr size_t kChunkWords = 128;

// The difference in word i, without the header fields that are not logged.
template <bool kHasBase>
uint64_t Difference(const uint8_t* base, const uint8_t* page, size_t i) {
  const uint64_t now = Load<uint64_t>(page + 8 * i);
  uint64_t difference = kHasBase ? now ^ Load<uint64_t>(base + 8 * i) : now;
  if (i == 0) difference &= ~uint64_t{0xffffffff};  // the checksum is the low half of word 0
  if (i == kPageLsnOffset / 8) difference = 0;
  return difference;
}

template <bool kHasBase>
bool IsBlockEqual(const uint8_t* base, const uint8_t* page, size_t i) {
  uint64_t all = 0;
  for (size_t k = 0; k < kBlockWords; ++k) {
    const uint64_t now = Load<uint64_t>(page + 8 * (i + k));
    all |= kHasBase ? now ^ Load<uint64_t>(base + 8 * (i + k)) : now;
  }
  return all == 0;
}

template <bool kHasBase>
size_t FirstDifferent(const uint8_t* base, const uint8_t* page, size_t i) {
  for (; i < kWords && i % kBlockWords != 0; ++i) {
    if (Difference<kHasBase>(base, page, i) != 0) return i;
  }
  while (i < kWords && i != 0) {
    if (kHasBase && i % kChunkWords == 0 && std::memcmp(base + 8 * i, page + 8 * i, 8 * kChunkWords) == 0) {
      i += kChunkWords;
    } else if (IsBlockEqual<kHasBase>(base, page, i)) {
      i += kBlockWords;
    } else {
      break;
    }
  }
  for (; i < kWords; ++i) {
    if (Difference<kHasBase>(base, page, i) != 0) return i;
    if (i % kBlockWords == kBlockWords - 1 && i + 1 < kWords) return FirstDifferent<kHasBase>(base, page, i + 1);
  }
  return kWords;
}

template <bool kHasBase>
void AppendDelta(const uint8_t* base, const uint8_t* page, std::string* to) {
  size_t written = 0;
  for (size_t i = FirstDifferent<kHasBase>(base, page, 0); i < kWords;) {
    const uint64_t first = Difference<kHasBase>(base, page, i);
    const size_t begin = 8 * i + static_cast<size_t>(std::countr_zero(first)) / 8;
    size_t last = i;
    uint64_t last_difference = first;
    for (size_t k = i + 1; k < kWords && k <= last + 2; ++k) {
      const uint64_t difference = Difference<kHasBase>(base, page, k);
      if (difference == 0) continue;
      last = k;
      last_difference = difference;
    }
    const size_t end = 8 * last + 8 - static_cast<size_t>(std::countl_zero(last_difference)) / 8;
    AppendVarint(to, end - begin);
    AppendVarint(to, begin - written);
    to->append(reinterpret_cast<const char*>(page + begin), end - begin);
    written = end;
    i = FirstDifferent<kHasBase>(base, page, last + 1);
  }
  to->push_back('\0');
}

template <typename Take>
const uint8_t* WalkDelta(const uint8_t* at, const uint8_t* end, Take take) {
  uint64_t position = 0;
  while (true) {
    uint64_t length, gap;
    at = DecodeVarint(at, end, &length);
    if (at == nullptr || length == 0) return at;
    at = DecodeVarint(at, end, &gap);
    if (at == nullptr || gap > kPageBytes || length > kPageBytes) return nullptr;
    position += gap;
    if (position + length > kPageBytes || static_cast<uint64_t>(end - at) < length) return nullptr;
    take(position, at, length);
    position += length;
    at += length;
  }
}

}  // namespace

void AppendPageDelta(const uint8_t* base, const uint8_t* page, std::string* to) {
  if (base != nullptr) {
    AppendDelta<true>(base, page, to);
  } else {
    AppendDelta<false>(nullptr, page, to);
  }
}

const uint8_t* ApplyPageDelta(const uint8_t* at, const uint8_t* end, uint8_t* page) {
  return WalkDelta(at, end, [page](uint64_t position, const uint8_t* bytes, uint64_t length) {
    std::memcpy(page + position, bytes, length);
  });
}

const uint8_t* SkipPageDelta(const uint8_t* at, const uint8_t* end) {
  return WalkDelta(at, end, [](uint64_t, const uint8_t*, uint64_t) {});
}

}  // namespace turdb::format
