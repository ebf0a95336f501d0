#include "engine/connection_functions.h"

#include "sql/exec/operator.h"

namespace turdb::engine {
namespace {

// The newest function that takes this many arguments. One without an implementation was removed: `is_removed`.
template <typename Functions>
auto FindNewest(const Functions& functions, std::string_view name, int arg_count) -> const typename Functions::value_type* {
  for (auto it = functions.rbegin(); it != functions.rend(); ++it) {
    const bool takes = arg_count >= it->min_args && (it->max_args < 0 || arg_count <= it->max_args);
    if (it->name == name && takes) return &*it;
  }
  return nullptr;
}

}  // namespace

void ConnectionFunctions::Add(sql::ScalarFunction function) {
  scalars_.push_back(std::move(function));
  ++version_;
}

void ConnectionFunctions::Add(sql::AggregateFunction function) {
  aggregates_.push_back(std::move(function));
  ++version_;
}

const sql::ScalarFunction* ConnectionFunctions::FindScalar(std::string_view name, int arg_count) const {
  const sql::ScalarFunction* own = FindNewest(scalars_, name, arg_count);
  if (own != nullptr && own->call) return own;
  return sql::BuiltinFunctions().FindScalar(name, arg_count);
}

const sql::AggregateFunction* ConnectionFunctions::FindAggregate(std::string_view name, int arg_count) const {
  const sql::AggregateFunction* own = FindNewest(aggregates_, name, arg_count);
  if (own != nullptr && own->create) return own;
  return sql::BuiltinFunctions().FindAggregate(name, arg_count);
}

bool ConnectionFunctions::HasName(std::string_view name) const {
  for (const auto& function : scalars_) {
    if (function.name == name && function.call) return true;
  }
  for (const auto& function : aggregates_) {
    if (function.name == name && function.create) return true;
  }
  return sql::BuiltinFunctions().HasName(name);
}

std::vector<std::string> ConnectionFunctions::SimilarNames(std::string_view name) const {
  return sql::BuiltinFunctions().SimilarNames(name);
}

int ConnectionFunctions::FindCollation(std::string_view name) const {
  const int user = collations_.Find(name);
  return user >= 0 ? user : sql::FindBuiltinCollation(name);
}

}  // namespace turdb::engine
