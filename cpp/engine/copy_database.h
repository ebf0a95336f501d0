// Copying a database: everything that one transaction sees takes the place of everything in another database, in one
// transaction of that one. Object ids, versions and application numbers are the source's; file ids are the target's own.
// The target's readers keep their snapshots; until its transaction commits nobody sees anything of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/catalog.h"
#include "catalog/catalog_rows.h"
#include "engine/vacuum.h"
#include "table/page_copy.h"
#include "txn/store.h"

namespace turdb::engine {

struct CopyEnds {
  catalog::CatalogCache* from_cache;
  txn::Transaction* from;
  catalog::CatalogCache* to_cache;
  txn::Transaction* to;  // is writing
};

// The catalog that the target gets.
struct CatalogCopy {
  std::vector<catalog::TableDef> tables;  // with the target's files
  struct Row {
    catalog::RowKind kind;
    ObjectId id;
    std::string definition;
  };
  std::vector<Row> others;  // schemas and triggers, which have no files
  pager::FileView file;     // the source's, for its counters

  absl::Status ReadOthers(txn::Transaction* from);
  absl::Status WriteTo(txn::Transaction* to) const;
};

// Page by page, in steps, as the files are: with their free pages and dead vectors.
class PageWiseCopy {
 public:
  // Makes the target's files and remembers what the source shows now: its transaction may go on or end.
  static absl::StatusOr<std::unique_ptr<PageWiseCopy>> Start(const CopyEnds& ends);

  // Copies up to `most` pages; true when all are copied and the target's catalog is written: its transaction may commit.
  absl::StatusOr<bool> Step(uint64_t most);
  uint64_t total_pages() const { return total_; }
  uint64_t remaining_pages() const { return total_ - copied_; }

 private:
  struct File {
    pager::FileView from;
    FileId to;
  };
  explicit PageWiseCopy(txn::Transaction* to) : to_(to) {}
  absl::StatusOr<FileId> AddFile(txn::Transaction* source, FileId from, std::string* path);

  txn::Transaction* const to_;
  CatalogCopy catalog_;
  std::vector<File> files_;
  size_t at_ = 0;  // the file being copied
  std::unique_ptr<table::PageCopier> copier_;
  uint64_t total_ = 0, copied_ = 0;
};

// Without what VACUUM would give back, in one go.
absl::Status CopyCompactly(const CopyEnds& ends, const VacuumOptions& options);

}  // namespace turdb::engine
