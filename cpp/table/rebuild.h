// Rebuild: a table copied in the order of its keys into new, full files: what VACUUM and VACUUM INTO do.
//
// Rows go through a scan into bulk loads, so the work is linear in what lives and memory does not grow with the table.
// Vector slots that no row has are squeezed out; the others keep their order and get new numbers in the rows. B+tree
// indexes are copied entry by entry: neither rowids nor primary keys change. A graph whose nodes keep their numbers is
// copied page by page; otherwise it is built anew from the vectors, which also undoes what deletions did to it.
// Dead space is what VACUUM would give back; the automatic one asks for it before it works.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/definitions.h"
#include "table/table_writer.h"
#include "txn/store.h"

namespace turdb::table {

struct RebuildRequest {
  txn::Transaction* from = nullptr;  // sees the table
  txn::Transaction* to = nullptr;    // is writing; may be `from` itself
  int threads = 1;                   // of graph builds
  Progress progress;                 // counts pages of the old files; an error stops the work: roll back
  SortSpace space;                   // of graphs while they are built
};

// The table's definition with its new files, indexes included. Neither catalog is changed and the old files stay: see
// catalog::ReplaceFiles. kCorruption when what is read is damaged.
absl::StatusOr<catalog::TableDef> RebuildTable(const RebuildRequest& request, const catalog::TableDef& table);

// One file of a table and the room in it that holds nothing.
struct FileSpace {
  enum class Kind : uint8_t { kRows, kVectors, kIndex, kGraph };
  Kind kind = Kind::kRows;
  FileId file;
  std::string path;
  std::string name;              // of the table, column or index
  uint64_t pages = 0;            // page 0 included
  uint64_t free_pages = 0;       // in the free list
  uint64_t dead_bytes = 0;       // of slots and nodes without a row, room in pages of pieces; not those of free pages
  uint64_t rows = 0;             // rows and entries are estimated, live slots and nodes counted
  // Guessed by SampleLeaves() for trees, 0 before it and for other files: bytes of leaves that have room for more entries, and the others.
  uint64_t unused_bytes = 0, live_bytes = 0;

  bool is_tree() const { return kind == Kind::kRows || kind == Kind::kIndex; }
};
// From headers alone.
absl::StatusOr<std::vector<FileSpace>> TableSpace(txn::Transaction* txn, const catalog::TableDef& table);
// Looks at some leaves of each tree that has at least `least_pages`.
absl::Status SampleLeaves(txn::Transaction* txn, const catalog::TableDef& table, uint64_t least_pages, std::vector<FileSpace>* files);

}  // namespace turdb::table
