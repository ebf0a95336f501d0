// Table functions: what stands in FROM with arguments and gives rows (generate_series, json_each, pragma_...).
//
// Found by lower-case name; the columns of a batch are the function's columns, hidden ones (its arguments) last.
// RegisterTableFunction is called while the program starts (or a room above registers its own), before any look-up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sql/exec/exec_context.h"
#include "types/column_vector.h"

namespace turdb::sql {

class TableFunctionRows {
 public:
  virtual ~TableFunctionRows() = default;
  // Fills one row's cells and returns true, or false at the end. Bytes go to `arena`.
  virtual absl::StatusOr<bool> Next(Cell* cells, Arena* arena) = 0;
};

struct TableFunction {
  std::string name;
  size_t columns = 0;
  std::function<absl::StatusOr<std::unique_ptr<TableFunctionRows>>(ExecContext* context, absl::Span<const Value> arguments)> open;
};

void RegisterTableFunction(TableFunction function);
const TableFunction* FindRowFunction(std::string_view name);  // nullptr when there is none

TableFunction GenerateSeries();
TableFunction JsonEach();
TableFunction JsonTree();

}  // namespace turdb::sql
