#include "types/cell.h"

#include <cmath>
#include <cstring>

#include "absl/hash/hash.h"
#include "base/strings.h"

namespace turdb {
namespace {

template <typename T>
int Three(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

// NULL 0, numbers 1, text 2, blob 3, vector 4.
int Rank(StorageClass type) {
  switch (type) {
    case StorageClass::kNull: return 0;
    case StorageClass::kInteger:
    case StorageClass::kReal: return 1;
    case StorageClass::kText: return 2;
    case StorageClass::kBlob: return 3;
    case StorageClass::kVector: return 4;
  }
  return 5;
}

int CompareBinary(std::string_view a, std::string_view b) {
  const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
  return order != 0 ? order : Three(a.size(), b.size());
}

std::string_view WithoutTrailingSpaces(std::string_view s) {
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

int CompareNumbers(const Cell& a, const Cell& b) {
  if (a.is_integer()) {
    return b.is_integer() ? Three(a.integer, b.integer) : CompareIntegerReal(a.integer, b.real);
  }
  return b.is_real() ? Three(a.real, b.real) : -CompareIntegerReal(b.integer, a.real);
}

}  // namespace

int CompareIntegerReal(int64_t a, double b) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (b >= kTwo63) return -1;
  if (b < -kTwo63) return 1;
  const int64_t whole = static_cast<int64_t>(b);  // truncates towards zero, exact for |b| >= 2^53
  if (a != whole) return a < whole ? -1 : 1;
  return Three(0.0, b - static_cast<double>(whole));
}

int CompareText(std::string_view a, std::string_view b, Collation collation) {
  switch (collation) {
    case Collation::kNocase: {
      const size_t shorter = std::min(a.size(), b.size());
      for (size_t i = 0; i < shorter; ++i) {
        const int order = static_cast<unsigned char>(AsciiLower(a[i])) -
                          static_cast<unsigned char>(AsciiLower(b[i]));
        if (order != 0) return order;
      }
      return Three(a.size(), b.size());
    }
    case Collation::kRtrim:
      return CompareBinary(WithoutTrailingSpaces(a), WithoutTrailingSpaces(b));
    default:
      return CompareBinary(a, b);
  }
}

int CompareCells(const Cell& a, const Cell& b, Collation collation) {
  const int rank = Rank(a.type);
  const int other = Rank(b.type);
  if (rank != other) return rank - other;
  switch (rank) {
    case 0: return 0;
    case 1: return CompareNumbers(a, b);
    case 2: return CompareText(a.view(), b.view(), collation);
    default: return CompareBinary(a.view(), b.view());
  }
}

uint64_t HashCell(const Cell& cell, Collation collation) {
  switch (cell.type) {
    case StorageClass::kNull: return 0x9ae16a3b2f90404fULL;
    case StorageClass::kInteger: return absl::HashOf(cell.integer);
    case StorageClass::kReal: {
      constexpr double kTwo63 = 9223372036854775808.0;
      if (cell.real >= -kTwo63 && cell.real < kTwo63) {
        const int64_t whole = static_cast<int64_t>(cell.real);
        if (static_cast<double>(whole) == cell.real) return absl::HashOf(whole);
      }
      return absl::HashOf(cell.real);
    }
    case StorageClass::kText:
      if (collation == Collation::kNocase) return absl::HashOf(ToAbsl(AsciiLowerCopy(cell.view())));
      if (collation == Collation::kRtrim) return absl::HashOf(ToAbsl(WithoutTrailingSpaces(cell.view())));
      return absl::HashOf(ToAbsl(cell.view()));
    case StorageClass::kBlob:
    case StorageClass::kVector: return absl::HashOf(ToAbsl(cell.view()), cell.type);
  }
  return 0;
}

}  // namespace turdb
