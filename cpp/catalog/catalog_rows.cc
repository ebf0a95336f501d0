// See catalog_rows.h.

#include "catalog/catalog_rows.h"

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_tree.h"
#include "catalog/catalog.h"

namespace turdb::catalog {
namespace {

constexpr size_t kNextObjectIdOffset = pager::kUserAreaOffset;
constexpr size_t kSchemaVersionOffset = pager::kUserAreaOffset + 8;
constexpr uint32_t kKindColumn = 0;
constexpr uint32_t kDefinitionColumn = 1;

absl::Status DamagedRow(RowId key) {
  return CorruptionError("catalog: row ", key.value(), " is not an object's");
}

absl::StatusOr<RowKind> KindOfRow(RowId key, const std::optional<Cell>& cell) {
  if (!cell.has_value() || !cell->is_integer() || cell->integer < 1) return DamagedRow(key);
  if (cell->integer > static_cast<int64_t>(RowKind::kSchema)) {
    return NewerFormatError("catalog: object ", key.value(), " was made by a newer version of turdb");
  }
  return static_cast<RowKind>(cell->integer);
}

// Adds one to a counter of the user area and returns its old value.
absl::StatusOr<uint64_t> Increment(txn::Transaction* txn, size_t offset) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(txn::kCatalogFile));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(PageId(0)));
  const uint64_t value = Load<uint64_t>(page + offset);
  Store<uint64_t>(page + offset, value + 1);
  return value;
}

}  // namespace

absl::Status ForEachRow(txn::Transaction* txn,
                        absl::FunctionRef<absl::Status(RowKind kind, std::string_view definition)> visit) {
  TURDB_ASSIGN_OR_RETURN(pager::FileView view, txn->View(txn::kCatalogFile));
  Arena arena;
  btree::RowCursor cursor(std::move(view), &arena);
  for (absl::Status at = cursor.SeekFirst();; at = cursor.Next()) {
    TURDB_RETURN_IF_ERROR(at);
    if (!cursor.valid()) return absl::OkStatus();
    TURDB_ASSIGN_OR_RETURN(const std::optional<Cell> kind_cell, cursor.Column(kKindColumn));
    TURDB_ASSIGN_OR_RETURN(const RowKind kind, KindOfRow(cursor.key(), kind_cell));
    TURDB_ASSIGN_OR_RETURN(const std::optional<Cell> definition, cursor.Column(kDefinitionColumn));
    if (!definition.has_value() || !definition->is_blob()) return DamagedRow(cursor.key());
    TURDB_RETURN_IF_ERROR(visit(kind, definition->view()));
  }
}

absl::StatusOr<uint64_t> SchemaVersion(txn::Transaction* txn) {
  TURDB_ASSIGN_OR_RETURN(const pager::FileView view, txn->View(txn::kCatalogFile));
  const uint8_t* page = view.Page(PageId(0));
  if (page == nullptr) return view.PageError(PageId(0));
  return Load<uint64_t>(page + kSchemaVersionOffset);
}

absl::StatusOr<ObjectId> NewObjectId(txn::Transaction* txn) {
  TURDB_ASSIGN_OR_RETURN(const uint64_t id, Increment(txn, kNextObjectIdOffset));
  return ObjectId(id);
}

absl::Status AddRow(txn::Transaction* txn, RowKind kind, ObjectId id, std::string_view definition) {
  TURDB_RETURN_IF_ERROR(Increment(txn, kSchemaVersionOffset).status());
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(txn::kCatalogFile));
  const Cell row[] = {Cell::Integer(static_cast<int64_t>(kind)), Cell::Blob(definition)};
  TURDB_ASSIGN_OR_RETURN(const bool is_new, btree::InsertRow(writer, RowId(static_cast<int64_t>(id.value())), row));
  if (!is_new) return CorruptionError("catalog: object id ", id.value(), " is taken already");
  return absl::OkStatus();
}

absl::Status ReplaceRow(txn::Transaction* txn, RowKind kind, ObjectId id, std::string_view definition) {
  TURDB_RETURN_IF_ERROR(Increment(txn, kSchemaVersionOffset).status());
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(txn::kCatalogFile));
  const Cell row[] = {Cell::Integer(static_cast<int64_t>(kind)), Cell::Blob(definition)};
  TURDB_ASSIGN_OR_RETURN(const bool found, btree::UpdateRow(writer, RowId(static_cast<int64_t>(id.value())), row));
  if (!found) return InternalError("catalog: no object ", id.value(), " to replace");
  return absl::OkStatus();
}

absl::Status RemoveRow(txn::Transaction* txn, ObjectId id) {
  TURDB_RETURN_IF_ERROR(Increment(txn, kSchemaVersionOffset).status());
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(txn::kCatalogFile));
  TURDB_ASSIGN_OR_RETURN(const bool found, btree::EraseRow(writer, RowId(static_cast<int64_t>(id.value()))));
  if (!found) return InternalError("catalog: no object ", id.value(), " to remove");
  return absl::OkStatus();
}

absl::Status RemoveAllRows(txn::Transaction* txn) {
  TURDB_RETURN_IF_ERROR(Increment(txn, kSchemaVersionOffset).status());
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(txn::kCatalogFile));
  return btree::ClearRowTree(writer);
}

absl::Status InitialiseCatalog(txn::Transaction* txn) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, txn->Writer(txn::kCatalogFile));
  TURDB_RETURN_IF_ERROR(btree::CreateRowTree(writer));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(PageId(0)));
  Store<uint64_t>(page + kNextObjectIdOffset, 1);
  Store<uint64_t>(page + kSchemaVersionOffset, 1);
  return absl::OkStatus();
}

}  // namespace turdb::catalog
