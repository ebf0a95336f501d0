// Functions that stand in FROM: their names, arguments and columns. sql/exec computes their rows.
//
// Output columns of a LogicalTableFunction: `columns`, then `hidden_columns`. A hidden column holds an argument's value
// in every row; it is found by name only.
#pragma once

#include <string_view>
#include <vector>

namespace turdb::sql {

struct TableFunctionDef {
  std::string_view name;
  int max_args = 0;
  std::vector<std::string_view> columns;
  std::vector<std::string_view> hidden_columns;
};

// In any case of letters; nullptr when there is none.
const TableFunctionDef* DescribeTableFunction(std::string_view name);
const std::vector<TableFunctionDef>& TableFunctions();

// The views of the system's schema, turdb_catalog: named with it, without arguments. Their rows come from the table
// function "turdb_catalog.<name>".
const TableFunctionDef* DescribeSystemView(std::string_view name);
const std::vector<TableFunctionDef>& SystemViews();

}  // namespace turdb::sql
