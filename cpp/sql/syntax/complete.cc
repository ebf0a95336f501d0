// sqlite3_complete(): a small automaton over the tokens, so that a prompt knows when to run the text.
#include "sql/syntax/lexer.h"
#include "sql/syntax/parser.h"

namespace turdb::sql {
namespace {

using enum TokenKind;

enum class State {
  kInvalid,  // nothing but blanks yet
  kStart,    // a statement has just ended
  kNormal,
  kExplain,
  kCreate,
  kTrigger,    // inside a trigger's definition
  kSemicolon,  // after a semicolon inside it
  kEndWord,    // after END that follows one
};

State Next(State state, TokenKind kind) {
  const bool is_semicolon = kind == TokenKind::kSemicolon;
  switch (state) {
    case State::kInvalid:
    case State::kStart:
      if (is_semicolon) return State::kStart;
      if (kind == TokenKind::kExplain) return State::kExplain;
      return kind == TokenKind::kCreate ? State::kCreate : State::kNormal;
    case State::kNormal: return is_semicolon ? State::kStart : State::kNormal;
    case State::kExplain:
      if (is_semicolon) return State::kStart;
      if (kind == TokenKind::kCreate) return State::kCreate;
      return kind == kQuery || kind == kPlan || kind == kAnalyze ? State::kExplain : State::kNormal;
    case State::kCreate:
      if (is_semicolon) return State::kStart;
      if (kind == TokenKind::kTrigger) return State::kTrigger;
      return kind == kTemp || kind == kTemporary ? State::kCreate : State::kNormal;
    case State::kTrigger: return is_semicolon ? State::kSemicolon : State::kTrigger;
    case State::kSemicolon:
      if (is_semicolon) return State::kSemicolon;
      return kind == TokenKind::kEndKeyword ? State::kEndWord : State::kTrigger;
    case State::kEndWord: return is_semicolon ? State::kStart : State::kTrigger;
  }
  return state;
}

// An open string or comment at the end keeps the text incomplete, whatever stands before it.
bool EndsInOpenComment(std::string_view sql, size_t from) {
  for (size_t at = from; at < sql.size();) {
    if (sql.substr(at, 2) == "/*") {
      const size_t close = sql.find("*/", at + 2);
      if (close == sql.npos) return true;
      at = close + 2;
    } else if (sql.substr(at, 2) == "--") {
      at = sql.find('\n', at);
      if (at == sql.npos) return false;
    } else {
      ++at;
    }
  }
  return false;
}

bool IsOpenQuote(std::string_view sql, const Token& token) {
  const char first = sql[token.offset];
  return token.end() == sql.size() && (first == '\'' || first == '"' || first == '`' || first == '[');
}

}  // namespace

bool IsComplete(std::string_view sql) {
  Lexer lexer(sql);
  State state = State::kInvalid;
  size_t end = 0;
  for (Token token = lexer.Next(); token.kind != kEnd; token = lexer.Next()) {
    if (token.kind == kIllegal && IsOpenQuote(sql, token)) return false;
    state = Next(state, token.kind);
    end = token.end();
  }
  return state == State::kStart && !EndsInOpenComment(sql, end);
}

}  // namespace turdb::sql
