// Core functions on any value: abs, typeof, coalesce, min, max, random, changes, ... (sql/exec/functions.h)
#include <cstring>
#include <limits>
#include <random>

#include "base/errors.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/collation.h"
#include "sql/exec/exec_context.h"
#include "sql/exec/functions.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

using Args = absl::Span<const Cell>;

absl::Status Abs(FunctionContext*, Args args, Cell* result) {
  const Cell& x = args[0];
  if (x.is_null()) return absl::OkStatus();
  if (x.is_integer()) {
    if (x.integer == std::numeric_limits<int64_t>::min()) return OverflowError("integer overflow");
    *result = Cell::Integer(x.integer < 0 ? -x.integer : x.integer);
  } else {
    const double value = ToReal(x);
    *result = Cell::Real(value < 0 ? -value : value);
  }
  return absl::OkStatus();
}

absl::Status TypeOf(FunctionContext*, Args args, Cell* result) {
  *result = Cell::Text(StorageClassName(args[0].type));
  return absl::OkStatus();
}

absl::Status Coalesce(FunctionContext*, Args args, Cell* result) {
  for (const Cell& arg : args) {
    if (!arg.is_null()) {
      *result = arg;
      break;
    }
  }
  return absl::OkStatus();
}

absl::Status Iif(FunctionContext*, Args args, Cell* result) {
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    if (Truth(args[i]) == 1) {
      *result = args[i + 1];
      return absl::OkStatus();
    }
  }
  if (args.size() % 2 == 1) *result = args.back();
  return absl::OkStatus();
}

absl::Status First(FunctionContext*, Args args, Cell* result) {
  *result = args[0];
  return absl::OkStatus();
}

int Compare(FunctionContext* context, const Cell& a, const Cell& b) {
  return CompareCollated(a, b, context->collation, context->exec == nullptr ? nullptr : context->exec->collations);
}

absl::Status NullIf(FunctionContext* context, Args args, Cell* result) {
  const bool are_equal = !args[0].is_null() && !args[1].is_null() && Compare(context, args[0], args[1]) == 0;
  if (!are_equal) *result = args[0];
  return absl::OkStatus();
}

template <bool kIsMin>
absl::Status Extreme(FunctionContext* context, Args args, Cell* result) {
  *result = args[0];
  for (const Cell& arg : args) {
    if (arg.is_null()) {
      *result = Cell();
      break;
    }
    const int order = Compare(context, arg, *result);
    if (kIsMin ? order < 0 : order > 0) *result = arg;
  }
  return absl::OkStatus();
}

std::mt19937_64& Generator() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator;
}

absl::Status Random(FunctionContext*, Args, Cell* result) {
  *result = Cell::Integer(static_cast<int64_t>(Generator()()));
  return absl::OkStatus();
}

absl::Status BlobOf(FunctionContext* context, int64_t size, bool is_random, Cell* result) {
  if (size > static_cast<int64_t>(kMaxTextBytes)) return TooBigError("string or blob too big: ", size, " bytes");
  char* to = context->arena->Allocate(static_cast<size_t>(std::max<int64_t>(size, 1)), 1);
  std::memset(to, 0, static_cast<size_t>(size));
  for (int64_t i = 0; is_random && i < size; ++i) to[i] = static_cast<char>(Generator()());
  *result = Cell::Blob({to, static_cast<size_t>(size)});
  return absl::OkStatus();
}

absl::Status RandomBlob(FunctionContext* context, Args args, Cell* result) {
  return BlobOf(context, std::max<int64_t>(1, ToInteger(args[0])), true, result);
}
absl::Status ZeroBlob(FunctionContext* context, Args args, Cell* result) {
  return BlobOf(context, std::max<int64_t>(0, ToInteger(args[0])), false, result);
}

absl::Status Sign(FunctionContext*, Args args, Cell* result) {
  const Cell x = TextToNumberIfWhole(args[0]);
  if (!x.is_numeric()) return absl::OkStatus();
  const double value = ToReal(x);
  *result = Cell::Integer(value < 0 ? -1 : value > 0 ? 1 : 0);
  return absl::OkStatus();
}

absl::Status Round(FunctionContext*, Args args, Cell* result) {
  int64_t digits = 0;
  if (args.size() == 2) {
    if (args[1].is_null()) return absl::OkStatus();
    digits = std::clamp<int64_t>(ToInteger(args[1]), 0, 30);
  }
  if (args[0].is_null()) return absl::OkStatus();
  double value = ToReal(args[0]);
  if (value < -4503599627370496.0 || value > 4503599627370496.0) {
    // No fraction to round.
  } else if (digits == 0) {
    value = static_cast<double>(static_cast<int64_t>(value + (value < 0 ? -0.5 : 0.5)));
  } else {
    Arena arena;
    std::string text;
    const Cell real = Cell::Real(value);
    const std::string format = Cat("%!.", digits, "f");
    absl::Status status = Format(format, {&real, 1}, &arena, &text);
    if (!status.ok()) return status;
    value = TextToReal(text);
  }
  *result = Cell::Real(value);
  return absl::OkStatus();
}

absl::Status Changes(FunctionContext* context, Args, Cell* result) {
  *result = Cell::Integer(context->exec == nullptr ? 0 : context->exec->connection_changes);
  return absl::OkStatus();
}
absl::Status TotalChanges(FunctionContext* context, Args, Cell* result) {
  *result = Cell::Integer(context->exec == nullptr ? 0 : context->exec->connection_total_changes);
  return absl::OkStatus();
}
absl::Status LastInsertRowId(FunctionContext* context, Args, Cell* result) {
  *result = Cell::Integer(context->exec == nullptr ? 0 : context->exec->last_insert_rowid);
  return absl::OkStatus();
}

// The dialect that programs may count on.
absl::Status SqliteVersion(FunctionContext*, Args, Cell* result) {
  *result = Cell::Text("3.40.1");
  return absl::OkStatus();
}
absl::Status TurdbVersion(FunctionContext*, Args, Cell* result) {
  *result = Cell::Text("0.1.0");
  return absl::OkStatus();
}

}  // namespace

void AddCoreFunctions(FunctionRegistry* r) {
  r->Add("abs", 1, 1, Abs);
  r->Add("typeof", 1, 1, TypeOf);
  r->Add("coalesce", 2, -1, Coalesce);
  r->Add("ifnull", 2, 2, Coalesce);
  r->Add("iif", 2, -1, Iif);
  r->Alias("if", "iif");
  r->Add("likely", 1, 1, First);
  r->Add("unlikely", 1, 1, First);
  r->Add("likelihood", 2, 2, First);
  r->Add("nullif", 2, 2, NullIf)->needs_collation = true;
  r->Add("min", 2, -1, Extreme<true>)->needs_collation = true;
  r->Add("max", 2, -1, Extreme<false>)->needs_collation = true;
  r->Add("random", 0, 0, Random)->is_deterministic = false;
  r->Add("randomblob", 1, 1, RandomBlob)->is_deterministic = false;
  r->Add("zeroblob", 1, 1, ZeroBlob);
  r->Add("sign", 1, 1, Sign);
  r->Add("round", 1, 2, Round);
  r->Add("changes", 0, 0, Changes)->is_deterministic = false;
  r->Add("total_changes", 0, 0, TotalChanges)->is_deterministic = false;
  r->Add("last_insert_rowid", 0, 0, LastInsertRowId)->is_deterministic = false;
  r->Add("sqlite_version", 0, 0, SqliteVersion);
  r->Add("turdb_version", 0, 0, TurdbVersion);
}

}  // namespace turdb::sql
