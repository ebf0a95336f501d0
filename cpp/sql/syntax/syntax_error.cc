#include "sql/syntax/syntax_error.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"

namespace turdb::sql {
namespace {

constexpr size_t kExcerptBytes = 72;  // a line of a terminal, with room for the indent

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

size_t CountCharacters(std::string_view s) {
  return static_cast<size_t>(std::count_if(s.begin(), s.end(), [](char c) { return !IsContinuation(c); }));
}

// Moves `at` off the middle of a UTF-8 character.
size_t CharacterStart(std::string_view s, size_t at) {
  while (at > 0 && at < s.size() && IsContinuation(s[at])) --at;
  return at;
}

constexpr std::string_view KeywordTexts[] = {
#define TURDB_KEYWORD_TEXT(Name, text, cls) text,
    TURDB_KEYWORDS(TURDB_KEYWORD_TEXT)
#undef TURDB_KEYWORD_TEXT
};

}  // namespace

LineColumn LineColumnAt(std::string_view text, uint32_t offset) {
  const std::string_view before = text.substr(0, std::min<size_t>(offset, text.size()));
  const size_t newline = before.rfind('\n');
  const std::string_view line = newline == before.npos ? before : before.substr(newline + 1);
  return {static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n') + 1),
          static_cast<uint32_t>(CountCharacters(line) + 1)};
}

std::string AtPlace(std::string_view message, std::string_view text, uint32_t offset,
                    std::string_view hint) {
  const size_t at = std::min<size_t>(offset, text.size());
  const LineColumn place = LineColumnAt(text, offset);
  std::string out = Cat(message, " at line ", place.line, ", column ", place.column);
  if (!hint.empty()) {
    out += "; ";
    out += hint;
  }
  size_t begin = text.substr(0, at).rfind('\n');
  begin = begin == text.npos ? 0 : begin + 1;
  size_t end = std::min(text.find('\n', at), text.size());
  // A long line shows the part around the place.
  if (at - begin > kExcerptBytes / 2) begin = std::max(begin, CharacterStart(text, at - kExcerptBytes / 2));
  if (end - begin > kExcerptBytes) end = CharacterStart(text, begin + kExcerptBytes);
  std::string line(text.substr(begin, end - begin));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  const size_t indent = CountCharacters(text.substr(begin, at - begin));
  out += "\n  ";
  out += line;
  out += "\n  ";
  out.append(indent, ' ');
  out += '^';
  return out;
}

std::string_view Shortened(std::string_view text, size_t bytes) {
  return text.size() <= bytes ? text : text.substr(0, CharacterStart(text, bytes));
}

size_t EditDistance(std::string_view a, std::string_view b, size_t limit) {
  const size_t longer = std::max(a.size(), b.size());
  if (longer - std::min(a.size(), b.size()) >= limit) return limit;
  std::vector<size_t> two_up(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = AsciiLower(a[i - 1]) == AsciiLower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && AsciiLower(a[i - 1]) == AsciiLower(b[j - 2]) &&
                           AsciiLower(a[i - 2]) == AsciiLower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], two_up[j - 2] + 1);
    }
    two_up.swap(above);
    above.swap(row);
  }
  return std::min(above[b.size()], limit);
}

// One edit up to five letters, two beyond: more is a different word.
NearestWord::NearestWord(std::string_view word)
    : word_(word), best_distance_(word.size() <= 2 ? 1 : word.size() <= 5 ? 2 : 3) {}

void NearestWord::Consider(std::string_view candidate) {
  const size_t distance = EditDistance(word_, candidate, best_distance_ + 1);
  // Of two as near, the one of the same length is the likelier slip: FORM is FROM, not FOR.
  const bool breaks_tie = distance == best_distance_ && !best_.empty() &&
                          best_.size() != word_.size() && candidate.size() == word_.size();
  if (distance < best_distance_ || breaks_tie) {
    best_distance_ = distance;
    best_ = candidate;
  }
}

std::string_view MisspelledKeyword(std::string_view word) {
  if (word.size() < 3 || word.size() > 20) return {};
  NearestWord nearest(word);
  for (std::string_view keyword : KeywordTexts) {
    if (keyword.size() >= 3) nearest.Consider(keyword);
  }
  return nearest.best();
}

}  // namespace turdb::sql
