// See index_codec.h.

#include "table/index_codec.h"

#include <algorithm>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/object_files.h"
#include "table/payload.h"

namespace turdb::table {
namespace {

using catalog::TableDef;

bool HasNull(const Cell* cells, size_t n) {
  return std::any_of(cells, cells + n, [](const Cell& c) { return c.is_null(); });
}

}  // namespace

std::vector<record::KeyColumn> PrimaryKeyColumns(const TableDef& table) {
  std::vector<record::KeyColumn> columns;
  for (int column : table.primary_key) columns.push_back({table.columns[column].collation, false});
  return columns;
}

void AppendPrimaryKey(const TableDef& table, const Cell* row, std::string* key) {
  for (int column : table.primary_key) {
    record::AppendKey(key, row[column], {table.columns[column].collation, false});
  }
}

absl::StatusOr<PayloadForm> PayloadFormOf(const pager::FileView& view) {
  const uint8_t* const header = view.Page(PageId(0));
  if (header == nullptr) return view.PageError(PageId(0));
  const auto form = Load<uint32_t>(header + catalog::kPayloadFormOffset);
  return form == catalog::kShortPayloads ? PayloadForm::kShort : PayloadForm::kCounted;
}

IndexCodec::IndexCodec(const TableDef& table, const catalog::IndexDef* index) : index_(index), table_(table) {
  if (index == nullptr) {
    key_columns_ = PrimaryKeyColumns(table);
    for (size_t i = 0; i < table.columns.size(); ++i) held_.push_back(static_cast<int>(i));
    is_in_key_.resize(table.columns.size());
    for (const int column : table.primary_key) is_in_key_[column] = true;
    has_only_key_columns_ = std::find(is_in_key_.begin(), is_in_key_.end(), false) == is_in_key_.end();
    return;
  }
  for (const catalog::IndexColumn& column : index->columns) {
    key_columns_.push_back({column.collation, column.is_descending});
    const bool is_alias = column.column >= 0 && column.column == table.rowid_alias;
    held_.push_back(is_alias ? catalog::kRowIdColumn : column.column);
  }
  if (!table.is_without_rowid) return;
  row_key_columns_ = PrimaryKeyColumns(table);
  held_.insert(held_.end(), table.primary_key.begin(), table.primary_key.end());
  if (index->has_short_row_keys) FindRowKeyPlaces();
}

void IndexCodec::FindRowKeyPlaces() {
  for (size_t i = 0; i < row_key_columns_.size(); ++i) {
    int place = -1;
    for (size_t k = 0; k < key_columns_.size() && place < 0; ++k) {
      const bool has_same_bytes = key_columns_[k].collation == row_key_columns_[i].collation && !key_columns_[k].is_descending;
      if (held_[k] == table_.primary_key[i] && has_same_bytes) place = static_cast<int>(k);
    }
    row_key_places_.push_back(place);
  }
}

int IndexCodec::PositionOf(int column) const {
  const auto it = std::find(held_.begin(), held_.end(), column);
  return column == catalog::kExpressionColumn || it == held_.end() ? -1 : static_cast<int>(it - held_.begin());
}

void IndexCodec::KeyCells(const Cell* row, RowRef ref, Cell* key_cells) const {
  for (size_t i = 0; i < key_columns_.size(); ++i) {
    const int column = is_table() ? table_.primary_key[i] : held_[i];
    if (column >= 0) key_cells[i] = row[column];
    if (column == catalog::kRowIdColumn) key_cells[i] = Cell::Integer(ref.rowid.value());
  }
}

void IndexCodec::Encode(const Cell* key_cells, const Cell* row, RowRef ref, IndexEntry* entry) const {
  entry->key.clear();
  entry->payload.clear();
  for (size_t i = 0; i < key_columns_.size(); ++i) record::AppendKey(&entry->key, key_cells[i], key_columns_[i]);
  if (is_table()) return EncodeTableRow(row, entry);
  entry->is_distinct = index_->is_unique && !HasNull(key_cells, key_columns_.size());
  if (!table_.is_without_rowid) {
    if (entry->is_distinct) AppendVarint(&entry->payload, ZigZag(ref.rowid.value()));
    else record::AppendRowId(&entry->key, ref.rowid);
  } else if (entry->is_distinct) {
    AppendVarint(&entry->payload, ref.key.size());
    entry->payload.append(ref.key);
  } else if (row_key_places_.empty()) {
    entry->key.append(ref.key);
  } else {
    AppendRestOfRowKey(row, &entry->key);
  }
  AppendInexactCells(key_cells, row, &entry->payload);
}

void IndexCodec::AppendRestOfRowKey(const Cell* row, std::string* key) const {
  for (size_t i = 0; i < row_key_places_.size(); ++i) {
    if (row_key_places_[i] < 0) record::AppendKey(key, row[table_.primary_key[i]], row_key_columns_[i]);
  }
}

bool IndexCodec::IsKeyExact(const Cell* row) const {
  return std::all_of(table_.primary_key.begin(), table_.primary_key.end(),
                     [&](int column) { return IsExactInKey(row[column], table_.columns[column].collation); });
}

void IndexCodec::EncodeTableRow(const Cell* row, IndexEntry* entry) const {
  entry->is_distinct = true;
  const bool is_key_exact = IsKeyExact(row);
  if (is_key_exact && has_only_key_columns_) return;
  const bool is_short = payload_form_ == PayloadForm::kShort;
  const bool has_all = !is_short || !is_key_exact;
  if (!is_short) AppendPayloadCount(&entry->payload, static_cast<uint32_t>(held_.size()));
  else if (has_all) AppendInKey(&entry->payload);
  for (size_t i = 0; i < held_.size(); ++i) {
    if (is_in_key_[i] && !has_all) continue;
    const bool is_given_back = is_in_key_[i] && IsExactInKey(row[i], table_.columns[i].collation);
    if (is_given_back) AppendInKey(&entry->payload);
    else if (is_short) AppendRowCell(&entry->payload, row[i]);
    else AppendPayloadCell(&entry->payload, row[i]);
  }
}

// Nothing when the key gives every held cell back.
void IndexCodec::AppendInexactCells(const Cell* key_cells, const Cell* row, std::string* payload) const {
  const size_t columns = key_columns_.size();
  const auto cell_of = [&](size_t i) -> const Cell& { return i < columns ? key_cells[i] : row[held_[i]]; };
  const auto is_exact = [&](size_t i) {
    return IsExactInKey(cell_of(i), i < columns ? key_columns_[i].collation : row_key_columns_[i - columns].collation);
  };
  bool are_all_exact = true;
  for (size_t i = 0; i < held_.size(); ++i) are_all_exact &= is_exact(i);
  if (are_all_exact) return;
  AppendPayloadCount(payload, static_cast<uint32_t>(held_.size()));
  for (size_t i = 0; i < held_.size(); ++i) {
    if (is_exact(i)) AppendInKey(payload);
    else AppendPayloadCell(payload, cell_of(i));
  }
}

absl::Status IndexCodec::Damaged() const {
  return CorruptionError(is_table() ? "table '" : "index '", is_table() ? table_.name : index_->name,
                         "': an entry is damaged");
}

absl::Status IndexCodec::DecodeColumns(std::string_view* key, const std::vector<record::KeyColumn>& columns, Arena* arena,
                                       Cell* cells, KeyParts* parts) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string_view from = *key;
    TURDB_ASSIGN_OR_RETURN(cells[i], record::DecodeKey(key, columns[i], arena));
    if (parts != nullptr) parts->push_back(from.substr(0, from.size() - key->size()));
  }
  return absl::OkStatus();
}

absl::Status IndexCodec::JoinRowKey(const KeyParts& parts, std::string_view rest, Arena* arena, RowRef* row) const {
  std::string key;
  for (size_t i = 0; i < row_key_places_.size(); ++i) {
    if (row_key_places_[i] >= 0) {
      key.append(parts[row_key_places_[i]]);
      continue;
    }
    const std::string_view from = rest;
    TURDB_RETURN_IF_ERROR(record::DecodeKey(&rest, row_key_columns_[i], arena).status());
    key.append(from.substr(0, from.size() - rest.size()));
  }
  if (!rest.empty()) return Damaged();
  row->key = arena->Copy(key);
  return absl::OkStatus();
}

absl::Status IndexCodec::TakeRow(const KeyParts& parts, std::string_view* key, std::string_view* payload, Arena* arena,
                                 RowRef* row) const {
  if (!row_key_places_.empty()) return JoinRowKey(parts, *key, arena, row);
  const bool is_in_key = !key->empty();
  if (is_in_key && table_.is_without_rowid) {
    row->key = *key;
    return absl::OkStatus();
  }
  if (is_in_key) {
    TURDB_ASSIGN_OR_RETURN(row->rowid, record::DecodeRowId(key));
    return key->empty() ? absl::OkStatus() : Damaged();
  }
  uint64_t number = 0;
  const auto* begin = reinterpret_cast<const uint8_t*>(payload->data());
  const uint8_t* next = DecodeVarint(begin, begin + payload->size(), &number);
  if (next == nullptr) return Damaged();
  payload->remove_prefix(next - begin);
  if (!table_.is_without_rowid) {
    row->rowid = RowId(UnZigZag(number));
    return absl::OkStatus();
  }
  if (number > payload->size()) return Damaged();
  row->key = payload->substr(0, number);
  payload->remove_prefix(number);
  return absl::OkStatus();
}

// Cells that the key gives back are left as they are; `given` is the number of columns that are there.
absl::Status IndexCodec::DecodeTablePayload(std::string_view payload, Cell* cells, size_t* given) const {
  const bool is_short = payload_form_ == PayloadForm::kShort;
  const bool has_all = !is_short || (!payload.empty() && payload.front() == static_cast<char>(PayloadTag::kInKey));
  PayloadReader reader = is_short ? PayloadReader::OfCells(payload.substr(has_all)) : PayloadReader(payload);
  const size_t most = is_short ? held_.size() : std::min<size_t>(reader.count(), held_.size());
  size_t i = 0;
  for (; i < most; ++i) {
    if (is_in_key_[i] && !has_all) continue;
    if (is_short && reader.is_at_end()) break;
    bool is_given = false;
    Cell cell;
    TURDB_RETURN_IF_ERROR(reader.Next(&cell, &is_given));
    if (is_given) cells[i] = cell;
  }
  *given = i;
  return absl::OkStatus();
}

absl::Status IndexCodec::DecodeTableRow(std::string_view key, std::string_view payload, Arena* arena,
                                        DecodedEntry* entry) const {
  entry->row = RowRef(key);
  for (size_t i = 0; i < key_columns_.size(); ++i) {
    TURDB_ASSIGN_OR_RETURN(entry->cells[table_.primary_key[i]], record::DecodeKey(&key, key_columns_[i], arena));
  }
  if (!key.empty()) return Damaged();
  size_t given = 0;
  TURDB_RETURN_IF_ERROR(DecodeTablePayload(payload, entry->cells.data(), &given));
  for (size_t i = given; i < held_.size(); ++i) {
    if (is_in_key_[i]) continue;
    const auto& added = table_.columns[i].added_default;
    entry->cells[i] = added.has_value() ? added->cell() : Cell();
  }
  return absl::OkStatus();
}

absl::Status IndexCodec::Decode(std::string_view key, std::string_view payload, Arena* arena, DecodedEntry* entry) const {
  entry->cells.resize(held_.size());
  if (is_table()) return DecodeTableRow(key, payload, arena, entry);
  KeyParts parts;
  TURDB_RETURN_IF_ERROR(DecodeColumns(&key, key_columns_, arena, entry->cells.data(), row_key_places_.empty() ? nullptr : &parts));
  TURDB_RETURN_IF_ERROR(TakeRow(parts, &key, &payload, arena, &entry->row));
  std::string_view row_key = entry->row.key;
  TURDB_RETURN_IF_ERROR(DecodeColumns(&row_key, row_key_columns_, arena, entry->cells.data() + key_columns_.size()));
  PayloadReader reader(payload);
  if (reader.count() == 0) return absl::OkStatus();
  if (reader.count() != held_.size()) return Damaged();
  for (Cell& cell : entry->cells) {
    bool is_given = false;
    Cell exact;
    TURDB_RETURN_IF_ERROR(reader.Next(&exact, &is_given));
    if (is_given) cell = exact;
  }
  return absl::OkStatus();
}

absl::Status IndexCodec::DecodeRow(std::string_view key, std::string_view payload, Arena* arena, RowRef* row) const {
  if (!is_table()) return DecodeRowBehind(0, key, payload, arena, row);
  *row = RowRef(key);
  return absl::OkStatus();
}

absl::Status IndexCodec::DecodeRowBehind(size_t columns, std::string_view rest, std::string_view payload, Arena* arena,
                                         RowRef* row) const {
  KeyParts parts;
  for (size_t i = columns; i < key_columns_.size(); ++i) {
    const std::string_view from = rest;
    TURDB_RETURN_IF_ERROR(record::DecodeKey(&rest, key_columns_[i], arena).status());
    if (!row_key_places_.empty()) parts.push_back(from.substr(0, from.size() - rest.size()));
  }
  return TakeRow(parts, &rest, &payload, arena, row);
}

}  // namespace turdb::table
