// printf() / format() as SQLite formats (https://www.sqlite.org/printf.html) (sql/exec/functions.h).
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/functions.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

struct Spec {
  bool is_left = false, has_plus = false, has_space = false, is_alternate = false, has_bang = false, has_zero = false;
  bool has_comma = false;
  int64_t width = 0;
  int64_t precision = -1;
  char type = 0;
};

constexpr int64_t kMostPadding = 100000000;  // a width beyond this is nobody's wish

class Formatter {
 public:
  Formatter(std::string_view format, absl::Span<const Cell> args, Arena* arena, std::string* out)
      : format_(format), args_(args), arena_(arena), out_(out) {}

  absl::Status Run() {
    size_t at = 0;
    while (at < format_.size()) {
      const size_t percent = std::min(format_.find('%', at), format_.size());
      out_->append(format_.substr(at, percent - at));
      if (percent == format_.size()) break;
      at = percent + 1;
      if (at == format_.size()) {
        out_->push_back('%');
        break;
      }
      Spec spec;
      ReadSpec(&at, &spec);
      if (at > format_.size() || spec.type == 0) break;
      if (!Convert(spec)) break;  // an unknown conversion ends the output, as in SQLite
      if (out_->size() > kMaxTextBytes) return TooBigError("string or blob too big");
    }
    return absl::OkStatus();
  }

 private:
  Cell NextArg() { return next_ < args_.size() ? args_[next_++] : Cell(); }

  int64_t ReadNumber(size_t* at) {
    int64_t n = 0;
    while (*at < format_.size() && format_[*at] >= '0' && format_[*at] <= '9') n = std::min(n * 10 + (format_[(*at)++] - '0'), kMostPadding);
    return n;
  }

  void ReadSpec(size_t* at, Spec* spec) {
    for (; *at < format_.size(); ++*at) {
      const char c = format_[*at];
      if (c == '-') spec->is_left = true;
      else if (c == '+') spec->has_plus = true;
      else if (c == ' ') spec->has_space = true;
      else if (c == '#') spec->is_alternate = true;
      else if (c == '!') spec->has_bang = true;
      else if (c == '0') spec->has_zero = true;
      else if (c == ',') spec->has_comma = true;
      else break;
    }
    if (*at < format_.size() && format_[*at] == '*') {
      ++*at;
      spec->width = std::clamp<int64_t>(ToInteger(NextArg()), -kMostPadding, kMostPadding);
      if (spec->width < 0) {
        spec->is_left = true;
        spec->width = -spec->width;
      }
    } else {
      spec->width = ReadNumber(at);
    }
    if (*at < format_.size() && format_[*at] == '.') {
      ++*at;
      if (*at < format_.size() && format_[*at] == '*') {
        ++*at;
        spec->precision = std::min<int64_t>(std::abs(ToInteger(NextArg())), kMostPadding);
      } else {
        spec->precision = ReadNumber(at);
      }
    }
    while (*at < format_.size() && format_[*at] == 'l') ++*at;
    if (*at < format_.size()) spec->type = format_[(*at)++];
  }

  bool Convert(const Spec& spec) {
    switch (spec.type) {
      case '%': Pad(spec, "%", 1); return true;
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
      case 'p': Integer(spec); return true;
      case 'f':
      case 'e':
      case 'E':
      case 'g':
      case 'G': Real(spec); return true;
      case 's':
      case 'z': Text(spec, std::string(ToText(NextArg(), arena_))); return true;
      case 'c': Character(spec); return true;
      case 'q':
      case 'Q':
      case 'w': Quoted(spec); return true;
      case 'n': return true;
      default: return false;
    }
  }

  void Pad(const Spec& spec, std::string_view text, size_t characters) {
    const size_t width = static_cast<size_t>(spec.width);
    const size_t padding = width > characters ? width - characters : 0;
    if (!spec.is_left) out_->append(padding, ' ');
    out_->append(text);
    if (spec.is_left) out_->append(padding, ' ');
  }

  // Sign and prefix before the zeros.
  void PadNumber(const Spec& spec, std::string_view prefix, std::string digits) {
    if (spec.has_zero && !spec.is_left) {
      const size_t width = static_cast<size_t>(spec.width), have = prefix.size() + digits.size();
      if (width > have) digits.insert(0, width - have, '0');
    }
    Pad(spec, Cat(prefix, digits), prefix.size() + digits.size());
  }

  static void AddCommas(std::string* digits) {
    const size_t end = std::min(digits->find_first_not_of("0123456789"), digits->size());
    for (size_t at = end; at > 3;) {
      at -= 3;
      digits->insert(at, 1, ',');
    }
  }

  void Integer(const Spec& spec) {
    const int64_t value = ToInteger(NextArg());
    const bool is_signed = spec.type == 'd' || spec.type == 'i';
    uint64_t magnitude = static_cast<uint64_t>(value);
    std::string prefix;
    if (is_signed && value < 0) {
      magnitude = ~magnitude + 1;
      prefix = "-";
    } else if (is_signed) {
      prefix = spec.has_plus ? "+" : spec.has_space ? " " : "";
    }
    const int base = spec.type == 'x' || spec.type == 'X' || spec.type == 'p' ? 16 : spec.type == 'o' ? 8 : 10;
    char buffer[72];
    std::string digits(buffer, std::to_chars(buffer, buffer + sizeof(buffer), magnitude, base).ptr);
    if (spec.type == 'X') std::transform(digits.begin(), digits.end(), digits.begin(), AsciiUpper);
    // Zeros fill the width but for the sign, even of what is left-aligned.
    const int64_t wanted = spec.has_zero ? std::max<int64_t>(spec.precision, spec.width - !prefix.empty()) : spec.precision;
    if (wanted > static_cast<int64_t>(digits.size())) digits.insert(0, wanted - digits.size(), '0');
    if (spec.has_comma && base == 10) AddCommas(&digits);
    if (spec.is_alternate && magnitude != 0) prefix += base == 16 ? (spec.type == 'X' ? "0X" : "0x") : base == 8 ? "0" : "";
    Pad(spec, Cat(prefix, digits), prefix.size() + digits.size());
  }

  // As SQLite rounds: half of the last place is added, and a little for halves that have no exact double (0.35, 1.005).
  static std::string RoundedHalfUp(double value, int precision) {
    long double rounder = 0.5L * std::pow(10.0L, -precision);
    if (precision + std::ilogb(value == 0 ? 1.0 : value) / 3 < 15) rounder += static_cast<long double>(value) * 3e-16L;
    constexpr int kMoreDigits = 24;
    std::string text(400 + static_cast<size_t>(precision), '\0');
    const auto r = std::to_chars(text.data(), text.data() + text.size(), static_cast<long double>(value) + rounder,
                                 std::chars_format::fixed, precision + kMoreDigits);
    text.resize(static_cast<size_t>(r.ptr - text.data()) - kMoreDigits - (precision == 0));
    return text;
  }

  // Digits after the sixteenth (the twentieth with !) are zeros: a double has no more to tell.
  static std::string Fixed(double value, int64_t precision, int significant) {
    char buffer[64];
    std::to_chars_result r = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific, significant - 1);
    std::string digits;
    for (char* p = buffer; p != r.ptr && *p != 'e'; ++p) {
      if (*p != '.') digits.push_back(*p);
    }
    int exponent = 0;
    const char* e = std::find(buffer, r.ptr, 'e');
    if (e != r.ptr) std::from_chars(e + 1 + (e[1] == '+'), r.ptr, exponent);
    if (exponent + 1 + precision < significant) return RoundedHalfUp(value, static_cast<int>(precision));
    std::string out;
    auto digit = [&](int place) {  // of 10^place
      const int i = exponent - place;
      return i >= 0 && i < static_cast<int>(digits.size()) ? digits[i] : '0';
    };
    for (int place = std::max(exponent, 0); place >= 0; --place) out.push_back(digit(place));
    if (precision > 0) out.push_back('.');
    for (int64_t place = 1; place <= precision; ++place) out.push_back(digit(static_cast<int>(-place)));
    return out;
  }

  static std::string Scientific(double value, int64_t precision) {
    std::string text(static_cast<size_t>(precision) + 32, '\0');
    const auto r = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, static_cast<int>(precision));
    text.resize(r.ptr - text.data());
    return text;
  }

  static void CutZeros(std::string* text, bool keeps_one) {
    const size_t e = std::min(text->find('e'), text->size());
    const std::string exponent = text->substr(e);
    text->resize(e);
    if (text->find('.') != std::string::npos) {
      while (text->back() == '0') text->pop_back();
      if (text->back() == '.') {
        if (keeps_one) text->push_back('0');
        else text->pop_back();
      }
    }
    *text += exponent;
  }

  void Real(const Spec& spec) {
    const double value = ToReal(NextArg());
    const double magnitude = std::abs(value);
    std::string prefix = value < 0 ? "-" : spec.has_plus ? "+" : spec.has_space ? " " : "";
    if (std::isinf(value)) return Pad(spec, prefix + "Inf", prefix.size() + 3);
    const int significant = spec.has_bang ? 20 : 16;
    int64_t precision = std::min<int64_t>(spec.precision < 0 ? 6 : spec.precision, 1000);
    const char type = AsciiLower(spec.type);
    std::string digits;
    if (type == 'f') {
      digits = Fixed(magnitude, precision, significant);
    } else if (type == 'e') {
      digits = Scientific(magnitude, precision);
    } else {
      precision = std::max<int64_t>(precision, 1);
      digits = Scientific(magnitude, precision - 1);
      int exponent = 0;
      const size_t e = digits.find('e');
      std::from_chars(digits.data() + e + 1 + (digits[e + 1] == '+'), digits.data() + digits.size(), exponent);
      if (exponent >= -4 && exponent < precision) digits = Fixed(magnitude, precision - 1 - exponent, significant);
      if (!spec.is_alternate) CutZeros(&digits, spec.has_bang);
    }
    if (spec.has_bang && type != 'g') CutZeros(&digits, true);
    if (spec.has_bang && digits.find('.') == std::string::npos) digits.insert(std::min(digits.find('e'), digits.size()), ".0");
    if (spec.is_alternate && digits.find('.') == std::string::npos) digits.insert(std::min(digits.find('e'), digits.size()), ".");
    if (spec.type == 'E' || spec.type == 'G') std::transform(digits.begin(), digits.end(), digits.begin(), AsciiUpper);
    if (spec.has_comma) AddCommas(&digits);
    PadNumber(spec, prefix, std::move(digits));
  }

  // Width and precision count bytes, with ! characters.
  static std::string_view Cut(const Spec& spec, std::string_view text) {
    if (spec.precision < 0) return text;
    size_t bytes = static_cast<size_t>(spec.precision);
    if (spec.has_bang) {
      bytes = 0;
      for (int64_t n = 0; n < spec.precision && bytes < text.size(); ++n) ReadUtf8(text, &bytes);
    }
    return text.substr(0, bytes);
  }

  void Text(const Spec& spec, std::string text) {
    text.resize(Cut(spec, text).size());
    Pad(spec, text, spec.has_bang ? Utf8Length(text) : text.size());
  }

  void Character(const Spec& spec) {
    const std::string_view text = ToText(NextArg(), arena_);
    size_t bytes = 0;
    if (!text.empty()) ReadUtf8(text, &bytes);
    const std::string_view one = text.empty() ? std::string_view("\0", 1) : text.substr(0, bytes);
    std::string out;
    for (int64_t n = 0; n < std::max<int64_t>(spec.precision, 1); ++n) out.append(one);
    Pad(spec, out, Utf8Length(out));
  }

  void Quoted(const Spec& spec) {
    const Cell arg = NextArg();
    const char quote = spec.type == 'w' ? '"' : '\'';
    if (arg.is_null()) {
      Spec plain = spec;
      plain.precision = -1;
      return Text(plain, spec.type == 'Q' ? "NULL" : "(NULL)");
    }
    const std::string_view text = Cut(spec, ToText(arg, arena_));
    std::string out;
    if (spec.type == 'Q') out.push_back('\'');
    for (char c : text) out.append(c == quote ? 2 : 1, c);
    if (spec.type == 'Q') out.push_back('\'');
    Pad(spec, out, spec.has_bang ? Utf8Length(out) : out.size());
  }

  std::string_view format_;
  absl::Span<const Cell> args_;
  Arena* arena_;
  std::string* out_;
  size_t next_ = 0;
};

absl::Status FormatCall(FunctionContext* context, absl::Span<const Cell> args, Cell* result) {
  if (args.empty() || args[0].is_null()) return absl::OkStatus();
  std::string out;
  TURDB_RETURN_IF_ERROR(Format(ToText(args[0], context->arena), args.subspan(1), context->arena, &out));
  *result = Cell::Text(context->arena->Copy(out));
  return absl::OkStatus();
}

}  // namespace

absl::Status Format(std::string_view format, absl::Span<const Cell> args, Arena* arena, std::string* out) {
  return Formatter(format, args, arena, out).Run();
}

void AddFormatFunctions(FunctionRegistry* r) {
  r->Add("printf", 0, -1, FormatCall);
  r->Add("format", 0, -1, FormatCall);
}

}  // namespace turdb::sql
