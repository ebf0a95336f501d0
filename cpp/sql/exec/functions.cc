#include "sql/exec/functions.h"

#include <algorithm>

#include "base/errors.h"
#include "base/strings.h"
#include "sql/exec/collation.h"
#include "sql/exec/operator.h"

namespace turdb::sql {
namespace {

bool Takes(int min_args, int max_args, int count) { return count >= min_args && (max_args < 0 || count <= max_args); }

// How many single-letter edits apart, for "did you mean".
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

absl::Status AggregateState::Inverse(FunctionContext*, absl::Span<const Cell>) {
  return UnsupportedError("this function cannot run over a sliding window frame");
}

ScalarFunction* FunctionRegistry::Add(std::string_view name, int min_args, int max_args, ScalarCall call) {
  scalars_.emplace_back();
  ScalarFunction& function = scalars_.back();
  function.name = std::string(name);
  function.min_args = min_args;
  function.max_args = max_args;
  function.call = call;
  scalars_by_name_[function.name].push_back(&function);
  return &function;
}

void FunctionRegistry::Alias(std::string_view name, std::string_view of) {
  const std::vector<const ScalarFunction*> originals = scalars_by_name_[std::string(of)];
  for (const ScalarFunction* original : originals) {
    scalars_.push_back(*original);
    scalars_.back().name = std::string(name);
    scalars_by_name_[std::string(name)].push_back(&scalars_.back());
  }
}

AggregateFunction* FunctionRegistry::AddNative(std::string_view name, int min_args, int max_args, NativeAggregate native) {
  aggregates_.emplace_back();
  AggregateFunction& function = aggregates_.back();
  function.name = std::string(name);
  function.min_args = min_args;
  function.max_args = max_args;
  function.native = native;
  aggregates_by_name_[function.name].push_back(&function);
  return &function;
}

const ScalarFunction* FunctionRegistry::FindScalar(std::string_view name, int arg_count) const {
  const auto found = scalars_by_name_.find(ToAbsl(name));
  if (found == scalars_by_name_.end()) return nullptr;
  for (const ScalarFunction* function : found->second) {
    if (Takes(function->min_args, function->max_args, arg_count)) return function;
  }
  return nullptr;
}

const AggregateFunction* FunctionRegistry::FindAggregate(std::string_view name, int arg_count) const {
  const auto found = aggregates_by_name_.find(ToAbsl(name));
  if (found == aggregates_by_name_.end()) return nullptr;
  for (const AggregateFunction* function : found->second) {
    if (Takes(function->min_args, function->max_args, arg_count)) return function;
  }
  return nullptr;
}

bool FunctionRegistry::HasName(std::string_view name) const {
  return scalars_by_name_.contains(ToAbsl(name)) || aggregates_by_name_.contains(ToAbsl(name));
}

std::vector<std::string> FunctionRegistry::SimilarNames(std::string_view name) const {
  std::vector<std::pair<size_t, std::string>> near;
  auto consider = [&](const std::string& candidate) {
    const size_t distance = EditDistance(name, candidate);
    if (distance <= 1 + name.size() / 4) near.emplace_back(distance, candidate);
  };
  for (const auto& entry : scalars_by_name_) consider(entry.first);
  for (const auto& entry : aggregates_by_name_) consider(entry.first);
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> names;
  for (auto& [distance, candidate] : near) names.push_back(std::move(candidate));
  return names;
}

int FunctionRegistry::FindCollation(std::string_view name) const { return FindBuiltinCollation(name); }

const FunctionSet& BuiltinFunctions() {
  static const FunctionRegistry* registry = [] {
    auto* made = new FunctionRegistry();
    AddCoreFunctions(made);
    AddTextFunctions(made);
    AddFormatFunctions(made);
    AddPatternFunctions(made);
    AddMathFunctions(made);
    AddAggregateFunctions(made);
    AddWindowFunctions(made);
    AddDateFunctions(made);
    AddVectorFunctions(made);
    AddJsonFunctions(made);
    return made;
  }();
  return *registry;
}

size_t Utf8Length(std::string_view s) {
  size_t n = 0;
  for (char c : s) n += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return n;
}

uint32_t ReadUtf8(std::string_view s, size_t* at) {
  const uint8_t first = static_cast<uint8_t>(s[(*at)++]);
  if (first < 0xC0) return first;
  int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  uint32_t code = first & (0x3F >> more);
  while (more-- > 0 && *at < s.size() && (static_cast<uint8_t>(s[*at]) & 0xC0) == 0x80) {
    code = (code << 6) | (static_cast<uint8_t>(s[(*at)++]) & 0x3F);
  }
  return code;
}

size_t AppendUtf8(uint32_t code, char* to) {
  if (code < 0x80) {
    to[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    to[0] = static_cast<char>(0xC0 | (code >> 6));
    to[1] = static_cast<char>(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = static_cast<char>(0xE0 | (code >> 12));
    to[1] = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    to[2] = static_cast<char>(0x80 | (code & 0x3F));
    return 3;
  }
  to[0] = static_cast<char>(0xF0 | (code >> 18));
  to[1] = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
  to[2] = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
  to[3] = static_cast<char>(0x80 | (code & 0x3F));
  return 4;
}

}  // namespace turdb::sql
