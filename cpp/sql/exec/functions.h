// The registry of built-in functions, filled by one file a family (functions_*.cc), and what those files share.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sql/bind/function.h"

namespace turdb::sql {

using ScalarCall = absl::Status (*)(FunctionContext*, absl::Span<const Cell>, Cell*);

class FunctionRegistry final : public FunctionSet {
 public:
  // Returns the function, for what is not usual about it.
  ScalarFunction* Add(std::string_view name, int min_args, int max_args, ScalarCall call);
  template <typename State>
  AggregateFunction* AddAggregate(std::string_view name, int min_args, int max_args) {
    AggregateFunction* function = AddNative(name, min_args, max_args, NativeAggregate::kNone);
    function->create = [] { return std::unique_ptr<AggregateState>(std::make_unique<State>()); };
    return function;
  }
  AggregateFunction* AddNative(std::string_view name, int min_args, int max_args, NativeAggregate native);
  void Alias(std::string_view name, std::string_view of);  // of a scalar function

  const ScalarFunction* FindScalar(std::string_view name, int arg_count) const override;
  const AggregateFunction* FindAggregate(std::string_view name, int arg_count) const override;
  bool HasName(std::string_view name) const override;
  std::vector<std::string> SimilarNames(std::string_view name) const override;
  int FindCollation(std::string_view name) const override;

 private:
  std::deque<ScalarFunction> scalars_;
  std::deque<AggregateFunction> aggregates_;
  absl::flat_hash_map<std::string, std::vector<const ScalarFunction*>> scalars_by_name_;
  absl::flat_hash_map<std::string, std::vector<const AggregateFunction*>> aggregates_by_name_;
};

void AddTextFunctions(FunctionRegistry* registry);
void AddCoreFunctions(FunctionRegistry* registry);
void AddFormatFunctions(FunctionRegistry* registry);
void AddPatternFunctions(FunctionRegistry* registry);
void AddMathFunctions(FunctionRegistry* registry);
void AddAggregateFunctions(FunctionRegistry* registry);
void AddWindowFunctions(FunctionRegistry* registry);
void AddDateFunctions(FunctionRegistry* registry);
void AddVectorFunctions(FunctionRegistry* registry);
void AddJsonFunctions(FunctionRegistry* registry);

// Text as UTF-8 code points; a byte that is not well formed counts as one.
size_t Utf8Length(std::string_view s);
// Reads one code point and moves `at` past it.
uint32_t ReadUtf8(std::string_view s, size_t* at);
size_t AppendUtf8(uint32_t code, char* to);  // up to 4 bytes

// SQL literal of a value, as quote() gives it.
std::string_view Quote(const Cell& cell, Arena* arena);
// printf() of SQLite; args after the format.
absl::Status Format(std::string_view format, absl::Span<const Cell> args, Arena* arena, std::string* out);

}  // namespace turdb::sql
