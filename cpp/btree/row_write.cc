// Inserting, updating and erasing single rows. The usual case writes in place in one leaf; else the leaf is laid out
// anew, and when it cannot hold its rows any more it is split (row_pieces.h, row_structure.h).
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/overflow.h"
#include "btree/row_balance.h"
#include "btree/row_cells.h"
#include "btree/row_editor.h"
#include "btree/row_path.h"
#include "btree/row_pieces.h"
#include "btree/row_spread.h"
#include "btree/row_structure.h"
#include "btree/row_tree.h"
#include "btree/row_write.h"
#include "record/leaf_join.h"
#include "record/row_leaf_edit.h"

namespace turdb::btree {
namespace {

using record::RowLeaf;
using record::RowRun;

// A re-layout that leaves fewer spare slots than this is not worth repeating soon: the leaf counts as full.
uint32_t NeededSlack(uint32_t rows) { return rows / 32; }

// What a neighbour fills at most to take rows over: where more will come soon, it is worth it only for some room.
constexpr uint32_t kEighths = 7;
constexpr uint32_t kEighthsToGrow = 5;

// Pages that hold the row's bytes outside its leaf, to be freed once the row is gone.
struct RowChains {
  std::vector<std::pair<OverflowRef, uint32_t>> chains;
  void Add(const Cell& cell) {
    if (record::IsOverflowCell(cell)) chains.push_back({record::FirstLink(cell), cell.length});
  }
  void Keep(const Cell& cell) {
    if (!record::IsOverflowCell(cell)) return;
    const auto is_kept = [&](const auto& chain) { return chain.first == record::FirstLink(cell); };
    chains.erase(std::remove_if(chains.begin(), chains.end(), is_kept), chains.end());
  }
  absl::Status Free(pager::FileWriter* writer) const {
    for (const auto& [first, length] : chains) TURDB_RETURN_IF_ERROR(FreeOverflow(writer, first, length));
    return absl::OkStatus();
  }
};

struct OldRow {
  Arena arena;
  std::vector<Cell> cells;
  RowChains chains;
};

absl::Status ReadOldRow(const pager::FileView& view, const RowPath& path, uint32_t at, OldRow* old) {
  if (!MayOverflow(path.leaf)) return absl::OkStatus();
  Cell record;
  TURDB_RETURN_IF_ERROR(ReadStoredRow(view, path.leaf_id, path.leaf, at, &old->arena, &old->cells, &record));
  for (const Cell& cell : old->cells) old->chains.Add(cell);
  old->chains.Add(record);
  return absl::OkStatus();
}

// The leaf's rows with `row` (may be null) between [0, at) and [resume, rows).
std::vector<RowRun> RunsAround(const RowLeaf& leaf, uint32_t at, uint32_t resume, const RowRun* row) {
  std::vector<RowRun> runs;
  if (at > 0) runs.push_back(RowRun::OfLeaf(leaf, 0, at));
  if (row != nullptr) runs.push_back(*row);
  if (resume < leaf.rows()) runs.push_back(RowRun::OfLeaf(leaf, resume, leaf.rows() - resume));
  return runs;
}

// Inserts where the leaf's layout has no place.
absl::Status InsertByLayout(pager::FileWriter* writer, const RowPath& path, uint32_t at, const RowRun& row) {
  const RowLeaf& leaf = path.leaf;
  const bool is_records = leaf.is_records();
  const std::vector<RowRun> runs = RunsAround(leaf, at, at, &row);
  auto page = std::make_unique<LeafBytes>();
  record::BuildResult result = record::BuildResult::kFull;
  if (!record::IsNearlyFull(leaf)) result = BuildRowLeaf(runs, is_records, page->bytes);
  if (result == record::BuildResult::kDamaged) return DamagedPage(writer->view(), path.leaf_id, "its entries");
  if (result == record::BuildResult::kFits) {
    RowLeaf built;
    if (!built.Open(page->bytes)) return InternalError("a leaf just laid out does not open");
    if (built.capacity() - built.rows() >= NeededSlack(built.rows())) {
      TURDB_RETURN_IF_ERROR(CopyIntoPage(writer, path.leaf_id, page->bytes));
      return record::IsThin(built) ? BalanceLeaf(writer, path, Balance::kUsually) : absl::OkStatus();
    }
  }
  RowPieces pieces(writer);
  if (at == leaf.rows() && leaf.rows() > 0) {  // ascending keys: this leaf stays full, the row begins the next
    TURDB_RETURN_IF_ERROR(pieces.PackAfter(leaf, row));
    return ReplaceLeaf(writer, path, &pieces, true);
  }
  if (at == 0 && leaf.rows() > 0) {  // descending keys: likewise on the other side
    TURDB_RETURN_IF_ERROR(pieces.PackAfter(leaf, row));
    std::copy_n(leaf.page(), format::kPageBytes, page->bytes);
    pieces.Add(std::move(page), leaf.KeyAt(0));
    return ReplaceLeaf(writer, path, &pieces, false);
  }
  TURDB_ASSIGN_OR_RETURN(const bool is_shared, ShareOverfull(writer, path, runs, kEighthsToGrow));
  if (is_shared) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(pieces.PackHalves(runs, is_records));
  return ReplaceLeaf(writer, path, &pieces, false);
}

// The leaf's rows become these: in one leaf, in that and a neighbour with room, or in several. `has_widened`: they are those that
// were there, but their keys need bytes, as their neighbours' soon will.
absl::Status ReplaceByLayout(pager::FileWriter* writer, const RowPath& path, const std::vector<RowRun>& runs, bool has_widened) {
  const bool is_records = path.leaf.is_records();
  auto page = std::make_unique<LeafBytes>();
  const record::BuildResult result = BuildRowLeaf(runs, is_records, page->bytes);
  if (result == record::BuildResult::kDamaged) return DamagedPage(writer->view(), path.leaf_id, "its entries");
  RowPieces pieces(writer);
  if (result == record::BuildResult::kFits) {
    pieces.Add(std::move(page), runs.front().KeyAt(0));
    return ReplaceLeaf(writer, path, &pieces, false);
  }
  TURDB_ASSIGN_OR_RETURN(bool is_done, ShareOverfull(writer, path, runs, kEighths));
  if (!is_done) {
    TURDB_ASSIGN_OR_RETURN(is_done, SpreadOverfull(writer, path, runs, has_widened ? kMostToWiden : kMostToGrow));
  }
  if (is_done) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(pieces.PackHalves(runs, is_records));
  return ReplaceLeaf(writer, path, &pieces, false);
}

absl::Status InsertIntoLeaf(pager::FileWriter* writer, const RowPath& path, uint32_t at, int64_t key,
                            absl::Span<const Cell> row) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(path.leaf_id));
  Cell record;
  std::string bytes;
  if (path.leaf.is_records()) {
    TURDB_ASSIGN_OR_RETURN(record, RecordCell(writer, row, &bytes));
    row = {&record, 1};
  }
  if (record::TryInsertRow(page, at, key, row)) return absl::OkStatus();
  return InsertByLayout(writer, path, at, RowRun::OfRow(key, row));
}

absl::Status UpdateInLeaf(pager::FileWriter* writer, const RowPath& path, uint32_t at, int64_t key,
                          absl::Span<const Cell> row) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(path.leaf_id));
  Cell record;
  std::string bytes;
  if (path.leaf.is_records()) {
    TURDB_ASSIGN_OR_RETURN(record, RecordCell(writer, row, &bytes));
    row = {&record, 1};
  }
  const uint32_t live_before = path.leaf.LiveBytes();
  if (record::TryUpdateRow(page, at, row)) {
    RowLeaf leaf;
    if (!leaf.Open(page)) return InternalError("a leaf does not open after an update");
    if (leaf.LiveBytes() >= live_before || !record::IsThin(leaf)) return absl::OkStatus();
    return BalanceLeaf(writer, path, Balance::kUsually);
  }
  const RowRun run = RowRun::OfRow(key, row);
  return ReplaceByLayout(writer, path, RunsAround(path.leaf, at, at + 1, &run), false);
}

absl::Status EraseFromLeaf(pager::FileWriter* writer, const RowPath& path, uint32_t at) {
  const uint32_t rows = path.leaf.rows();
  if (rows == 1) return RemoveLeaf(writer, path);
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(path.leaf_id));
  if (!record::TryEraseRow(page, at)) {
    return ReplaceByLayout(writer, path, RunsAround(path.leaf, at, at + 1, nullptr), true);
  }
  RowLeaf leaf;
  if (!leaf.Open(page)) return InternalError("a leaf does not open after an erase");
  if (!record::IsThin(leaf)) return absl::OkStatus();
  const bool is_at_edge = at == 0 || at + 1 == rows;
  return BalanceLeaf(writer, path, is_at_edge ? Balance::kLazily : Balance::kFully);
}

// Frees everything below a page, overflow chains included.
absl::Status FreeBelow(pager::FileWriter* writer, PageId id, uint32_t level) {
  const pager::FileView& view = writer->view();
  if (level > 0) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, id, level));
    std::vector<PageId> children;
    for (uint32_t i = 0; i <= RowInterior(page).count(); ++i) children.push_back(RowInterior(page).ChildAt(i));
    for (const PageId child : children) {
      TURDB_RETURN_IF_ERROR(FreeBelow(writer, child, level - 1));
      TURDB_RETURN_IF_ERROR(writer->Free(child));
    }
    return absl::OkStatus();
  }
  RowPath path;
  path.leaf_id = id;
  TURDB_RETURN_IF_ERROR(OpenLeaf(view, id, &path.leaf));
  if (!MayOverflow(path.leaf)) return absl::OkStatus();
  for (uint32_t row = 0; row < path.leaf.rows(); ++row) {
    OldRow old;
    TURDB_RETURN_IF_ERROR(ReadOldRow(view, path, row, &old));
    TURDB_RETURN_IF_ERROR(old.chains.Free(writer));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CreateRowTree(pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(const PageId root, writer->Allocate(format::PageKind::kRowLeaf));
  if (root != kRootPage) return InternalError("the root of a new tree is not page 1 of its file");
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(root));
  record::InitialiseRowLeaf(page);
  return absl::OkStatus();
}

absl::Status InsertRowAt(pager::FileWriter* writer, const RowPath& path, uint32_t at, int64_t key, absl::Span<const Cell> row) {
  StoredRow stored;
  TURDB_RETURN_IF_ERROR(stored.Prepare(writer, row, {}));
  return InsertIntoLeaf(writer, path, at, key, stored.cells());
}

absl::Status UpdateRowAt(pager::FileWriter* writer, const RowPath& path, uint32_t at, absl::Span<const Cell> row) {
  OldRow old;
  TURDB_RETURN_IF_ERROR(ReadOldRow(writer->view(), path, at, &old));
  StoredRow stored;
  TURDB_RETURN_IF_ERROR(stored.Prepare(writer, row, old.cells));
  for (const Cell& cell : stored.cells()) old.chains.Keep(cell);
  TURDB_RETURN_IF_ERROR(UpdateInLeaf(writer, path, at, path.leaf.KeyAt(at), stored.cells()));
  return old.chains.Free(writer);
}

absl::Status EraseRowAt(pager::FileWriter* writer, const RowPath& path, uint32_t at) {
  OldRow old;
  TURDB_RETURN_IF_ERROR(ReadOldRow(writer->view(), path, at, &old));
  TURDB_RETURN_IF_ERROR(EraseFromLeaf(writer, path, at));
  return old.chains.Free(writer);
}

absl::StatusOr<bool> InsertRow(pager::FileWriter* writer, RowId key, absl::Span<const Cell> row) {
  return RowEditor(writer).Insert(key, row);
}

absl::StatusOr<bool> UpdateRow(pager::FileWriter* writer, RowId key, absl::Span<const Cell> row) {
  return RowEditor(writer).Update(key, row);
}

absl::StatusOr<bool> EraseRow(pager::FileWriter* writer, RowId key) { return RowEditor(writer).Erase(key); }

absl::Status ClearRowTree(pager::FileWriter* writer) {
  const uint8_t* root = writer->view().Page(kRootPage);
  if (root == nullptr) return writer->view().PageError(kRootPage);
  const uint32_t level = format::PageKindOf(root) == format::PageKind::kRowLeaf ? 0 : RowInterior(root).level();
  TURDB_RETURN_IF_ERROR(FreeBelow(writer, kRootPage, level));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(kRootPage));
  record::InitialiseRowLeaf(page);
  return absl::OkStatus();
}

}  // namespace turdb::btree
