// Keyword lookup: a table laid out at compile time, addressed by length, first and last letter.
#include <array>

#include "base/strings.h"
#include "sql/syntax/token.h"

namespace turdb::sql {
namespace {

struct Keyword {
  std::string_view text;
  KeywordClass name_class;
};
constexpr Keyword kKeywords[] = {
#define TURDB_KEYWORD_ROW(Name, text, cls) {text, KeywordClass::cls},
    TURDB_KEYWORDS(TURDB_KEYWORD_ROW)
#undef TURDB_KEYWORD_ROW
};
constexpr size_t kKeywordCount = sizeof(kKeywords) / sizeof(kKeywords[0]);
constexpr size_t kLongestKeyword = 17;  // CURRENT_TIMESTAMP
constexpr size_t kSlots = 1024;         // sparse, so that a plain name mostly meets an empty slot

constexpr char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

constexpr size_t SlotOf(std::string_view word) {
  const auto first = static_cast<unsigned char>(Upper(word[0]));
  const auto second = static_cast<unsigned char>(Upper(word[1]));
  const auto last = static_cast<unsigned char>(Upper(word.back()));
  return (first * 31u + second * 5u + last * 131u + word.size() * 57u) % kSlots;
}

// Slot -> index into kKeywords plus one; 0 is empty. Collisions go to the next slot.
constexpr auto kTable = [] {
  std::array<uint8_t, kSlots> table{};
  for (size_t i = 0; i < kKeywordCount; ++i) {
    size_t slot = SlotOf(kKeywords[i].text);
    while (table[slot] != 0) slot = (slot + 1) % kSlots;
    table[slot] = static_cast<uint8_t>(i + 1);
  }
  return table;
}();
static_assert(kKeywordCount < 255);

bool EqualsUpper(std::string_view word, std::string_view upper) {
  if (word.size() != upper.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (Upper(word[i]) != upper[i]) return false;
  }
  return true;
}

}  // namespace

TokenKind LookupKeyword(std::string_view word) {
  if (word.size() < 2 || word.size() > kLongestKeyword) return TokenKind::kIdentifier;
  for (size_t slot = SlotOf(word); kTable[slot] != 0; slot = (slot + 1) % kSlots) {
    const size_t index = kTable[slot] - 1u;
    if (EqualsUpper(word, kKeywords[index].text)) {
      return static_cast<TokenKind>(static_cast<size_t>(kFirstKeyword) + index);
    }
  }
  return TokenKind::kIdentifier;
}

KeywordClass ClassOf(TokenKind keyword) {
  return kKeywords[static_cast<size_t>(keyword) - static_cast<size_t>(kFirstKeyword)].name_class;
}

std::string_view KeywordText(TokenKind keyword) {
  return kKeywords[static_cast<size_t>(keyword) - static_cast<size_t>(kFirstKeyword)].text;
}

}  // namespace turdb::sql
