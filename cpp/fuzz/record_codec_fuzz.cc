// LINKS: record
// Rows through both of their forms: records and column-wise leaves read back as they were put in; a page of any bytes is
// read and changed without harm.
#include <memory>

#include "fuzz/random_cell.h"
#include "record/leaf_join.h"
#include "record/row_leaf_build.h"
#include "record/row_leaf_edit.h"
#include "record/row_record.h"

namespace turdb::fuzz {
namespace {

using record::RowLeaf;
using record::RowRun;

struct alignas(64) Page {
  uint8_t bytes[format::kPageBytes] = {};
};

void CheckRecord(const std::vector<Cell>& row) {
  const std::string record = record::EncodeRecord(row);
  std::vector<Cell> back;
  FUZZ_CHECK(record::DecodeRecord(record, &back) && back.size() == row.size());
  for (size_t c = 0; c < row.size(); ++c) FUZZ_CHECK(IsSame(back[c], row[c]));
}

void CheckLeafRow(const RowLeaf& leaf, uint32_t at, int64_t key, const std::vector<Cell>& row) {
  FUZZ_CHECK(leaf.KeyAt(at) == key && leaf.LowerBound(key) == at && leaf.ColumnsOf(at) == row.size());
  for (uint32_t c = 0; c < row.size(); ++c) {
    Cell cell;
    FUZZ_CHECK(leaf.Get(c, at, &cell) && IsSame(cell, row[c]));
  }
}

// Columns that the row and the new one have, changed in place; whether it could be.
bool ChangeColumns(Input* input, uint8_t* page, const RowLeaf& leaf, uint32_t at, const std::vector<Cell>& row,
                   std::vector<Cell>* model) {
  std::vector<bool> changed(row.size());
  for (size_t c = 0; c < row.size(); ++c) changed[c] = input->Byte() % 4 == 0;
  if (!record::TryUpdateColumns(page, leaf, at, row, changed)) return false;
  for (size_t c = 0; c < row.size(); ++c) {
    if (changed[c]) (*model)[c] = row[c];
  }
  return true;
}

// Rows put into a leaf one after another, in place where it can be, against a list.
void FillLeaf(Input* input, CellMaker* maker) {
  auto page = std::make_unique<Page>();
  record::InitialiseRowLeaf(page->bytes);
  std::vector<std::pair<int64_t, std::vector<Cell>>> model;
  const uint8_t shape = input->Byte();
  const bool is_wide = shape >= 192;  // many short values: they may be packed
  const uint32_t columns = is_wide ? 4 + shape % 30 : shape % 6;
  while (!input->empty() && model.size() < 60) {
    const int64_t key = input->Byte() % 4 == 0 ? input->Number<int64_t>() : input->Byte();
    const std::vector<Cell> row = maker->MakeRow(input, input->Byte() % 8 == 0 ? input->Byte() % 6 : columns, is_wide ? 20 : 300);
    CheckRecord(row);
    RowLeaf leaf;
    FUZZ_CHECK(leaf.Open(page->bytes) && CheckColumns(leaf));
    const uint32_t at = leaf.LowerBound(key);
    const bool exists = at < leaf.rows() && leaf.KeyAt(at) == key;
    if (exists && input->Byte() % 2 == 0) {
      if (!ChangeColumns(input, page->bytes, leaf, at, row, &model[at].second)) continue;
      for (uint32_t i = 0; i < model.size(); ++i) CheckLeafRow(leaf, i, model[i].first, model[i].second);
      continue;
    }
    const bool is_done = exists ? record::TryUpdateRow(page->bytes, at, row) : record::TryInsertRow(page->bytes, at, key, row);
    if (!is_done) {
      std::vector<RowRun> runs;
      if (at > 0) runs.push_back(RowRun::OfLeaf(leaf, 0, at));
      runs.push_back(RowRun::OfRow(key, row));
      if (at + exists < leaf.rows()) runs.push_back(RowRun::OfLeaf(leaf, at + exists, leaf.rows() - at - exists));
      auto next = std::make_unique<Page>();
      const record::BuildResult result = BuildRowLeaf(runs, false, next->bytes);
      FUZZ_CHECK(result != record::BuildResult::kDamaged);
      if (result == record::BuildResult::kFull) break;
      page = std::move(next);
    }
    if (exists) model[at].second = row;
    else model.insert(model.begin() + at, {key, row});
    FUZZ_CHECK(leaf.Open(page->bytes) && leaf.rows() == model.size());
    for (uint32_t i = 0; i < model.size(); ++i) CheckLeafRow(leaf, i, model[i].first, model[i].second);
  }
}

// A leaf of any bytes.
void ReadDamaged(Input* input) {
  const auto page = std::make_unique<Page>();
  const std::string_view bytes = input->Rest();
  const size_t n = std::min(bytes.size(), format::kPageBytes - format::kPageHeaderBytes);
  std::memcpy(page->bytes + format::kPageHeaderBytes, bytes.data(), n);
  std::vector<Cell> row;
  (void)record::DecodeRecord(bytes, &row);
  RowLeaf leaf;
  if (!leaf.Open(page->bytes)) return;
  (void)record::CheckColumns(leaf);
  (void)record::JoinedLeafBytes(leaf, leaf);
  (void)leaf.LowerBound(5);
  std::vector<int64_t> keys(leaf.rows());
  leaf.Keys(0, leaf.rows(), keys.data());
  for (uint32_t r = 0; r < std::min(leaf.rows(), 50u); ++r) {
    for (uint32_t c = 0; c < std::min(leaf.ColumnsOf(r), 50u); ++c) {
      Cell cell;
      (void)leaf.Get(c, r, &cell);
    }
  }
  const RowRun run = RowRun::OfLeaf(leaf, 0, leaf.rows());
  const auto next = std::make_unique<Page>();
  if (leaf.rows() > 0) (void)record::BuildRowLeaf({&run, 1}, leaf.is_records(), next->bytes);
  if (leaf.rows() > 1) (void)record::BalancedSplit({&run, 1});
  const Cell cells[] = {Cell::Integer(7), Cell::Text("text"), Cell()};
  if (leaf.rows() > 0) (void)record::TryUpdateRow(page->bytes, leaf.rows() / 2, cells);
  if (leaf.Open(page->bytes) && leaf.rows() > 0 && record::CheckColumns(leaf)) {
    (void)record::TryUpdateColumns(page->bytes, leaf, leaf.rows() / 3, cells, {true, false, true});
  }
  if (leaf.Open(page->bytes)) (void)record::TryInsertRow(page->bytes, leaf.LowerBound(9), 9, cells);
  if (leaf.Open(page->bytes) && leaf.rows() > 0) (void)record::TryEraseRow(page->bytes, leaf.rows() - 1);
}

}  // namespace

void FuzzRecordCodec(const uint8_t* data, size_t size) {
  Input input(data, size);
  CellMaker maker;
  if (input.Byte() % 2 == 0) FillLeaf(&input, &maker);
  else ReadDamaged(&input);
}

}  // namespace turdb::fuzz
