// The seam between std::string_view, which turdb uses everywhere, and Abseil's own string_view
// (Debian builds Abseil for C++14, where the two are different types).
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace turdb {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view FromAbsl(absl::string_view s) { return {s.data(), s.size()}; }

namespace internal {
template <typename T>
decltype(auto) CatArgument(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view> &&
                !std::is_convertible_v<const T&, const char*>) {
    return ToAbsl(std::string_view(value));
  } else {
    return (value);
  }
}
}  // namespace internal

// Concatenates strings and numbers: Cat("page ", id.value(), " of ", path).
template <typename... Ts>
std::string Cat(const Ts&... values) {
  return absl::StrCat(internal::CatArgument(values)...);
}

// ASCII case, as SQL names and keywords fold (other bytes stay as they are).
inline char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline char AsciiUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
std::string AsciiLowerCopy(std::string_view s);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace turdb
