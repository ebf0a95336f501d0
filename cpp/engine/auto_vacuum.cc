#include "engine/auto_vacuum.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/replace_files.h"
#include "engine/application_numbers.h"
#include "engine/vacuum.h"
#include "format/page.h"
#include "pager/file_state.h"
#include "table/rebuild.h"

namespace turdb::engine {
namespace {

constexpr uint64_t kLeastBytes = 1 << 20;  // less is used again soon enough
// Of a tree a quarter; of vectors half, since their graph is built anew: so each vector's place in it is paid for twice
// at most over the life of a table whose rows are all replaced.
constexpr uint64_t kTreeShare = 4, kVectorShare = 2;
constexpr std::chrono::milliseconds kFirstPause(500), kLongestPause(60000);

uint64_t DeadPages(const table::FileSpace& file) { return file.free_pages + file.dead_bytes / format::kPageBytes; }

bool IsDue(const table::FileSpace& file) {
  const bool is_tree = file.kind == table::FileSpace::Kind::kRows || file.kind == table::FileSpace::Kind::kIndex;
  const uint64_t dead = DeadPages(file);
  return dead * format::kPageBytes >= kLeastBytes && dead * (is_tree ? kTreeShare : kVectorShare) >= file.pages;
}

AutoVacuumMode ModeOf(int32_t number) {
  return number == 0 ? AutoVacuumMode::kFull : static_cast<AutoVacuumMode>(std::clamp(number - 1, 0, 2));
}

}  // namespace

absl::StatusOr<AutoVacuumMode> ReadAutoVacuumMode(txn::Transaction* txn) {
  TURDB_ASSIGN_OR_RETURN(const int32_t number, ReadApplicationNumber(txn, ApplicationNumber::kAutoVacuum));
  return ModeOf(number);
}

absl::Status WriteAutoVacuumMode(txn::Transaction* txn, AutoVacuumMode mode) {
  return WriteApplicationNumber(txn, ApplicationNumber::kAutoVacuum, static_cast<int32_t>(mode) + 1);
}

absl::StatusOr<uint64_t> PagesToGain(txn::Transaction* txn, const catalog::TableDef& table, bool is_any_worth) {
  TURDB_ASSIGN_OR_RETURN(const std::vector<table::FileSpace> files, table::TableSpace(txn, table));
  uint64_t dead = 0;
  bool is_due = is_any_worth;
  for (const table::FileSpace& file : files) {
    dead += DeadPages(file);
    is_due |= IsDue(file);
  }
  return is_due ? dead : 0;
}

AutoVacuum::AutoVacuum(txn::Store* store, catalog::CatalogCache* cache, std::function<bool()> must_yield)
    : store_(store), cache_(cache), must_yield_(std::move(must_yield)), opened_at_(pager::NextContentVersion()), pause_(kFirstPause) {}

bool AutoVacuum::HasChanged(txn::Transaction* txn, const catalog::TableDef& table) const {
  for (const FileId file : catalog::FilesOf(table)) {
    const uint64_t version = txn->FileVersion(file);
    const auto seen = looked_at_.find(file.value());
    if (seen == looked_at_.end() ? version > opened_at_ : version != seen->second) return true;
  }
  return false;
}

void AutoVacuum::Remember(txn::Transaction* txn, const catalog::TableDef& table, Versions* versions) const {
  for (const FileId file : catalog::FilesOf(table)) {
    const uint64_t version = txn->FileVersion(file);
    if (version > opened_at_) (*versions)[file.value()] = version;
  }
}

void AutoVacuum::Postpone() {
  retry_at_ = std::chrono::steady_clock::now() + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
}

absl::StatusOr<bool> AutoVacuum::Step() {
  if (std::chrono::steady_clock::now() < retry_at_) return true;
  retry_at_ = {};
  auto txn = store_->Begin();
  TURDB_ASSIGN_OR_RETURN(const AutoVacuumMode mode, ReadAutoVacuumMode(txn.get()));
  if (mode != AutoVacuumMode::kFull) return false;
  TURDB_ASSIGN_OR_RETURN(const auto catalog, catalog::LoadCatalog(cache_, txn.get()));
  Versions looked_at;
  for (const catalog::TableDef* table : catalog->Tables()) {
    if (HasChanged(txn.get(), *table)) {
      TURDB_ASSIGN_OR_RETURN(const uint64_t gain, PagesToGain(txn.get(), *table, false));
      if (gain > 0) {
        const ObjectId id = table->id;
        txn = nullptr;
        return Rebuild(id);
      }
    }
    Remember(txn.get(), *table, &looked_at);
  }
  looked_at_ = std::move(looked_at);
  return false;
}

absl::StatusOr<bool> AutoVacuum::Rebuild(ObjectId id) {
  auto txn = store_->Begin();
  const absl::Status started = txn->StartWriting(std::chrono::milliseconds(0));
  if (KindOf(started) == ErrorKind::kBusy) {
    Postpone();
    return true;
  }
  TURDB_RETURN_IF_ERROR(started);
  TURDB_ASSIGN_OR_RETURN(const auto catalog, catalog::LoadCatalog(cache_, txn.get()));
  const auto tables = catalog->Tables();
  const auto found = std::find_if(tables.begin(), tables.end(), [id](const catalog::TableDef* table) { return table->id == id; });
  if (found == tables.end()) return true;
  VacuumOptions options;
  options.space = {txn->temp_place(), memory_bytes_.load()};
  options.progress = [this](uint64_t, uint64_t) {
    return must_yield_() ? InterruptedError("automatic vacuum gives way") : absl::OkStatus();
  };
  const absl::Status rebuilt = VacuumTable(txn.get(), **found, options);
  if (KindOf(rebuilt) == ErrorKind::kInterrupted) {
    txn->Rollback();
    counters_.yielded.fetch_add(1);
    Postpone();
    return true;
  }
  TURDB_RETURN_IF_ERROR(rebuilt);
  TURDB_RETURN_IF_ERROR(txn->Commit(txn::Synchronous::kFull));
  counters_.vacuumed.fetch_add(1);
  pause_ = kFirstPause;
  return true;
}

}  // namespace turdb::engine
