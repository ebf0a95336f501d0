#include "engine/auto_vacuum.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/table_files.h"
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
// Leaves are thin from two fifths of room on: trees that live, with rows coming and going at random, have a quarter to a third.
constexpr uint64_t kThinFifths = 2;
// The least pause between looks that read leaves, and how many times as long as the look it is.
constexpr std::chrono::milliseconds kSamplePause(1000);
constexpr int kSamplePauseFactor = 20;
constexpr uint64_t kLeastPages = kLeastBytes / format::kPageBytes;

uint64_t DeadPages(const table::FileSpace& file) { return file.free_pages + file.dead_bytes / format::kPageBytes; }

bool IsDue(const table::FileSpace& file) {
  const uint64_t dead = DeadPages(file);
  return dead * format::kPageBytes >= kLeastBytes && dead * (file.is_tree() ? kTreeShare : kVectorShare) >= file.pages;
}

bool IsThin(const table::FileSpace& file) {
  return file.unused_bytes >= kLeastBytes && file.unused_bytes * 5 >= (file.unused_bytes + file.live_bytes) * kThinFifths;
}

uint64_t LiveBytes(const std::vector<table::FileSpace>& files) {
  uint64_t live = 0;
  for (const table::FileSpace& file : files) live += file.live_bytes;
  return live;
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

absl::StatusOr<uint64_t> PagesToGain(txn::Transaction* txn, const catalog::TableDef& table) {
  TURDB_ASSIGN_OR_RETURN(std::vector<table::FileSpace> files, table::TableSpace(txn, table));
  TURDB_RETURN_IF_ERROR(table::SampleLeaves(txn, table, kLeastPages, &files));
  uint64_t gain = 0;
  for (const table::FileSpace& file : files) gain += DeadPages(file) + (IsThin(file) ? file.unused_bytes / format::kPageBytes : 0);
  return gain;
}

bool ThinLeaves::IsDue(ObjectId table, const std::vector<table::FileSpace>& files) {
  const uint64_t live = LiveBytes(files);
  const bool is_thin = std::any_of(files.begin(), files.end(), IsThin);
  const auto most = most_live_bytes_.find(table.value());
  const bool has_lost = most == most_live_bytes_.end() || live < most->second / 4 * 3;
  if (is_thin && has_lost) return true;
  uint64_t& noted = most_live_bytes_[table.value()];
  noted = std::max(noted, live);
  return false;
}

void ThinLeaves::NoteRebuilt(ObjectId table, const std::vector<table::FileSpace>& files) {
  most_live_bytes_[table.value()] = LiveBytes(files);
}

void ThinLeaves::ForgetAllBut(const std::vector<const catalog::TableDef*>& tables) {
  absl::flat_hash_map<uint32_t, uint64_t> kept;
  for (const catalog::TableDef* table : tables) {
    const auto found = most_live_bytes_.find(table->id.value());
    if (found != most_live_bytes_.end()) kept.insert(*found);
  }
  most_live_bytes_ = std::move(kept);
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
  const auto started = std::chrono::steady_clock::now();
  const bool may_sample = started >= sample_at_;
  bool is_all_seen = true;
  for (const catalog::TableDef* table : catalog->Tables()) {
    if (HasChanged(txn.get(), *table)) {
      // One that cannot be read or rebuilt is left alone for now: others are looked at.
      const auto look = LookAt(txn.get(), *table, may_sample);
      if (look.ok() && *look == Look::kDue) {
        Versions versions;
        Remember(txn.get(), *table, &versions);
        const ObjectId id = table->id;
        txn = nullptr;
        auto rebuilt = Rebuild(id);
        if (!rebuilt.ok()) NoteFailure(rebuilt.status(), versions);
        return rebuilt.ok() ? rebuilt : true;
      }
      if (!look.ok()) counters_.failed.fetch_add(1);
      if (look.ok() && *look == Look::kMustSample) {
        is_all_seen = false;
        continue;
      }
    }
    Remember(txn.get(), *table, &looked_at);
  }
  looked_at_ = std::move(looked_at);
  thin_leaves_.ForgetAllBut(catalog->Tables());
  if (may_sample) {
    const auto now = std::chrono::steady_clock::now();
    sample_at_ = now + std::max<std::chrono::steady_clock::duration>(kSamplePause, (now - started) * kSamplePauseFactor);
  }
  if (!is_all_seen) retry_at_ = sample_at_;
  if (is_all_seen && !to_retry_.empty()) {
    for (const auto& [file, version] : to_retry_) looked_at_.erase(file);
    to_retry_.clear();
    Postpone();
    return true;
  }
  return !is_all_seen;
}

// A table that is damaged would fail again until it changes; what a disk without room refuses is tried again later.
void AutoVacuum::NoteFailure(const absl::Status& status, const Versions& versions) {
  counters_.failed.fetch_add(1);
  for (const auto& [file, version] : versions) {
    looked_at_[file] = version;
    if (KindOf(status) != ErrorKind::kCorruption) to_retry_[file] = version;
  }
}

absl::StatusOr<AutoVacuum::Look> AutoVacuum::LookAt(txn::Transaction* txn, const catalog::TableDef& table, bool may_sample) {
  TURDB_ASSIGN_OR_RETURN(std::vector<table::FileSpace> files, table::TableSpace(txn, table));
  if (std::any_of(files.begin(), files.end(), IsDue)) return Look::kDue;
  const auto is_worth_sampling = [](const table::FileSpace& file) { return file.is_tree() && file.pages >= kLeastPages; };
  if (std::none_of(files.begin(), files.end(), is_worth_sampling)) return Look::kNotDue;
  if (!may_sample) return Look::kMustSample;
  TURDB_RETURN_IF_ERROR(table::SampleLeaves(txn, table, kLeastPages, &files));
  return thin_leaves_.IsDue(table.id, files) ? Look::kDue : Look::kNotDue;
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
  TURDB_ASSIGN_OR_RETURN(std::vector<table::FileSpace> files, table::TableSpace(txn.get(), **found));
  TURDB_RETURN_IF_ERROR(table::SampleLeaves(txn.get(), **found, kLeastPages, &files));
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
  thin_leaves_.NoteRebuilt(id, files);
  pause_ = kFirstPause;
  return true;
}

}  // namespace turdb::engine
