// IndexCodec: rows <-> entries of one B+tree index, or of a WITHOUT ROWID table's own tree.
//
// Key: the index columns, then the row (its rowid, or its primary key in a WITHOUT ROWID table, without the columns of it
// that are index columns already: IndexDef::has_short_row_keys). A unique entry
// without NULL leaves the row out of the key and begins its payload with it, so that inserting the key is the
// uniqueness check. The payload goes on with those cells that the key does not give back exactly (payload.h); it
// is left out when there are none. The tree of a WITHOUT ROWID table has the primary key as key and the other columns in its
// payload, those of the key, too, where it does not give them back. Immutable after construction; any thread. The TableDef given must outlive it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "catalog/definitions.h"
#include "pager/file_view.h"
#include "record/key_encoding.h"
#include "table/row_ref.h"
#include "types/cell.h"

namespace turdb::table {

struct IndexEntry {
  std::string key, payload;
  bool is_distinct = false;  // unique and without NULL: equal keys are a conflict
};

// What a scan learns from an entry: a cell per held column, and the row.
struct DecodedEntry {
  std::vector<Cell> cells;  // as many as IndexCodec::held()
  RowRef row;
};

// How a WITHOUT ROWID table's file has its payloads: counted, with a cell for every column, or short.
enum class PayloadForm : uint8_t { kCounted, kShort };
absl::StatusOr<PayloadForm> PayloadFormOf(const pager::FileView& view);

class IndexCodec {
 public:
  // index == nullptr: the tree of a WITHOUT ROWID table, with short payloads until told otherwise.
  IndexCodec(const catalog::TableDef& table, const catalog::IndexDef* index);
  void set_payload_form(PayloadForm form) { payload_form_ = form; }

  bool is_table() const { return index_ == nullptr; }
  const catalog::IndexDef* index() const { return index_; }
  const std::vector<record::KeyColumn>& key_columns() const { return key_columns_; }
  // Table columns that entries hold, in DecodedEntry's order; kExpressionColumn for an expression.
  const std::vector<int>& held() const { return held_; }
  int PositionOf(int column) const;  // in held(), -1 when it is not held

  // `row` has a cell per table column (slots for vectors), `key_cells` one per index column.
  void Encode(const Cell* key_cells, const Cell* row, RowRef ref, IndexEntry* entry) const;
  // The key cells of a row, but for expressions. REQUIRES: key_cells has room for each index column.
  void KeyCells(const Cell* row, RowRef ref, Cell* key_cells) const;
  absl::Status Decode(std::string_view key, std::string_view payload, Arena* arena, DecodedEntry* entry) const;
  // Only the row of an entry.
  absl::Status DecodeRow(std::string_view key, std::string_view payload, Arena* arena, RowRef* row) const;
  // The same of an index's key whose first columns are known: `rest` is what follows them. REQUIRES: a rowid table, or no
  // column is known.
  absl::Status DecodeRowBehind(size_t columns, std::string_view rest, std::string_view payload, Arena* arena, RowRef* row) const;

 private:
  using KeyParts = absl::InlinedVector<std::string_view, 8>;  // an encoded column each

  bool IsKeyExact(const Cell* row) const;
  void EncodeTableRow(const Cell* row, IndexEntry* entry) const;
  void AppendInexactCells(const Cell* key_cells, const Cell* row, std::string* payload) const;
  absl::Status DecodeColumns(std::string_view* key, const std::vector<record::KeyColumn>& columns, Arena* arena,
                             Cell* cells, KeyParts* parts = nullptr) const;
  void FindRowKeyPlaces();
  void AppendRestOfRowKey(const Cell* row, std::string* key) const;
  absl::Status JoinRowKey(const KeyParts& parts, std::string_view rest, Arena* arena, RowRef* row) const;
  absl::Status TakeRow(const KeyParts& parts, std::string_view* key, std::string_view* payload, Arena* arena, RowRef* row) const;
  absl::Status DecodeTablePayload(std::string_view payload, Cell* cells, size_t* given) const;
  absl::Status DecodeTableRow(std::string_view key, std::string_view payload, Arena* arena, DecodedEntry* entry) const;
  absl::Status Damaged() const;

  const catalog::IndexDef* index_;
  const catalog::TableDef& table_;
  std::vector<record::KeyColumn> key_columns_;      // of the index columns
  std::vector<record::KeyColumn> row_key_columns_;  // of the primary key behind them, WITHOUT ROWID only
  std::vector<int> row_key_places_;  // of short row keys: the index column that each of those is, or -1
  std::vector<int> held_;
  // Of the table whose tree it is.
  PayloadForm payload_form_ = PayloadForm::kShort;
  std::vector<bool> is_in_key_;  // each column
  bool has_only_key_columns_ = false;
};

// The key columns of a WITHOUT ROWID table's primary key.
std::vector<record::KeyColumn> PrimaryKeyColumns(const catalog::TableDef& table);
// Appends the encoded primary key of a row.
void AppendPrimaryKey(const catalog::TableDef& table, const Cell* row, std::string* key);

}  // namespace turdb::table
