// See rowid_source.h.

#include "table/rowid_source.h"

#include <algorithm>
#include <limits>
#include <random>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_tree.h"
#include "table/table_writer.h"

namespace turdb::table {
namespace {

constexpr int64_t kMaxRowId = std::numeric_limits<int64_t>::max();
constexpr int kRandomTries = 100;  // as SQLite; with so few rows near the end a free one is found at once

absl::StatusOr<int64_t> ReadMark(const pager::FileView& view) {
  const uint8_t* page = view.Page(PageId(0));
  if (page == nullptr) return view.PageError(PageId(0));
  return Load<int64_t>(page + pager::kUserAreaOffset);
}

absl::Status WriteMark(pager::FileWriter* writer, int64_t value) {
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(PageId(0)));
  Store<int64_t>(page + pager::kUserAreaOffset, value);
  return absl::OkStatus();
}

}  // namespace

absl::Status RowIdSource::LoadLast() {
  TURDB_ASSIGN_OR_RETURN(const std::optional<RowId> last,
                         editor_ != nullptr ? editor_->LastKey() : btree::LastRowId(writer_->view()));
  last_ = last.has_value() ? std::optional<int64_t>(last->value()) : std::nullopt;
  is_known_ = true;
  return absl::OkStatus();
}

absl::StatusOr<RowId> RowIdSource::Next() {
  if (!is_known_) TURDB_RETURN_IF_ERROR(LoadLast());
  if (!table_.is_autoincrement) {
    if (!last_.has_value()) return RowId(1);
    return *last_ == kMaxRowId ? RandomFree() : absl::StatusOr<RowId>(RowId(*last_ + 1));
  }
  if (!sequence_.has_value()) {
    TURDB_ASSIGN_OR_RETURN(sequence_, ReadMark(writer_->view()));
  }
  const int64_t last = std::max(last_.value_or(0), *sequence_);
  if (last == kMaxRowId) return DiskFullError("table '", table_.name, "' has no rowid left: AUTOINCREMENT reached the largest integer");
  return RowId(last + 1);
}

absl::StatusOr<RowId> RowIdSource::RandomFree() {
  std::mt19937_64 random{std::random_device()()};
  Arena arena;
  btree::RowCursor cursor(writer_->view(), &arena);
  for (int i = 0; i < kRandomTries; ++i) {
    const RowId rowid(static_cast<int64_t>(random() >> 2) + 1);
    TURDB_ASSIGN_OR_RETURN(const bool is_taken, cursor.Find(rowid));
    if (!is_taken) return rowid;
  }
  return DiskFullError("table '", table_.name, "': no free rowid was found");
}

absl::Status RowIdSource::Used(RowId rowid) {
  if (is_known_) last_ = std::max(last_.value_or(rowid.value()), rowid.value());
  if (!table_.is_autoincrement) return absl::OkStatus();
  if (!sequence_.has_value()) {
    TURDB_ASSIGN_OR_RETURN(sequence_, ReadMark(writer_->view()));
  }
  if (rowid.value() <= *sequence_) return absl::OkStatus();
  sequence_ = rowid.value();
  return WriteMark(writer_, rowid.value());
}

absl::StatusOr<int64_t> ReadSequence(txn::Transaction* txn, const catalog::TableDef& table) {
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(table.file));
  return ReadMark(view);
}

absl::Status WriteSequence(txn::Transaction* txn, const catalog::TableDef& table, int64_t value) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(table.file));
  return WriteMark(writer, value);
}

}  // namespace turdb::table
