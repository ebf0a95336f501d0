// LIKE and GLOB (sql/exec/functions.h). like(pattern, text[, escape]), glob(pattern, text).
#include "base/errors.h"
#include "base/strings.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/functions.h"

namespace turdb::sql {
namespace {

using Args = absl::Span<const Cell>;
constexpr size_t kMostPatternBytes = 50000;  // SQLITE_MAX_LIKE_PATTERN_LENGTH

struct Wildcards {
  uint32_t many, one;
  uint32_t set = 0;  // begins a set, GLOB only
  bool folds_case = false;
};
constexpr Wildcards kLike{'%', '_', 0, true};
constexpr Wildcards kGlob{'*', '?', '[', false};
constexpr uint32_t kNoEscape = ~uint32_t{0};

uint32_t Fold(uint32_t c, bool folds) { return folds && c >= 'A' && c <= 'Z' ? c + 32 : c; }

class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view text, const Wildcards& wild, uint32_t escape)
      : pattern_(pattern), text_(text), wild_(wild), escape_(escape) {}

  // One star is remembered at a time: a later star that matched makes retrying an earlier one useless.
  bool Run() {
    size_t p = 0, t = 0;
    size_t star = std::string_view::npos, star_text = 0;
    while (t < text_.size()) {
      size_t next_p = p, next_t = t;
      const int step = Step(&next_p, &next_t);
      if (step == kMany) {
        star = p = next_p;
        star_text = t;
      } else if (step == kMatch) {
        p = next_p;
        t = next_t;
      } else if (star != std::string_view::npos) {
        ReadUtf8(text_, &star_text);
        t = star_text;
        p = star;
      } else {
        return false;
      }
    }
    while (p < pattern_.size()) {
      if (ReadUtf8(pattern_, &p) != wild_.many) return false;
    }
    return true;
  }

 private:
  enum { kNo, kMatch, kMany };

  int Step(size_t* p, size_t* t) const {
    if (*p >= pattern_.size()) return kNo;
    uint32_t c = ReadUtf8(pattern_, p);
    if (c == escape_) {
      if (*p >= pattern_.size()) return kNo;
      c = ReadUtf8(pattern_, p);
    } else if (c == wild_.many) {
      return kMany;
    } else if (c == wild_.one) {
      ReadUtf8(text_, t);
      return kMatch;
    } else if (wild_.set != 0 && c == wild_.set) {
      return MatchSet(p, ReadUtf8(text_, t)) ? kMatch : kNo;
    }
    const uint32_t d = ReadUtf8(text_, t);
    return Fold(c, wild_.folds_case) == Fold(d, wild_.folds_case) ? kMatch : kNo;
  }

  // After '[': [abc], [a-z], [^...]; a ] first in it is a member.
  bool MatchSet(size_t* p, uint32_t c) const {
    bool is_inverted = false, has_seen = false;
    uint32_t previous = 0;
    auto at_end = [&] { return *p >= pattern_.size(); };
    if (at_end()) return false;
    uint32_t d = ReadUtf8(pattern_, p);
    if (d == '^') {
      is_inverted = true;
      if (at_end()) return false;
      d = ReadUtf8(pattern_, p);
    }
    if (d == ']') {
      has_seen = c == ']';
      if (at_end()) return false;
      d = ReadUtf8(pattern_, p);
    }
    while (d != ']') {
      if (d == '-' && !at_end() && pattern_[*p] != ']' && previous > 0) {
        d = ReadUtf8(pattern_, p);
        has_seen = has_seen || (c >= previous && c <= d);
        previous = 0;
      } else {
        has_seen = has_seen || c == d;
        previous = d;
      }
      if (at_end()) return false;
      d = ReadUtf8(pattern_, p);
    }
    return has_seen != is_inverted;
  }

  std::string_view pattern_, text_;
  const Wildcards& wild_;
  uint32_t escape_;
};

absl::Status Match(FunctionContext* context, Args args, const Wildcards& wild, uint32_t escape, Cell* result) {
  if (args[0].is_null() || args[1].is_null()) return absl::OkStatus();
  const std::string_view pattern = ToText(args[0], context->arena);
  if (pattern.size() > kMostPatternBytes) return TooBigError("LIKE or GLOB pattern too complex");
  *result = Cell::Integer(Matcher(pattern, ToText(args[1], context->arena), wild, escape).Run());
  return absl::OkStatus();
}

absl::Status Like(FunctionContext* context, Args args, Cell* result) {
  uint32_t escape = kNoEscape;
  if (args.size() == 3) {
    if (args[2].is_null()) return absl::OkStatus();
    const std::string_view text = ToText(args[2], context->arena);
    if (Utf8Length(text) != 1) return BadValueError("ESCAPE expression must be a single character");
    size_t at = 0;
    escape = ReadUtf8(text, &at);
  }
  return Match(context, args, kLike, escape, result);
}
absl::Status Glob(FunctionContext* context, Args args, Cell* result) { return Match(context, args, kGlob, kNoEscape, result); }

// 'word', 'word%', '%word' and '%word%' of ASCII letters, folded once: what most LIKEs are.
class SimplePattern {
 public:
  // False when the pattern needs the Matcher.
  bool Read(std::string_view pattern) {
    is_open_left_ = !pattern.empty() && pattern.front() == '%';
    if (is_open_left_) pattern.remove_prefix(1);
    is_open_right_ = !pattern.empty() && pattern.back() == '%';
    if (is_open_right_) pattern.remove_suffix(1);
    for (char c : pattern) {
      if (c == '%' || c == '_' || static_cast<unsigned char>(c) >= 0x80) return false;
      word_.push_back(AsciiLower(c));
    }
    return true;
  }

  bool Matches(std::string_view text) const {
    if (text.size() < word_.size()) return false;
    const size_t last = text.size() - word_.size();
    if (!is_open_left_) return (is_open_right_ || last == 0) && StandsAt(text, 0);
    if (!is_open_right_) return StandsAt(text, last);
    if (word_.empty()) return true;
    const char first = word_[0];
    for (size_t at = 0; at <= last; ++at) {
      if (AsciiLower(text[at]) == first && StandsAt(text, at)) return true;
    }
    return false;
  }

 private:
  bool StandsAt(std::string_view text, size_t at) const {
    for (size_t i = 0; i < word_.size(); ++i) {
      if (AsciiLower(text[at + i]) != word_[i]) return false;
    }
    return true;
  }

  std::string word_;
  bool is_open_left_ = false, is_open_right_ = false;
};

bool LikeBatch(FunctionContext* context, absl::Span<const ColumnVector* const> args, uint32_t rows, ColumnVector* out) {
  if (args.size() != 2 || !args[0]->is_constant() || args[1]->is_constant()) return false;
  const Cell pattern = args[0]->Get(0);
  SimplePattern simple;
  if (!pattern.is_text() || pattern.length > kMostPatternBytes || !simple.Read(pattern.view())) return false;
  int64_t* results = out->ResetInt64(rows);
  for (uint32_t row = 0; row < rows; ++row) {
    const Cell text = args[1]->Get(row);
    if (text.is_null()) {
      results[row] = 0;
      out->SetNull(row);
    } else {
      results[row] = simple.Matches(text.is_text() ? text.view() : ToText(text, context->arena));
    }
  }
  return true;
}

}  // namespace

void AddPatternFunctions(FunctionRegistry* r) {
  r->Add("like", 2, 3, Like)->call_batch = LikeBatch;
  r->Add("glob", 2, 2, Glob);
}

}  // namespace turdb::sql
