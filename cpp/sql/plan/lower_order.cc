// Sort elimination: rows that a scan can give in the wanted order need no sort.
#include "sql/plan/access_path.h"
#include "sql/plan/lower.h"
#include "table/table_reader.h"

namespace turdb::sql {
namespace {

struct OrderKey {
  ColumnId column;
  bool is_descending;
  bool nulls_first;
  Collation collation;
};
using OrderKeys = std::vector<OrderKey>;

// The table column behind an output column of a scan, the rowid's alias as kRowIdColumn.
int TableColumn(const catalog::TableDef& table, const std::vector<int>& columns, const std::vector<ColumnId>& output, ColumnId id) {
  for (size_t i = 0; i < output.size(); ++i) {
    if (output[i] != id) continue;
    return columns[i] >= 0 && columns[i] == table.rowid_alias ? catalog::kRowIdColumn : columns[i];
  }
  return catalog::kExpressionColumn;
}

// Whether index columns from `first` on, read in one direction, give the keys' order. Sets the direction.
bool IndexGivesOrder(const catalog::TableDef& table, const std::vector<catalog::IndexColumn>& index_columns, bool ends_with_rowid,
                     size_t first, const std::vector<int>& columns, const std::vector<ColumnId>& output,
                     const OrderKeys& keys, bool* is_descending) {
  for (size_t k = 0; k < keys.size(); ++k) {
    const int column = TableColumn(table, columns, output, keys[k].column);
    bool descending;
    if (first + k < index_columns.size()) {
      const catalog::IndexColumn& index_column = index_columns[first + k];
      if (index_column.column != column || index_column.collation != keys[k].collation) return false;
      descending = keys[k].is_descending != index_column.is_descending;
    } else if (first + k == index_columns.size() && ends_with_rowid && column == catalog::kRowIdColumn) {
      descending = keys[k].is_descending;
    } else {
      return false;
    }
    if (keys[k].nulls_first == keys[k].is_descending && column >= 0 && !table.columns[column].is_not_null) return false;
    if (k == 0) *is_descending = descending;
    if (descending != *is_descending) return false;
    if (column == catalog::kRowIdColumn) return true;  // unique: later keys decide nothing
  }
  return true;
}

bool IndexScanGives(PhysicalIndexScan* scan, const OrderKeys& keys) {
  if (!scan->in_list.empty()) return false;
  const auto columns = PathIndexColumns(*scan->table, scan->index);
  bool is_descending = false;
  if (!IndexGivesOrder(*scan->table, columns, !scan->table->is_without_rowid, scan->prefix.size(), scan->columns, scan->output, keys,
                       &is_descending)) {
    return false;
  }
  scan->is_descending = is_descending;
  return true;
}

// A full table scan becomes a scan of an index that gives the order, when that index covers the columns or only the
// first rows are wanted.
bool ReplaceByIndex(PhysicalPtr* node, const OrderKeys& keys, bool has_limit) {
  auto& scan = (*node)->As<PhysicalTableScan>();
  if (scan.lower.value != nullptr || scan.upper.value != nullptr) return false;
  auto try_index = [&](const catalog::IndexDef* index) {
    const bool is_covering = index == nullptr || table::IsCovering(*scan.table, *index, scan.columns);
    if (!is_covering && (!has_limit || scan.filter != nullptr)) return false;
    bool is_descending = false;
    if (!IndexGivesOrder(*scan.table, PathIndexColumns(*scan.table, index), !scan.table->is_without_rowid, 0, scan.columns,
                         scan.output, keys, &is_descending)) {
      return false;
    }
    auto replacement = std::make_unique<PhysicalIndexScan>();
    replacement->table = scan.table;
    replacement->alias = scan.alias;
    replacement->index = index;
    replacement->columns = scan.columns;
    replacement->filter = std::move(scan.filter);
    replacement->is_descending = is_descending;
    replacement->is_covering = is_covering;
    replacement->output = scan.output;
    replacement->estimated_rows = scan.estimated_rows;
    *node = std::move(replacement);
    return true;
  };
  if (scan.table->is_without_rowid) return try_index(nullptr);
  for (const catalog::IndexDef& index : scan.table->indexes) {
    if (index.kind == catalog::IndexKind::kBtree && index.where_sql.empty() && try_index(&index)) return true;
  }
  return false;
}

bool TableScanGives(PhysicalPtr* node, const OrderKeys& keys, bool has_limit) {
  auto& scan = (*node)->As<PhysicalTableScan>();
  if (!scan.table->is_without_rowid &&
      TableColumn(*scan.table, scan.columns, scan.output, keys[0].column) == catalog::kRowIdColumn) {
    scan.is_descending = keys[0].is_descending;
    return true;
  }
  return ReplaceByIndex(node, keys, has_limit);
}

bool Provide(PhysicalPtr* node, OrderKeys keys, bool has_limit) {
  switch ((*node)->kind) {
    case PhysicalKind::kProject: {
      auto& project = (*node)->As<PhysicalProject>();
      for (OrderKey& key : keys) {
        bool is_found = false;
        for (size_t i = 0; i < project.output.size() && !is_found; ++i) {
          if (project.output[i] != key.column) continue;
          if (project.exprs[i]->kind != BoundKind::kColumn) return false;
          key.column = project.exprs[i]->column;
          is_found = true;
        }
        if (!is_found) return false;
      }
      return Provide(&project.children[0], std::move(keys), has_limit);
    }
    case PhysicalKind::kFilter: return Provide(&(*node)->children[0], std::move(keys), false);
    case PhysicalKind::kNestedLoopJoin: {
      // A left row stands once for each partner: keys of the right side still have to be sorted.
      const ColumnSet left = ColumnSet::Of((*node)->children[0]->output);
      for (const OrderKey& key : keys) {
        if (!left.Contains(key.column)) return false;
      }
      return Provide(&(*node)->children[0], std::move(keys), false);
    }
    case PhysicalKind::kTableScan: return TableScanGives(node, keys, has_limit);
    case PhysicalKind::kIndexScan: return IndexScanGives(&(*node)->As<PhysicalIndexScan>(), keys);
    case PhysicalKind::kRowIdLookup: {
      const auto& lookup = (*node)->As<PhysicalRowIdLookup>();
      return !keys[0].is_descending &&
             TableColumn(*lookup.table, lookup.columns, lookup.output, keys[0].column) == catalog::kRowIdColumn;
    }
    default: return false;
  }
}

}  // namespace

bool ProvideOrder(PhysicalPtr* node, const std::vector<SortKey>& keys, bool has_limit) {
  OrderKeys order;
  for (const SortKey& key : keys) order.push_back({key.expr->column, key.is_descending, key.nulls_first, key.collation});
  return !order.empty() && Provide(node, std::move(order), has_limit);
}

}  // namespace turdb::sql
