// RowAppender: rows behind the last one, packed into full leaves.
//
// The leaf in progress is laid out in memory, beginning with the tree's last leaf, which it replaces in place; the
// leaves after it go through a LeafRun. Rows with long values or too wide for columns take the way of single rows.
#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/leaf_run.h"
#include "btree/row_balance.h"
#include "btree/row_cells.h"
#include "btree/row_path.h"
#include "btree/row_pieces.h"
#include "btree/row_structure.h"
#include "btree/row_tree.h"
#include "record/row_leaf_edit.h"

namespace turdb::btree {
namespace {

using record::BuildResult;
using record::RowLeaf;
using record::RowRun;

constexpr uint32_t kRowsToTell = 4096;
constexpr uint32_t kSmallBlock = 16;  // so few rows are written in place rather than by a new layout

// Slots that a leaf of a load may be left with. One more layout for the last of them; of few, wide rows each one counts more.
uint32_t UnusedSlots(uint32_t rows) { return rows / (rows < 128 ? 64 : 32); }

bool HasLongCell(const ColumnVector& column, uint32_t rows) {
  if (column.layout() != ColumnVector::Layout::kCells) return false;
  const uint32_t n = column.is_constant() ? 1 : rows;
  for (uint32_t i = 0; i < n; ++i) {
    const Cell& cell = column.cells()[i];
    if (cell.has_bytes() && cell.length > format::kMaxInlineBytes) return true;
  }
  return false;
}

}  // namespace

struct RowAppender::State {
  State(pager::FileWriter* w, Did d)
      : writer(w),
        did(std::move(d)),
        current(std::make_unique<LeafBytes>()),
        next(std::make_unique<LeafBytes>()),
        run(w, format::PageKind::kRowLeaf, [this](uint64_t, PageId id) {
          const int64_t first = first_keys.front();
          first_keys.pop_front();
          return InsertSeparator(writer, first, id, 1);
        }) {}

  pager::FileWriter* const writer;
  const Did did;
  uint32_t untold = 0;  // rows that `did` has not been told of
  std::unique_ptr<LeafBytes> current, next;  // the leaf in progress; where the next layout is made
  RowLeaf leaf;                              // of current
  bool is_open = false;
  bool is_in_tree = false;  // current takes the place of tree_leaf
  PageId tree_leaf;
  int64_t tree_leaf_key = std::numeric_limits<int64_t>::max();  // one in it
  int64_t last_key = 0;
  bool has_last_key = false;
  uint32_t guess = 64;  // rows that a leaf took last time
  std::deque<int64_t> first_keys;
  LeafRun run;

  absl::Status Open();
  absl::Status Emit();
  absl::Status StartLeaf();
  absl::Status Reopen() {
    if (!leaf.Open(current->bytes)) return InternalError("a leaf just laid out does not open");
    return absl::OkStatus();
  }
  absl::Status AppendBlock(const RowBlock& block);
  absl::StatusOr<uint32_t> FillLeaf(const RowRun& block, uint32_t done);
  absl::Status AppendRow(int64_t key, absl::Span<const Cell> row);
  absl::Status AppendRows(const RowRun& block);
  absl::Status CheckKeys(const RowRun& block);
  absl::Status Tell(uint32_t rows) {
    untold += rows;
    if (untold < kRowsToTell) return absl::OkStatus();
    return did == nullptr ? absl::OkStatus() : did(std::exchange(untold, 0));
  }
};

absl::Status RowAppender::State::Open() {
  if (is_open) return absl::OkStatus();
  RowPath path;
  TURDB_RETURN_IF_ERROR(DescendTo(writer->view(), std::numeric_limits<int64_t>::max(), &path));
  std::memcpy(current->bytes, path.leaf.page(), format::kPageBytes);
  TURDB_RETURN_IF_ERROR(Reopen());
  if (!CheckColumns(leaf)) return DamagedPage(writer->view(), path.leaf_id, "its columns lie outside their place");
  if (leaf.rows() > 0) {
    last_key = leaf.KeyAt(leaf.rows() - 1);
    has_last_key = true;
    guess = leaf.rows();
  }
  tree_leaf = path.leaf_id;
  is_in_tree = true;
  is_open = true;
  return absl::OkStatus();
}

// The leaf in progress is done.
absl::Status RowAppender::State::Emit() {
  if (is_in_tree) {
    is_in_tree = false;
    if (leaf.rows() > 0) tree_leaf_key = leaf.KeyAt(0);
    return CopyIntoPage(writer, tree_leaf, current->bytes);
  }
  first_keys.push_back(leaf.KeyAt(0));
  return run.Add(current->bytes);
}

absl::Status RowAppender::State::StartLeaf() {
  record::InitialiseRowLeaf(current->bytes);
  return Reopen();
}

absl::Status RowAppender::State::CheckKeys(const RowRun& block) {
  const int64_t first = block.KeyAt(0);
  bool is_ascending = !has_last_key || first > last_key;
  if (block.keys != nullptr) {
    for (uint32_t i = 1; i < block.count; ++i) is_ascending &= block.keys[i] > block.keys[i - 1];
  }
  if (!is_ascending) return InternalError("rows to append are not in ascending key order behind the last row");
  last_key = block.KeyAt(block.count - 1);
  has_last_key = true;
  return absl::OkStatus();
}

// Adds rows [done, ...) of the block to the leaf in progress by one new layout; returns how many it took, 0 when the
// leaf is full.
absl::StatusOr<uint32_t> RowAppender::State::FillLeaf(const RowRun& block, uint32_t done) {
  const uint32_t left = block.count - done;
  const uint32_t have = leaf.rows();
  uint32_t fits = 0;
  uint32_t too_many = format::kMaxLeafRows - have + 1;
  uint32_t wanted = std::min({left, std::max(guess > have ? guess - have : 1, guess / 16 + 1), too_many - 1});
  bool is_first_miss = true;
  std::vector<RowRun> runs;
  while (wanted > 0) {
    runs.clear();
    if (have > 0) runs.push_back(RowRun::OfLeaf(leaf, 0, have));
    RowRun part = block;
    part.first += done;
    part.count = wanted;
    runs.push_back(part);
    const BuildResult result = BuildRowLeaf(runs, false, next->bytes);
    if (result == BuildResult::kDamaged) return DamagedPage(writer->view(), tree_leaf, "its entries");
    if (result == BuildResult::kFull) {
      too_many = wanted;
      // A little fewer first, as the guess is a good one; then halfway.
      const bool is_close = fits > 0 && too_many - fits <= (have + fits) / 32 + 1;
      wanted = is_close ? fits : fits + (too_many - fits) * (is_first_miss ? 15 : 8) / 16;
      is_first_miss = false;
      if (wanted == fits && fits == 0) return 0;
      if (wanted != fits) continue;
      part.count = fits;
      runs.back() = part;
      if (BuildRowLeaf(runs, false, next->bytes) != BuildResult::kFits) {
        return InternalError("the same rows do not fit a leaf twice");
      }
      break;
    }
    fits = wanted;
    RowLeaf built;
    if (!built.Open(next->bytes)) return InternalError("a leaf just laid out does not open");
    const uint32_t slack = std::min({built.capacity() - built.rows(), left - fits, too_many - 1 - fits});
    if (slack <= UnusedSlots(built.rows())) break;
    wanted = fits + slack;
  }
  if (fits == 0) return 0;
  std::swap(current, next);
  TURDB_RETURN_IF_ERROR(Reopen());
  return fits;
}

// One row of cells, in place when it can be.
absl::Status RowAppender::State::AppendRow(int64_t key, absl::Span<const Cell> row) {
  Cell record;
  std::string bytes;
  if (leaf.is_records()) {
    TURDB_ASSIGN_OR_RETURN(record, RecordCell(writer, row, &bytes));
    row = {&record, 1};
  }
  if (record::TryInsertRow(current->bytes, leaf.rows(), key, row)) return Reopen();
  const RowRun run_of_row = RowRun::OfRow(key, row);
  RowPieces pieces(writer);
  std::vector<RowRun> runs;
  if (leaf.rows() > 0) runs.push_back(RowRun::OfLeaf(leaf, 0, leaf.rows()));
  runs.push_back(run_of_row);
  if (BuildRowLeaf(runs, leaf.is_records(), next->bytes) == BuildResult::kFits) {
    RowLeaf built;
    if (!built.Open(next->bytes)) return InternalError("a leaf just laid out does not open");
    if (built.capacity() - built.rows() >= built.rows() / 32) {
      std::swap(current, next);
      return Reopen();
    }
  }
  if (leaf.rows() > 0) {
    TURDB_RETURN_IF_ERROR(pieces.PackAfter(leaf, run_of_row));
    TURDB_RETURN_IF_ERROR(Emit());
  } else {
    TURDB_RETURN_IF_ERROR(pieces.Pack({&run_of_row, 1}, leaf.is_records()));
  }
  current = std::move(pieces.pieces().front().page);
  return Reopen();
}

absl::Status RowAppender::State::AppendRows(const RowRun& block) {
  std::vector<Cell> row(block.column_count);
  for (uint32_t i = 0; i < block.count; ++i) {
    for (uint32_t c = 0; c < block.column_count; ++c) row[c] = block.columns[c].Get(block.first + i);
    StoredRow stored;
    TURDB_RETURN_IF_ERROR(stored.Prepare(writer, row, {}));
    TURDB_RETURN_IF_ERROR(AppendRow(block.KeyAt(i), stored.cells()));
    TURDB_RETURN_IF_ERROR(Tell(1));
  }
  return absl::OkStatus();
}

absl::Status RowAppender::State::AppendBlock(const RowBlock& block) {
  TURDB_RETURN_IF_ERROR(Open());
  RowRun source{.columns = block.columns.data(),
                .count = block.rows,
                .column_count = static_cast<uint32_t>(block.columns.size()),
                .keys = block.keys,
                .first_key = block.first_key};
  TURDB_RETURN_IF_ERROR(CheckKeys(source));
  bool by_row = block.rows <= kSmallBlock;
  for (const ColumnVector& column : block.columns) by_row = by_row || HasLongCell(column, block.rows);
  if (by_row) return AppendRows(source);
  for (uint32_t done = 0; done < block.rows;) {
    if (leaf.is_records()) {
      TURDB_RETURN_IF_ERROR(Emit());
      TURDB_RETURN_IF_ERROR(StartLeaf());
    }
    TURDB_ASSIGN_OR_RETURN(const uint32_t taken, FillLeaf(source, done));
    done += taken;
    TURDB_RETURN_IF_ERROR(Tell(taken));
    if (done == block.rows) break;
    if (leaf.rows() == 0) {  // not even one row fits: too wide for columns
      RowRun one = source;
      one.first += done++;
      one.count = 1;
      TURDB_RETURN_IF_ERROR(AppendRows(one));
      continue;
    }
    guess = std::max<uint32_t>(leaf.rows(), 1);
    TURDB_RETURN_IF_ERROR(Emit());
    TURDB_RETURN_IF_ERROR(StartLeaf());
  }
  return absl::OkStatus();
}

RowAppender::RowAppender(pager::FileWriter* writer, Did did) : state_(new State(writer, std::move(did))) {}
RowAppender::~RowAppender() { delete state_; }

absl::Status RowAppender::Append(const RowBlock& block) {
  return block.rows == 0 ? absl::OkStatus() : state_->AppendBlock(block);
}

absl::Status RowAppender::Finish() {
  State& s = *state_;
  if (!s.is_open) return absl::OkStatus();
  if (s.leaf.rows() > 0 || s.is_in_tree) TURDB_RETURN_IF_ERROR(s.Emit());
  TURDB_RETURN_IF_ERROR(s.run.Finish());
  s.is_open = false;
  if (s.did != nullptr) TURDB_RETURN_IF_ERROR(s.did(std::exchange(s.untold, 0)));
  // The tree's last leaf has been laid out anew, and the last new one may hold a row only.
  TURDB_RETURN_IF_ERROR(BalanceRowTree(s.writer, s.tree_leaf_key, 0, Balance::kUsually));
  return BalanceRowTree(s.writer, s.last_key, 0, Balance::kUsually);
}

}  // namespace turdb::btree
