// Choosing how to read one table: full scan, rowid range or look-up, index scan, by estimated cost.
//
// Cost is in units of "one row of a sequential scan". A parameterised path (inner side of a nested loop) takes its key
// from columns of the outer side: they count as values here.
#pragma once

#include "sql/plan/planner.h"
#include "sql/plan/sargable.h"

namespace turdb::sql {

struct AccessPath {
  enum class Kind : uint8_t { kScan, kRowIdLookup, kRowIdRange, kIndex };
  Kind kind = Kind::kScan;
  const catalog::IndexDef* index = nullptr;  // nullptr with kIndex: primary key of a WITHOUT ROWID table
  std::vector<size_t> prefix;                // conjuncts that give the equal prefix, in order of index columns
  int in_list = -1;                          // conjunct of the IN after the prefix
  int lower = -1, upper = -1;                // conjuncts of the bounds
  bool is_covering = false;
  double rows = 0;                           // before the remaining filter
  double cost = 0;                           // of one opening
};

// The cheapest path. `conjuncts` stay where they are; paths name them by position.
AccessPath ChooseAccessPath(const LogicalGet& get, const std::vector<const BoundExpr*>& conjuncts, Statistics* statistics);

// The scan node of a path; conjuncts it did not use up become its filter.
PhysicalPtr MakeScan(const LogicalGet& get, const AccessPath& path, Conjuncts conjuncts);

// The index columns of a path's index (the primary key for kIndex without an index).
std::vector<catalog::IndexColumn> PathIndexColumns(const catalog::TableDef& table, const catalog::IndexDef* index);

}  // namespace turdb::sql
