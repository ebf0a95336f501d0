// What a check says about the pages of a file as pages: each one used once or free once, the header right, all readable.
//
// Complements the checks of what is on the pages (btree, hnsw, check_table.cc). Findings are sentences that begin with the
// file's path; damage found while reading is a finding, not an error.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalog/definitions.h"
#include "pager/file_view.h"
#include "txn/store.h"

namespace turdb::table {

// `used` has every page that the file's structure reaches, page 0 aside, as often as it does. `is_changing`: a transaction
// that is writing looks at its own view, whose length is not in the header yet.
void CheckPageUse(const pager::FileView& view, const std::vector<PageId>& used, bool is_changing,
                  std::vector<std::string>* findings);

// A .vec or .hnsw file, whose pages are found by arithmetic: none may be free, all must be readable.
void CheckFixedPages(const pager::FileView& view, bool is_changing, std::vector<std::string>* findings);

// CheckTable without what takes a look at every row for every index: trees, pages and graphs, each for itself.
absl::StatusOr<std::vector<std::string>> CheckTableStructure(txn::Transaction* txn, const catalog::TableDef& table,
                                                             const std::function<absl::Status()>& check = nullptr);

}  // namespace turdb::table
