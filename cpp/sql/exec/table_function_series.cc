// generate_series(start, stop, step): columns value, then the hidden start, stop, step (sql/exec/table_function.h).
#include "base/errors.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/table_function.h"

namespace turdb::sql {
namespace {

class Series : public TableFunctionRows {
 public:
  Series(int64_t start, int64_t stop, int64_t step) : start_(start), stop_(stop), step_(step), value_(start) {
    is_done_ = step > 0 ? start > stop : start < stop;
  }
  absl::StatusOr<bool> Next(Cell* cells, Arena*) override {
    if (is_done_) return false;
    cells[0] = Cell::Integer(value_);
    cells[1] = Cell::Integer(start_);
    cells[2] = Cell::Integer(stop_);
    cells[3] = Cell::Integer(step_);
    is_done_ = __builtin_add_overflow(value_, step_, &value_) || (step_ > 0 ? value_ > stop_ : value_ < stop_);
    return true;
  }

 private:
  int64_t start_, stop_, step_, value_;
  bool is_done_;
};

class NoRows : public TableFunctionRows {
 public:
  absl::StatusOr<bool> Next(Cell*, Arena*) override { return false; }
};

absl::StatusOr<std::unique_ptr<TableFunctionRows>> OpenSeries(ExecContext*, absl::Span<const Value> arguments) {
  if (arguments.empty()) return BadValueError("first argument to \"generate_series()\" missing or unusable");
  int64_t numbers[3] = {0, 4294967295, 1};
  for (size_t i = 0; i < arguments.size() && i < 3; ++i) {
    if (arguments[i].is_null()) return std::make_unique<NoRows>();
    numbers[i] = ToInteger(arguments[i].cell());
  }
  if (numbers[2] == 0) numbers[2] = 1;
  return std::make_unique<Series>(numbers[0], numbers[1], numbers[2]);
}

}  // namespace

TableFunction GenerateSeries() { return {"generate_series", 4, OpenSeries}; }

}  // namespace turdb::sql
