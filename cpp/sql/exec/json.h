// Json: a JSON text as a tree in an arena, paths into it, and values back as text (https://www.sqlite.org/json1.html).
//
// Numbers and strings keep their source bytes, so a text comes out as it went in, without the white space. Strict
// RFC 8259. Not thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/arena.h"
#include "types/cell.h"

namespace turdb::sql {

inline constexpr uint8_t kJsonSubtype = 'J';  // of text that is JSON already

enum class JsonKind : uint8_t { kNull, kTrue, kFalse, kInteger, kReal, kText, kArray, kObject };

struct Json {
  JsonKind kind = JsonKind::kNull;
  std::string_view text;  // number: its digits; text: between the quotes, escapes as they are
  std::string_view key;   // in an object: between the quotes
  Json* first = nullptr;  // of an array or object
  Json* next = nullptr;   // sibling
  uint32_t size = 0;      // children
};

// nullptr when the text is not JSON.
Json* ParseJson(std::string_view text, Arena* arena);
// The tree of an argument: JSON text is parsed. kBadValue "malformed JSON".
absl::Status JsonOfText(const Cell& cell, Arena* arena, Json** json);
// The tree of any SQL value: text becomes a string unless it has the JSON subtype. kBadValue for blobs.
absl::Status JsonOfValue(const Cell& cell, Arena* arena, Json** json);

// What a path names: nullptr in `found` when nothing is there. kBadValue for a path that is none.
absl::Status FindJson(Json* root, std::string_view path, Json** found);
// The path's last step made where it is missing (objects and arrays one longer); nullptr when it cannot be.
absl::Status MakeJson(Json* root, std::string_view path, Arena* arena, Json** made);
// Takes the named child out of its parent; nothing happens when it is not there.
absl::Status RemoveJson(Json* root, std::string_view path);

void AppendJson(const Json& json, std::string* out);
Cell JsonToCell(const Json& json, Arena* arena);      // as text with the JSON subtype
Cell JsonToValue(const Json& json, Arena* arena);     // a scalar as SQL value; arrays and objects as JSON text
std::string_view UnescapeJson(std::string_view escaped, Arena* arena);
std::string_view EscapeJson(std::string_view plain, Arena* arena);
std::string_view JsonKindName(JsonKind kind);

}  // namespace turdb::sql
