// ListedRows: a table function whose rows are all made when it is opened.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sql/exec/table_function.h"

namespace turdb::engine {

class ListedRows final : public sql::TableFunctionRows {
 public:
  using Rows = std::vector<std::vector<Value>>;
  explicit ListedRows(Rows rows) : rows_(std::move(rows)) {}
  absl::StatusOr<bool> Next(Cell* cells, Arena*) override {
    if (next_ == rows_.size()) return false;
    for (const Value& value : rows_[next_]) *cells++ = value.cell();
    ++next_;
    return true;
  }

 private:
  const Rows rows_;
  size_t next_ = 0;
};

}  // namespace turdb::engine
