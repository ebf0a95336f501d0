// Statistics: the counters of a database by name, for turdb_catalog.statistics.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/database.h"

namespace turdb::engine {

struct Statistic {
  std::string_view name;
  uint64_t value;
  std::string_view unit;         // "bytes", "pages", or what is counted
  std::string_view description;
};
std::vector<Statistic> StatisticsOf(const Database& database);

}  // namespace turdb::engine
