// ConnectionFunctions: the functions and collations of one connection: the user's own in front of the built-in ones.
// Not thread-safe; guarded by the connection's mutex. Removed functions stay alive for statements bound to them.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sql/bind/function.h"
#include "sql/exec/collation.h"

namespace turdb::engine {

class ConnectionFunctions final : public sql::FunctionSet {
 public:
  void Add(sql::ScalarFunction function);
  void Add(sql::AggregateFunction function);
  sql::CollationRegistry* collations() { return &collations_; }
  // Changes whenever a function was added: statements bound before are bound again.
  uint64_t version() const { return version_; }
  void BumpVersion() { ++version_; }

  const sql::ScalarFunction* FindScalar(std::string_view name, int arg_count) const override;
  const sql::AggregateFunction* FindAggregate(std::string_view name, int arg_count) const override;
  bool HasName(std::string_view name) const override;
  std::vector<std::string> SimilarNames(std::string_view name) const override;
  int FindCollation(std::string_view name) const override;

 private:
  std::deque<sql::ScalarFunction> scalars_;        // the newest last
  std::deque<sql::AggregateFunction> aggregates_;
  sql::CollationRegistry collations_;
  uint64_t version_ = 0;
};

}  // namespace turdb::engine
