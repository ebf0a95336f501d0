#include "txn/lock_mode.h"

namespace turdb::txn {

std::string_view LockModeName(LockMode mode) {
  switch (mode) {
    case LockMode::kNone: return "none";
    case LockMode::kIntentionShared: return "IS";
    case LockMode::kIntentionExclusive: return "IX";
    case LockMode::kShared: return "S";
    case LockMode::kExclusive: return "X";
  }
  return "none";
}

bool Covers(LockMode held, LockMode wanted) {
  if (held == wanted || wanted == LockMode::kNone || held == LockMode::kExclusive) return true;
  return wanted == LockMode::kIntentionShared && held != LockMode::kNone;
}

bool AreCompatible(LockMode a, LockMode b) {
  if (a == LockMode::kNone || b == LockMode::kNone) return true;
  if (a == LockMode::kExclusive || b == LockMode::kExclusive) return false;
  if (a == LockMode::kIntentionShared || b == LockMode::kIntentionShared) return true;
  return a == b;  // IX beside IX, S beside S
}

// S with IX would be SIX, which is taken as X.
LockMode Union(LockMode a, LockMode b) {
  if (Covers(a, b)) return a;
  return Covers(b, a) ? b : LockMode::kExclusive;
}

}  // namespace turdb::txn
