// Functions on text and blobs: length, substr, upper, trim, replace, hex, quote, ... (sql/exec/functions.h)
#include <algorithm>
#include <cstring>

#include "base/errors.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/functions.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

using Args = absl::Span<const Cell>;

absl::Status Length(FunctionContext* context, Args args, Cell* result) {
  const Cell& x = args[0];
  if (x.is_null()) return absl::OkStatus();
  if (x.is_blob()) {
    *result = Cell::Integer(x.length);
  } else if (x.is_vector()) {
    *result = Cell::Integer(x.dim());
  } else {
    const std::string_view text = ToText(x, context->arena);
    *result = Cell::Integer(static_cast<int64_t>(Utf8Length(text.substr(0, text.find('\0')))));  // up to a NUL, as SQLite
  }
  return absl::OkStatus();
}

absl::Status OctetLength(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  *result = Cell::Integer(args[0].is_vector() ? args[0].length : static_cast<int64_t>(ToText(args[0], context->arena).size()));
  return absl::OkStatus();
}

template <char (*kFold)(char)>
absl::Status ChangeCase(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  const std::string_view text = ToText(args[0], context->arena);
  char* to = context->arena->Allocate(std::max<size_t>(text.size(), 1), 1);
  std::transform(text.begin(), text.end(), to, kFold);
  *result = Cell::Text({to, text.size()});
  return absl::OkStatus();
}

// Byte offset of code point `n`, or the size.
size_t OffsetOf(std::string_view s, int64_t n) {
  size_t at = 0;
  while (n-- > 0 && at < s.size()) {
    ++at;
    while (at < s.size() && (static_cast<uint8_t>(s[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

absl::Status Substr(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null() || args[1].is_null() || (args.size() == 3 && args[2].is_null())) return absl::OkStatus();
  const bool is_blob = args[0].is_blob();
  if (is_blob && args[0].length == 0) return absl::OkStatus();  // NULL, as in SQLite
  const std::string_view s = ToText(args[0], context->arena);
  const int64_t size = static_cast<int64_t>(is_blob ? s.size() : Utf8Length(s));
  int64_t start = ToInteger(args[1]);
  int64_t count = args.size() == 3 ? ToInteger(args[2]) : static_cast<int64_t>(kMaxTextBytes);
  const bool is_before = count < 0;  // the characters before start
  if (is_before) count = count < -static_cast<int64_t>(kMaxTextBytes) ? static_cast<int64_t>(kMaxTextBytes) : -count;
  if (start < 0) {
    start += size;
    if (start < 0) {
      count = is_before ? 0 : std::max<int64_t>(0, count + start);
      start = 0;
    }
  } else if (start > 0) {
    --start;
  } else if (count > 0) {
    --count;
  }
  if (is_before) {
    start -= count;
    if (start < 0) {
      count += start;
      start = 0;
    }
  }
  count = std::max<int64_t>(count, 0);
  start = std::min(start, size);
  count = std::min(count, size - start);
  const size_t first = is_blob ? static_cast<size_t>(start) : OffsetOf(s, start);
  const size_t length = is_blob ? static_cast<size_t>(count) : OffsetOf(s.substr(first), count);
  const std::string_view part = s.substr(first, length);
  *result = is_blob ? Cell::Blob(part) : Cell::Text(part);
  return absl::OkStatus();
}

absl::Status Instr(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null() || args[1].is_null()) return absl::OkStatus();
  const bool is_bytes = args[0].is_blob() && args[1].is_blob();
  const std::string_view s = ToText(args[0], context->arena);
  const size_t at = s.find(ToText(args[1], context->arena));
  if (at == std::string_view::npos) {
    *result = Cell::Integer(0);
  } else {
    *result = Cell::Integer(1 + static_cast<int64_t>(is_bytes ? at : Utf8Length(s.substr(0, at))));
  }
  return absl::OkStatus();
}

absl::Status Replace(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null() || args[1].is_null() || args[2].is_null()) return absl::OkStatus();
  const std::string_view s = ToText(args[0], context->arena);
  const std::string_view from = ToText(args[1], context->arena);
  const std::string_view to = ToText(args[2], context->arena);
  if (from.empty()) {
    *result = Cell::Text(s);
    return absl::OkStatus();
  }
  std::string out;
  size_t at = 0;
  for (size_t next; (next = s.find(from, at)) != std::string_view::npos; at = next + from.size()) {
    out.append(s.substr(at, next - at));
    out.append(to);
    if (out.size() > kMaxTextBytes) return TooBigError("string or blob too big");
  }
  out.append(s.substr(at));
  *result = Cell::Text(context->arena->Copy(out));
  return absl::OkStatus();
}

// Whether the code points of `set` hold the one at s[at..end).
bool Holds(std::string_view set, std::string_view code_point) {
  for (size_t at = 0; at < set.size();) {
    const size_t next = at + OffsetOf(set.substr(at), 1);
    if (set.substr(at, next - at) == code_point) return true;
    at = next;
  }
  return false;
}

template <bool kLeft, bool kRight>
absl::Status Trim(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null() || (args.size() == 2 && args[1].is_null())) return absl::OkStatus();
  std::string_view s = ToText(args[0], context->arena);
  const std::string_view set = args.size() == 2 ? ToText(args[1], context->arena) : " ";
  while (kLeft && !s.empty()) {
    const size_t n = OffsetOf(s, 1);
    if (!Holds(set, s.substr(0, n))) break;
    s.remove_prefix(n);
  }
  while (kRight && !s.empty()) {
    size_t n = 1;
    while (n < s.size() && (static_cast<uint8_t>(s[s.size() - n]) & 0xC0) == 0x80) ++n;
    if (!Holds(set, s.substr(s.size() - n))) break;
    s.remove_suffix(n);
  }
  *result = Cell::Text(s);
  return absl::OkStatus();
}

absl::Status Hex(FunctionContext* context, Args args, Cell* result) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const std::string_view s = args[0].is_vector() ? args[0].view() : ToText(args[0], context->arena);
  char* to = context->arena->Allocate(std::max<size_t>(s.size() * 2, 1), 1);
  for (size_t i = 0; i < s.size(); ++i) {
    to[2 * i] = kDigits[static_cast<uint8_t>(s[i]) >> 4];
    to[2 * i + 1] = kDigits[static_cast<uint8_t>(s[i]) & 15];
  }
  *result = Cell::Text({to, s.size() * 2});
  return absl::OkStatus();
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = AsciiLower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

absl::Status Unhex(FunctionContext* context, Args args, Cell* result) {
  for (const Cell& arg : args) {
    if (arg.is_null()) return absl::OkStatus();
  }
  const std::string_view s = ToText(args[0], context->arena);
  const std::string_view passed = args.size() == 2 ? ToText(args[1], context->arena) : "";
  char* to = context->arena->Allocate(s.size() / 2 + 1, 1);
  size_t n = 0;
  for (size_t at = 0; at < s.size();) {
    const size_t next = at + OffsetOf(s.substr(at), 1);
    if (HexDigit(s[at]) < 0) {
      if (!Holds(passed, s.substr(at, next - at))) return absl::OkStatus();
      at = next;
      continue;
    }
    if (at + 1 >= s.size() || HexDigit(s[at + 1]) < 0) return absl::OkStatus();
    to[n++] = static_cast<char>(HexDigit(s[at]) * 16 + HexDigit(s[at + 1]));
    at += 2;
  }
  *result = Cell::Blob({to, n});
  return absl::OkStatus();
}

absl::Status Char(FunctionContext* context, Args args, Cell* result) {
  char* to = context->arena->Allocate(args.size() * 4 + 1, 1);
  size_t n = 0;
  for (const Cell& arg : args) {
    const int64_t code = ToInteger(arg);
    n += AppendUtf8(code < 0 || code > 0x10FFFF ? 0xFFFD : static_cast<uint32_t>(code), to + n);
  }
  *result = Cell::Text({to, n});
  return absl::OkStatus();
}

absl::Status Unicode(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  const std::string_view s = ToText(args[0], context->arena);
  size_t at = 0;
  if (!s.empty() && s[0] != '\0') *result = Cell::Integer(ReadUtf8(s, &at));
  return absl::OkStatus();
}

absl::Status QuoteCall(FunctionContext* context, Args args, Cell* result) {
  *result = Cell::Text(Quote(args[0], context->arena));
  return absl::OkStatus();
}

// Joins the arguments that are not NULL.
absl::Status Join(FunctionContext* context, Args args, std::string_view separator, Cell* result) {
  std::string out;
  bool is_first = true;
  for (const Cell& arg : args) {
    if (arg.is_null()) continue;
    if (!is_first) out.append(separator);
    is_first = false;
    out.append(ToText(arg, context->arena));
    if (out.size() > kMaxTextBytes) return TooBigError("string or blob too big");
  }
  *result = Cell::Text(context->arena->Copy(out));
  return absl::OkStatus();
}
absl::Status ConcatCall(FunctionContext* context, Args args, Cell* result) { return Join(context, args, "", result); }
absl::Status ConcatWs(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  return Join(context, args.subspan(1), ToText(args[0], context->arena), result);
}

// The code of American Soundex, "?000" for a text without letters.
absl::Status Soundex(FunctionContext* context, Args args, Cell* result) {
  static constexpr char kCodes[] = "01230120022455012623010202";
  const std::string_view s = ToText(args[0], context->arena);
  auto is_letter = [](char c) { return AsciiUpper(c) >= 'A' && AsciiUpper(c) <= 'Z'; };
  size_t at = 0;
  while (at < s.size() && !is_letter(s[at])) ++at;
  char* to = context->arena->Allocate(4, 1);
  std::memcpy(to, "?000", 4);
  if (at < s.size()) {
    to[0] = AsciiUpper(s[at]);
    char previous = kCodes[to[0] - 'A'];
    for (size_t n = 1; at < s.size() && n < 4; ++at) {
      const char code = is_letter(s[at]) ? kCodes[AsciiUpper(s[at]) - 'A'] : '0';
      if (code > '0' && code != previous) to[n++] = code;
      previous = code > '0' ? code : '\0';
    }
  }
  *result = Cell::Text({to, 4});
  return absl::OkStatus();
}

}  // namespace

std::string_view Quote(const Cell& cell, Arena* arena) {
  switch (cell.type) {
    case StorageClass::kNull: return "NULL";
    case StorageClass::kInteger: return ToText(cell, arena);
    case StorageClass::kReal: {
      // Fifteen digits where they give the value back, else twenty.
      const std::string_view text = ToText(cell, arena);
      if (TextToReal(text) == cell.real || cell.real - cell.real != 0) return text == "Inf" ? "9.0e+999" : text == "-Inf" ? "-9.0e+999" : text;
      std::string exact;
      if (!Format("%!.20e", {&cell, 1}, arena, &exact).ok()) return text;
      return arena->Copy(exact);
    }
    case StorageClass::kText: {
      std::string out = "'";
      const std::string_view text = cell.view().substr(0, cell.view().find('\0'));
      for (char c : text) out.append(c == '\'' ? 2 : 1, c);
      out.push_back('\'');
      return arena->Copy(out);
    }
    default: {
      static constexpr char kDigits[] = "0123456789ABCDEF";
      std::string out = "X'";
      for (char c : cell.view()) {
        out.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
        out.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
      }
      out.push_back('\'');
      return arena->Copy(out);
    }
  }
}

void AddTextFunctions(FunctionRegistry* r) {
  r->Add("length", 1, 1, Length);
  r->Add("octet_length", 1, 1, OctetLength);
  r->Add("lower", 1, 1, ChangeCase<AsciiLower>);
  r->Add("upper", 1, 1, ChangeCase<AsciiUpper>);
  r->Add("substr", 2, 3, Substr);
  r->Alias("substring", "substr");
  r->Add("instr", 2, 2, Instr);
  r->Add("replace", 3, 3, Replace);
  r->Add("trim", 1, 2, Trim<true, true>);
  r->Add("ltrim", 1, 2, Trim<true, false>);
  r->Add("rtrim", 1, 2, Trim<false, true>);
  r->Add("hex", 1, 1, Hex);
  r->Add("unhex", 1, 2, Unhex);
  r->Add("char", 0, -1, Char);
  r->Add("unicode", 1, 1, Unicode);
  r->Add("quote", 1, 1, QuoteCall);
  r->Add("concat", 1, -1, ConcatCall);
  r->Add("concat_ws", 2, -1, ConcatWs);
  r->Add("soundex", 1, 1, Soundex);
}

}  // namespace turdb::sql
