// RenameInText: a stored CREATE statement after a table or one of its columns has got another name.
//
// Names are resolved as far as it takes to tell the renamed object from others: sources of FROM with their aliases,
// common tables, nested selects. Everything else of the text stays as it was written, comments too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "catalog/catalog.h"
#include "sql/syntax/ast.h"

namespace turdb::sql {

struct Renaming {
  const catalog::TableDef* table = nullptr;  // as it was
  std::string_view old_column;               // empty: the table itself is renamed
  Name new_name;
  bool is_of_table() const { return old_column.empty(); }
};

// The changed text, or nullopt when nothing in it bears the name. The catalog is that before the renaming.
absl::StatusOr<std::optional<std::string>> RenameInText(std::string_view create_sql, const Renaming& renaming,
                                                        const catalog::CatalogSnapshot& catalog);

}  // namespace turdb::sql
