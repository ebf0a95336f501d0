// See object_files.h.

#include "catalog/object_files.h"

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "base/strings.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "format/vec_page.h"

namespace turdb::catalog {
namespace {

// Long names are cut so that table, index and ending stay below the 255 bytes of common file systems.
constexpr size_t kMaxEscapedBytes = 80;

bool IsSafe(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

absl::Status InitialiseVectorFile(pager::FileWriter* writer, uint32_t dim) {
  TURDB_ASSIGN_OR_RETURN(const PageId page_id, writer->Allocate(format::PageKind::kVectorHeader));
  if (page_id != PageId(1)) return InternalError("the header of a new vector file is not its page 1");
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(page_id));
  Store<uint32_t>(page + format::kVecKindDim, dim);
  page[format::kVecKindElement] = static_cast<uint8_t>(format::VecElement::kFloat32);
  return absl::OkStatus();
}

absl::StatusOr<pager::FileWriter*> MakeFile(txn::Transaction* txn, std::string_view path, FileId* file, std::string* chosen) {
  TURDB_ASSIGN_OR_RETURN(*file, txn->CreateFile(path, chosen));
  return txn->Writer(*file);
}

}  // namespace

std::string EscapeFileName(std::string_view name) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (escaped.size() + 3 > kMaxEscapedBytes) break;
    if (IsSafe(byte)) {
      escaped += c;
    } else {
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return escaped;
}

absl::Status CreateTableFile(txn::Transaction* txn, TableDef* table) {
  const std::string path = Cat(EscapeFileName(table->schema), "/", EscapeFileName(table->name), ".tbd");
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, MakeFile(txn, path, &table->file, &table->path));
  if (!table->is_without_rowid) return btree::CreateRowTree(writer);
  TURDB_ASSIGN_OR_RETURN(uint8_t* const header, writer->MutablePage(PageId(0)));
  Store<uint32_t>(header + kPayloadFormOffset, kShortPayloads);
  return btree::CreateKeyTree(writer);
}

absl::Status CreateVectorFile(txn::Transaction* txn, const TableDef& table, ColumnDef* column) {
  const std::string path = Cat(EscapeFileName(table.schema), "/", EscapeFileName(table.name), ".",
                               EscapeFileName(column->name), ".vec");
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer,
                         MakeFile(txn, path, &column->vector_file, &column->vector_path));
  return InitialiseVectorFile(writer, column->type.dim);
}

absl::Status CreateIndexFile(txn::Transaction* txn, IndexDef* index) {
  const bool is_btree = index->kind == IndexKind::kBtree;
  const std::string path = Cat(EscapeFileName(index->schema), "/", EscapeFileName(index->table), ".",
                               EscapeFileName(index->name), is_btree ? ".idx" : ".hnsw");
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, MakeFile(txn, path, &index->file, &index->path));
  return is_btree ? btree::CreateKeyTree(writer) : absl::OkStatus();
}

absl::Status DropTableFiles(txn::Transaction* txn, const TableDef& table) {
  if (table.kind == TableKind::kView) return absl::OkStatus();
  for (const ColumnDef& column : table.columns) {
    if (column.type.is_vector()) TURDB_RETURN_IF_ERROR(txn->DropFile(column.vector_file));
  }
  return txn->DropFile(table.file);
}

}  // namespace turdb::catalog
