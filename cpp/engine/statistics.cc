#include "engine/statistics.h"

namespace turdb::engine {
namespace {

using txn::StoreStats;

struct StoreCounter {
  std::string_view name;
  uint64_t StoreStats::*field;
  std::string_view unit, description;
};

// A new field of StoreStats is a line here. Pages that are read are not counted: they are read by the processor from the
// files as the operating system maps them.
constexpr StoreCounter kStoreCounters[] = {
    {"wal_bytes", &StoreStats::wal_bytes, "bytes", "log that recovery would read if the process ended now"},
    {"wal_bytes_written", &StoreStats::wal_bytes_written, "bytes", "written to the log since the database was opened"},
    {"commits", &StoreStats::commits, "transactions", "committed since the database was opened, those of the background too"},
    {"syncs", &StoreStats::syncs, "calls", "syncs of the log; one serves all commits that wait for it"},
    {"checkpoints", &StoreStats::checkpoints, "checkpoints", "completed since the database was opened"},
    {"pages_written", &StoreStats::pages_checkpointed, "pages", "written to the data files by checkpoints"},
    {"recovered_commits", &StoreStats::recovered_commits, "transactions", "read back from the log when the database was opened"},
};

}  // namespace

std::vector<Statistic> StatisticsOf(const Database& database) {
  const StoreStats stats = database.store()->stats();
  std::vector<Statistic> all;
  for (const StoreCounter& counter : kStoreCounters) {
    all.push_back({counter.name, stats.*counter.field, counter.unit, counter.description});
  }
  const SpaceCounters& space = database.space_counters();
  all.push_back({"vacuumed_tables", space.vacuumed.load(), "tables", "rebuilt by automatic vacuum since the database was opened"});
  all.push_back({"vacuum_yields", space.yielded.load(), "times", "automatic vacuum gave way to a transaction that wanted to write"});
  all.push_back({"open_transactions", database.transactions().List().size(), "transactions", "explicit ones that are open now"});
  return all;
}

}  // namespace turdb::engine
