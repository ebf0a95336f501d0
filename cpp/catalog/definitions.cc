// See definitions.h.

#include "catalog/definitions.h"

#include "base/strings.h"

namespace turdb::catalog {

int TableDef::FindColumn(std::string_view column) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (EqualsIgnoreCase(columns[i].name, column)) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace turdb::catalog
