#include "sql/exec/json.h"

#include <charconv>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/functions.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

constexpr int kMostDepth = 1000;

class Parser {
 public:
  Parser(std::string_view text, Arena* arena) : text_(text), arena_(arena) {}
  Json* Run() {
    Json* root = Element(0);
    Skip();
    return root != nullptr && at_ == text_.size() ? root : nullptr;
  }

 private:
  void Skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  bool Take(char c) {
    Skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Json* New(JsonKind kind, std::string_view text = {}) {
    Json* json = new (arena_->Allocate(sizeof(Json))) Json();
    json->kind = kind;
    json->text = text;
    return json;
  }
  Json* Word(std::string_view word, JsonKind kind) {
    if (text_.substr(at_, word.size()) != word) return nullptr;
    at_ += word.size();
    return New(kind);
  }

  Json* Element(int depth) {
    Skip();
    if (at_ >= text_.size() || depth > kMostDepth) return nullptr;
    switch (text_[at_]) {
      case '{':
      case '[': return Container(depth);
      case '"': {
        std::string_view string;
        return String(&string) ? New(JsonKind::kText, string) : nullptr;
      }
      case 't': return Word("true", JsonKind::kTrue);
      case 'f': return Word("false", JsonKind::kFalse);
      case 'n': return Word("null", JsonKind::kNull);
      default: return Number();
    }
  }

  Json* Container(int depth) {
    const bool is_object = text_[at_++] == '{';
    const char close = is_object ? '}' : ']';
    Json* container = New(is_object ? JsonKind::kObject : JsonKind::kArray);
    if (Take(close)) return container;
    Json** end = &container->first;
    do {
      std::string_view key;
      Skip();
      if (is_object && (!String(&key) || !Take(':'))) return nullptr;
      Json* child = Element(depth + 1);
      if (child == nullptr) return nullptr;
      child->key = key;
      *end = child;
      end = &child->next;
      ++container->size;
    } while (Take(','));
    return Take(close) ? container : nullptr;
  }

  bool String(std::string_view* string) {
    if (at_ >= text_.size() || text_[at_] != '"') return false;
    const size_t start = ++at_;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (static_cast<uint8_t>(text_[at_]) < 0x20) return false;
      if (text_[at_] != '\\') continue;
      if (++at_ >= text_.size()) return false;
      if (text_[at_] == 'u') {
        for (int i = 0; i < 4; ++i) {
          if (++at_ >= text_.size() || !IsHex(text_[at_])) return false;
        }
      } else if (std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos) {
        return false;
      }
    }
    if (at_ >= text_.size()) return false;
    *string = text_.substr(start, at_++ - start);
    return true;
  }
  static bool IsHex(char c) { return (c >= '0' && c <= '9') || (AsciiLower(c) >= 'a' && AsciiLower(c) <= 'f'); }

  bool Digits() {
    const size_t start = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > start;
  }
  Json* Number() {
    const size_t start = at_;
    bool is_real = false;
    if (text_[at_] == '-') ++at_;
    const size_t first = at_;
    if (!Digits() || (text_[first] == '0' && at_ - first > 1)) return nullptr;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      is_real = true;
      if (!Digits()) return nullptr;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      is_real = true;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!Digits()) return nullptr;
    }
    return New(is_real ? JsonKind::kReal : JsonKind::kInteger, text_.substr(start, at_ - start));
  }

  std::string_view text_;
  Arena* arena_;
  size_t at_ = 0;
};

// One step of a path.
struct Step {
  bool is_index = false;
  std::string_view key;
  bool from_end = false;
  int64_t index = 0;  // from_end: before the end
};

absl::Status BadPath(std::string_view path) { return BadValueError("bad JSON path: '", path, "'"); }

// Reads the next step; false at the end.
absl::Status ReadStep(std::string_view path, size_t* at, Step* step) {
  *step = Step();
  if (path[*at] == '.') {
    size_t start = ++*at;
    if (start < path.size() && path[start] == '"') {
      const size_t end = path.find('"', ++start);
      if (end == std::string_view::npos) return BadPath(path);
      step->key = path.substr(start, end - start);
      *at = end + 1;
      return absl::OkStatus();
    }
    while (*at < path.size() && path[*at] != '.' && path[*at] != '[') ++*at;
    step->key = path.substr(start, *at - start);
    return step->key.empty() ? BadPath(path) : absl::OkStatus();
  }
  if (path[*at] != '[') return BadPath(path);
  const size_t end = path.find(']', *at);
  if (end == std::string_view::npos) return BadPath(path);
  std::string_view inside = path.substr(*at + 1, end - *at - 1);
  step->is_index = true;
  if (!inside.empty() && inside[0] == '#') {
    step->from_end = true;
    inside.remove_prefix(1);
    if (!inside.empty() && inside[0] != '-') return BadPath(path);
    if (!inside.empty()) inside.remove_prefix(1);
    else inside = "0";
  }
  const auto parsed = std::from_chars(inside.data(), inside.data() + inside.size(), step->index);
  if (parsed.ec != std::errc() || parsed.ptr != inside.data() + inside.size() || step->index < 0) return BadPath(path);
  *at = end + 1;
  return absl::OkStatus();
}

// The link that points to the child, or the end of the chain.
Json** LinkOf(Json* parent, const Step& step) {
  Json** link = &parent->first;
  if (step.is_index) {
    int64_t index = step.from_end ? static_cast<int64_t>(parent->size) - step.index : step.index;
    if (index < 0 || parent->kind != JsonKind::kArray) return nullptr;
    while (*link != nullptr && index-- > 0) link = &(*link)->next;
    return *link != nullptr || index <= 0 ? link : nullptr;
  }
  if (parent->kind != JsonKind::kObject) return nullptr;
  while (*link != nullptr && (*link)->key != step.key) link = &(*link)->next;
  return link;
}

}  // namespace

Json* ParseJson(std::string_view text, Arena* arena) { return Parser(text, arena).Run(); }

absl::Status JsonOfText(const Cell& cell, Arena* arena, Json** json) {
  *json = cell.is_blob() ? nullptr : ParseJson(ToText(cell, arena), arena);
  return *json == nullptr ? BadValueError("malformed JSON") : absl::OkStatus();
}

absl::Status JsonOfValue(const Cell& cell, Arena* arena, Json** json) {
  if (cell.is_blob()) return BadValueError("JSON cannot hold BLOB values");
  if ((cell.is_text() && cell.subtype == kJsonSubtype) || cell.is_vector()) return JsonOfText(cell, arena, json);
  *json = new (arena->Allocate(sizeof(Json))) Json();
  if (cell.is_null()) return absl::OkStatus();
  (*json)->kind = cell.is_integer() ? JsonKind::kInteger : cell.is_real() ? JsonKind::kReal : JsonKind::kText;
  (*json)->text = cell.is_text() ? EscapeJson(cell.view(), arena) : ToText(cell, arena);
  if (cell.is_real() && (*json)->text.find("Inf") != std::string_view::npos) (*json)->text = cell.real < 0 ? "-9e999" : "9e999";
  return absl::OkStatus();
}

absl::Status FindJson(Json* root, std::string_view path, Json** found) {
  *found = nullptr;
  if (path.empty() || path[0] != '$') return BadPath(path);
  Json* at = root;
  for (size_t i = 1; i < path.size();) {
    Step step;
    TURDB_RETURN_IF_ERROR(ReadStep(path, &i, &step));
    Json** link = at == nullptr ? nullptr : LinkOf(at, step);
    at = link == nullptr ? nullptr : *link;
  }
  *found = at;
  return absl::OkStatus();
}

absl::Status MakeJson(Json* root, std::string_view path, Arena* arena, Json** made) {
  *made = nullptr;
  if (path.empty() || path[0] != '$') return BadPath(path);
  Json* at = root;
  for (size_t i = 1; i < path.size() && at != nullptr;) {
    Step step;
    TURDB_RETURN_IF_ERROR(ReadStep(path, &i, &step));
    Json** link = LinkOf(at, step);
    if (link != nullptr && *link == nullptr) {
      *link = new (arena->Allocate(sizeof(Json))) Json();
      (*link)->key = step.key;
      if (i < path.size()) (*link)->kind = path[i] == '[' ? JsonKind::kArray : JsonKind::kObject;
      ++at->size;
    }
    at = link == nullptr ? nullptr : *link;
  }
  *made = at;
  return absl::OkStatus();
}

absl::Status RemoveJson(Json* root, std::string_view path) {
  if (path.empty() || path[0] != '$') return BadPath(path);
  Json* at = root;
  for (size_t i = 1; i < path.size();) {
    Step step;
    TURDB_RETURN_IF_ERROR(ReadStep(path, &i, &step));
    Json** link = at == nullptr ? nullptr : LinkOf(at, step);
    if (link == nullptr || *link == nullptr) {
      at = nullptr;
    } else if (i >= path.size()) {
      *link = (*link)->next;
      --at->size;
    } else {
      at = *link;
    }
  }
  return absl::OkStatus();
}

void AppendJson(const Json& json, std::string* out) {
  switch (json.kind) {
    case JsonKind::kNull: out->append("null"); return;
    case JsonKind::kTrue: out->append("true"); return;
    case JsonKind::kFalse: out->append("false"); return;
    case JsonKind::kInteger:
    case JsonKind::kReal: out->append(json.text); return;
    case JsonKind::kText: out->append("\"").append(json.text).append("\""); return;
    case JsonKind::kArray:
    case JsonKind::kObject: break;
  }
  const bool is_object = json.kind == JsonKind::kObject;
  out->push_back(is_object ? '{' : '[');
  for (const Json* child = json.first; child != nullptr; child = child->next) {
    if (child != json.first) out->push_back(',');
    if (is_object) out->append("\"").append(child->key).append("\":");
    AppendJson(*child, out);
  }
  out->push_back(is_object ? '}' : ']');
}

Cell JsonToCell(const Json& json, Arena* arena) {
  std::string out;
  AppendJson(json, &out);
  Cell cell = Cell::Text(arena->Copy(out));
  cell.subtype = kJsonSubtype;
  return cell;
}

Cell JsonToValue(const Json& json, Arena* arena) {
  switch (json.kind) {
    case JsonKind::kNull: return Cell();
    case JsonKind::kTrue: return Cell::Integer(1);
    case JsonKind::kFalse: return Cell::Integer(0);
    case JsonKind::kInteger: {
      const ParsedNumber number = ParseNumber(json.text);
      return number.fits ? Cell::Integer(number.integer) : Cell::Real(number.real);
    }
    case JsonKind::kReal: return Cell::Real(TextToReal(json.text));
    case JsonKind::kText: return Cell::Text(UnescapeJson(json.text, arena));
    case JsonKind::kArray:
    case JsonKind::kObject: break;
  }
  return JsonToCell(json, arena);
}

std::string_view UnescapeJson(std::string_view s, Arena* arena) {
  if (s.find('\\') == std::string_view::npos) return arena->Copy(s);
  char* to = arena->Allocate(s.size() + 1, 1);  // an escape is never shorter than its bytes
  size_t n = 0;
  auto hex = [&](size_t at) {
    uint32_t code = 0;
    std::from_chars(s.data() + at, s.data() + std::min(at + 4, s.size()), code, 16);
    return code;
  };
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\' || i + 1 >= s.size()) {
      to[n++] = s[i];
      continue;
    }
    switch (s[++i]) {
      case 'b': to[n++] = '\b'; break;
      case 'f': to[n++] = '\f'; break;
      case 'n': to[n++] = '\n'; break;
      case 'r': to[n++] = '\r'; break;
      case 't': to[n++] = '\t'; break;
      case 'u': {
        uint32_t code = hex(i + 1);
        i += 4;
        if (code >= 0xD800 && code < 0xDC00 && s.substr(i + 1, 2) == "\\u") {  // a surrogate pair
          const uint32_t low = hex(i + 3);
          if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            i += 6;
          }
        }
        n += AppendUtf8(code, to + n);
        break;
      }
      default: to[n++] = s[i];
    }
  }
  return {to, n};
}

std::string_view EscapeJson(std::string_view plain, Arena* arena) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (char c : plain) {
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (static_cast<uint8_t>(c) >= 0x20) {
      out.push_back(c);
    } else if (c == '\n' || c == '\t' || c == '\r' || c == '\b' || c == '\f') {
      out.append({'\\', c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : c == '\b' ? 'b' : 'f'});
    } else {
      out.append("\\u00").append({kDigits[c >> 4], kDigits[c & 15]});
    }
  }
  return arena->Copy(out);
}

std::string_view JsonKindName(JsonKind kind) {
  constexpr std::string_view kNames[] = {"null", "true", "false", "integer", "real", "text", "array", "object"};
  return kNames[static_cast<int>(kind)];
}

}  // namespace turdb::sql
