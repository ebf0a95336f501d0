#include "engine/copy_database.h"

#include <algorithm>

#include "base/status_macros.h"
#include "catalog/catalog_rows.h"
#include "catalog/definition_codec.h"
#include "catalog/table_files.h"
#include "table/rebuild.h"

namespace turdb::engine {
namespace {

using catalog::RowKind;

// The target becomes a database without objects.
absl::Status Clear(const CopyEnds& ends) {
  TURDB_ASSIGN_OR_RETURN(const auto catalog, catalog::LoadCatalog(ends.to_cache, ends.to));
  for (const catalog::TableDef* table : catalog->Tables()) {
    for (const FileId file : catalog::FilesOf(*table)) TURDB_RETURN_IF_ERROR(ends.to->DropFile(file));
  }
  return catalog::RemoveAllRows(ends.to);
}

template <typename Definition>
absl::StatusOr<ObjectId> IdOf(std::string_view bytes) {
  Definition definition;
  TURDB_RETURN_IF_ERROR(catalog::DecodeDefinition(bytes, &definition));
  return definition.id;
}

}  // namespace

absl::Status CatalogCopy::ReadOthers(txn::Transaction* from) {
  TURDB_ASSIGN_OR_RETURN(file, from->View(txn::kCatalogFile));
  return catalog::ForEachRow(from, [&](RowKind kind, std::string_view bytes) -> absl::Status {
    if (kind != RowKind::kSchema && kind != RowKind::kTrigger) return absl::OkStatus();
    TURDB_ASSIGN_OR_RETURN(const ObjectId id, kind == RowKind::kSchema ? IdOf<catalog::SchemaDef>(bytes) : IdOf<catalog::TriggerDef>(bytes));
    others.push_back({kind, id, std::string(bytes)});
    return absl::OkStatus();
  });
}

absl::Status CatalogCopy::WriteTo(txn::Transaction* to) const {
  for (const Row& row : others) TURDB_RETURN_IF_ERROR(catalog::AddRow(to, row.kind, row.id, row.definition));
  for (const catalog::TableDef& table : tables) {
    TURDB_RETURN_IF_ERROR(catalog::AddRow(to, RowKind::kTable, table.id, catalog::EncodeDefinition(table)));
    for (const catalog::IndexDef& index : table.indexes) {
      TURDB_RETURN_IF_ERROR(catalog::AddRow(to, RowKind::kIndex, index.id, catalog::EncodeDefinition(index)));
    }
  }
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, to->Writer(txn::kCatalogFile));
  return table::CopyUserArea(file, writer);
}

absl::StatusOr<FileId> PageWiseCopy::AddFile(txn::Transaction* source, FileId from, std::string* path) {
  TURDB_ASSIGN_OR_RETURN(pager::FileView view, source->View(from));
  total_ += view.page_count();
  const std::string wanted = *path;
  TURDB_ASSIGN_OR_RETURN(const FileId to, to_->CreateFile(wanted, path));
  files_.push_back({std::move(view), to});
  return to;
}

absl::StatusOr<std::unique_ptr<PageWiseCopy>> PageWiseCopy::Start(const CopyEnds& ends) {
  std::unique_ptr<PageWiseCopy> copy(new PageWiseCopy(ends.to));
  ends.from->Freeze();  // views of a transaction that goes on must not change
  TURDB_RETURN_IF_ERROR(Clear(ends));
  TURDB_RETURN_IF_ERROR(copy->catalog_.ReadOthers(ends.from));
  TURDB_ASSIGN_OR_RETURN(const auto catalog, catalog::LoadCatalog(ends.from_cache, ends.from));
  for (const catalog::TableDef* source : catalog->Tables()) {
    catalog::TableDef& table = copy->catalog_.tables.emplace_back(*source);
    if (table.kind == catalog::TableKind::kView) continue;
    TURDB_ASSIGN_OR_RETURN(table.file, copy->AddFile(ends.from, source->file, &table.path));
    for (catalog::ColumnDef& column : table.columns) {
      if (!column.type.is_vector()) continue;
      TURDB_ASSIGN_OR_RETURN(column.vector_file, copy->AddFile(ends.from, column.vector_file, &column.vector_path));
    }
    for (catalog::IndexDef& index : table.indexes) {
      TURDB_ASSIGN_OR_RETURN(index.file, copy->AddFile(ends.from, index.file, &index.path));
    }
  }
  return copy;
}

absl::StatusOr<bool> PageWiseCopy::Step(uint64_t most) {
  constexpr uint64_t kMostAtOnce = 1 << 20;
  for (uint64_t done = 0; at_ < files_.size();) {
    if (done == most) return false;
    if (copier_ == nullptr) {
      TURDB_ASSIGN_OR_RETURN(pager::FileWriter* const writer, to_->Writer(files_[at_].to));
      copier_ = std::make_unique<table::PageCopier>(&files_[at_].from, writer);
    }
    TURDB_ASSIGN_OR_RETURN(const uint32_t copied, copier_->Step(static_cast<uint32_t>(std::min(most - done, kMostAtOnce))));
    done += copied;
    copied_ += copied;
    if (copied > 0) continue;
    copier_.reset();
    ++at_;
  }
  TURDB_RETURN_IF_ERROR(catalog_.WriteTo(to_));
  return true;
}

absl::Status CopyCompactly(const CopyEnds& ends, const VacuumOptions& options) {
  TURDB_RETURN_IF_ERROR(Clear(ends));
  TURDB_ASSIGN_OR_RETURN(const auto catalog, catalog::LoadCatalog(ends.from_cache, ends.from));
  const table::RebuildRequest request{ends.from, ends.to, options.threads, options.progress, options.space};
  CatalogCopy copy;
  TURDB_RETURN_IF_ERROR(copy.ReadOthers(ends.from));
  for (const catalog::TableDef* source : catalog->Tables()) {
    if (source->kind == catalog::TableKind::kView) {
      copy.tables.push_back(*source);
      continue;
    }
    TURDB_ASSIGN_OR_RETURN(catalog::TableDef table, table::RebuildTable(request, *source));
    copy.tables.push_back(std::move(table));
  }
  return copy.WriteTo(ends.to);
}

}  // namespace turdb::engine
