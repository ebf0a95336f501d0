#include "sql/plan/tree_statistics.h"

#include <algorithm>
#include <cmath>

#include "table/table_reader.h"

namespace turdb::sql {
namespace {

constexpr double kUnknownRows = 1000;
constexpr double kLeastSampledRows = 1000;  // smaller tables are scanned in microseconds anyway
constexpr uint32_t kSampledEntries = 128;   // at each end: about 20 microseconds
constexpr uint64_t kMostIndexColumns = 4096;

bool Differ(const ColumnBatch& batch, uint32_t a, uint32_t b) {
  return std::any_of(batch.columns.begin(), batch.columns.end(), [&](const ColumnVector& column) {
    return CompareCells(column.Get(a), column.Get(b)) != 0;
  });
}

}  // namespace

double TreeStatistics::RowCount(const catalog::TableDef& table) {
  if (table.kind != catalog::TableKind::kTable) return kUnknownRows;
  const auto [found, is_new] = row_counts_.try_emplace(table.id.value(), kUnknownRows);
  if (is_new) {
    const auto rows = table::EstimateTableRows(txn_, table);
    if (rows.ok()) found->second = static_cast<double>(*rows);
  }
  return found->second;
}

double TreeStatistics::RowsPerKey(const catalog::TableDef& table, const catalog::IndexDef& index, size_t columns) {
  if (RowCount(table) < kLeastSampledRows) return 0;
  const auto [found, is_new] = rows_per_key_.try_emplace(index.id.value() * kMostIndexColumns + columns, 0.0);
  if (is_new) {
    const double head = SampleRowsPerKey(table, index, columns, false);
    const double tail = SampleRowsPerKey(table, index, columns, true);
    found->second = head > 0 && tail > 0 ? std::sqrt(head * tail) : std::max(head, tail);
  }
  return found->second;
}

double TreeStatistics::SampleRowsPerKey(const catalog::TableDef& table, const catalog::IndexDef& index, size_t columns,
                                        bool from_end) {
  std::vector<int> wanted;
  for (size_t i = 0; i < columns; ++i) wanted.push_back(index.columns[i].column);
  if (std::any_of(wanted.begin(), wanted.end(), [](int column) { return column < 0; })) return 0;
  auto scan = table::ScanIndex(txn_, table, &index, std::move(wanted), {}, from_end);
  ColumnBatch batch;
  if (!scan.ok() || !(*scan)->Next(kSampledEntries, &batch).ok() || batch.size == 0) return 0;
  uint32_t different = 1;
  for (uint32_t row = 1; row < batch.size; ++row) different += Differ(batch, row - 1, row);
  // One value throughout says only that there are many of it: assume that it is one of a few.
  if (different == 1 && batch.size == kSampledEntries) return RowCount(table) / 10;
  return static_cast<double>(batch.size) / different;
}

}  // namespace turdb::sql
