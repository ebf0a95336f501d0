// The shape of a statement: its text with a parameter in the place of each literal that stands alone as a value.
//
// Programs that write values into their SQL never send the same text twice, but few shapes; a statement of a known shape needs neither
// parsing nor planning (docs/decisions/0014). Only literals are taken that mean the same as a parameter: the whole right side
// of = in UPDATE .. SET and in WHERE, and the whole values of VALUES. Result columns, which are named by their text, ORDER BY,
// LIMIT and all else stay in the shape as they are written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "types/value.h"

namespace turdb::engine {

struct StatementShape {
  std::string text;
  std::vector<Value> values;  // of the parameters of `text`, in order
};

// False when `sql` is not one SELECT, INSERT, REPLACE, UPDATE or DELETE without parameters and nested SELECTs, or has no such
// literal. `shape` is then spoilt.
bool FindShape(std::string_view sql, StatementShape* shape);

}  // namespace turdb::engine
