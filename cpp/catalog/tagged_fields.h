// Tagged fields: the byte form of a catalog definition (docs/format/catalog.md): (tag, length, bytes) one after another.
//
// A struct is described once, as a list of Field(tag, member) calls, for both directions. A member at its default is
// left out, so new fields cost nothing in old definitions. A tag that the reader does not know means a newer turdb
// wrote it: kNewerFormat. Damaged bytes are remembered as an error and never read past.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "base/strong_id.h"
#include "types/logical_type.h"
#include "types/value.h"

namespace turdb::catalog {

class FieldWriter {
 public:
  static constexpr bool kIsWriter = true;
  explicit FieldWriter(std::string* to) : to_(to) {}

  void Field(uint32_t tag, std::string& v) { if (!v.empty()) Put(tag, v); }
  void Field(uint32_t tag, bool& v) { if (v) PutInteger(tag, 1); }
  void Field(uint32_t tag, int& v, int unset = 0) { if (v != unset) PutInteger(tag, v); }
  void Field(uint32_t tag, uint32_t& v) { if (v != 0) PutInteger(tag, v); }
  void Field(uint32_t tag, std::vector<int>& v);
  void Field(uint32_t tag, std::vector<std::string>& v) { for (std::string& s : v) Put(tag, s); }
  void Field(uint32_t tag, std::optional<std::string>& v) { if (v.has_value()) Put(tag, *v); }
  void Field(uint32_t tag, std::optional<Value>& v);
  template <typename T> requires std::is_enum_v<T>
  void Field(uint32_t tag, T& v, T /*last*/) { if (v != T{}) PutInteger(tag, static_cast<int64_t>(v)); }
  template <typename Tag, typename Rep>
  void Field(uint32_t tag, StrongId<Tag, Rep>& v) { if (v != StrongId<Tag, Rep>()) PutInteger(tag, static_cast<int64_t>(v.value())); }
  // Nested structs: one field each, described by Describe(archive, struct).
  template <typename T> requires std::is_class_v<T>
  void Nested(uint32_t tag, T& v) {
    std::string bytes;
    FieldWriter inner(&bytes);
    Describe(inner, v);
    Put(tag, bytes);
  }
  template <typename T>
  void Nested(uint32_t tag, std::vector<T>& v) { for (T& each : v) Nested(tag, each); }

 private:
  void Put(uint32_t tag, std::string_view bytes);
  void PutInteger(uint32_t tag, int64_t value);

  std::string* to_;
};

class FieldReader {
 public:
  static constexpr bool kIsWriter = false;
  explicit FieldReader(std::string_view bytes);

  void Field(uint32_t tag, std::string& v) { if (auto b = Take(tag)) v = std::string(*b); }
  void Field(uint32_t tag, bool& v) { if (auto b = Take(tag)) v = Integer(*b) != 0; }
  void Field(uint32_t tag, int& v, int unset = 0);
  void Field(uint32_t tag, uint32_t& v) { if (auto b = Take(tag)) v = static_cast<uint32_t>(Integer(*b)); }
  void Field(uint32_t tag, std::vector<int>& v);
  void Field(uint32_t tag, std::vector<std::string>& v) { while (auto b = Take(tag)) v.emplace_back(*b); }
  void Field(uint32_t tag, std::optional<std::string>& v) { if (auto b = Take(tag)) v = std::string(*b); }
  void Field(uint32_t tag, std::optional<Value>& v);
  template <typename T> requires std::is_enum_v<T>
  void Field(uint32_t tag, T& v, T last) {
    if (auto b = Take(tag)) {
      const int64_t value = Integer(*b);
      if (value < 0) Fail();
      if (value > static_cast<int64_t>(last)) is_newer_ = true;
      v = static_cast<T>(value);
    }
  }
  template <typename Tag, typename Rep>
  void Field(uint32_t tag, StrongId<Tag, Rep>& v) {
    if (auto b = Take(tag)) v = StrongId<Tag, Rep>(static_cast<Rep>(Integer(*b)));
  }
  template <typename T> requires std::is_class_v<T>
  void Nested(uint32_t tag, T& v) { if (auto b = Take(tag)) ReadNested(*b, v); }
  template <typename T>
  void Nested(uint32_t tag, std::vector<T>& v) { while (auto b = Take(tag)) ReadNested(*b, v.emplace_back()); }

  // Whether every field was whole and known. `what` names the definition in the message.
  absl::Status Finish(std::string_view what) const;

 private:
  struct Entry {
    uint32_t tag;
    std::string_view bytes;
    bool is_taken = false;
  };
  template <typename T>
  void ReadNested(std::string_view bytes, T& v) {
    FieldReader inner(bytes);
    Describe(inner, v);
    is_damaged_ |= inner.is_damaged_;
    is_newer_ |= inner.is_newer_ || inner.HasUntaken();
  }
  std::optional<std::string_view> Take(uint32_t tag);  // the next field of this tag
  int64_t Integer(std::string_view bytes);
  bool HasUntaken() const;
  void Fail() { is_damaged_ = true; }

  std::vector<Entry> entries_;
  bool is_damaged_ = false;
  bool is_newer_ = false;
};

}  // namespace turdb::catalog
