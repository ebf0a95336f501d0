#include "engine/database.h"

#include <chrono>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/per_process.h"
#include "base/status_macros.h"
#include "table/table_writer.h"

namespace turdb::engine {
namespace {

constexpr uint64_t kLeastTail = 1024;       // shorter tails are scanned exactly in microseconds
constexpr uint64_t kAbsorbBatch = 512;      // vectors a background transaction: tens of milliseconds
constexpr auto kMaintenanceDelay = std::chrono::milliseconds(50);  // after a commit, so that bursts are taken together
constexpr auto kSyncWait = std::chrono::seconds(5);  // of PRAGMA hnsw_absorb=sync, for those who write

struct Registry {
  std::mutex mutex;  // guards what follows
  std::condition_variable opened;
  absl::flat_hash_map<std::string, std::weak_ptr<Database>> databases;
  absl::flat_hash_set<std::string> opening;  // keys
};

// Of all that are being made: who makes one does not know its identity yet.
constexpr char kNewKey[] = "new";

std::string ReadingKey(const std::string& key) { return key + " read-only"; }

bool IsMemory(std::string_view path) { return path.substr(0, 8) == ":memory:"; }

// A database is made inside a folder that is there: a mistyped path does not leave folders behind.
absl::Status CheckParent(env::Env* env, const std::string& path) {
  const size_t slash = path.find_last_of('/', path.find_last_not_of('/'));
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  if (env->DirExists(parent)) return absl::OkStatus();
  return IoError("unable to open database '", path, "': there is no folder '", parent, "'");
}

absl::Status CreateSystem(txn::Store* store) {
  auto txn = store->Begin();
  TURDB_ASSIGN_OR_RETURN(auto view, txn->View(txn::kCatalogFile));
  if (view.page_count() > 1) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(txn->StartWriting(std::chrono::milliseconds(5000)));
  TURDB_RETURN_IF_ERROR(catalog::InitialiseCatalog(txn.get()));
  return txn->Commit(txn::Synchronous::kFull);
}

// Another process may be making the database at this moment: it commits the catalog's tables after the catalog's file.
absl::Status WaitUntilCreated(txn::Store* store, env::Env* env, const OpenOptions& options) {
  const uint64_t deadline = env->MonotonicMicros() + options.timeout_ms * 1000;
  while (true) {
    auto txn = store->Begin();
    TURDB_ASSIGN_OR_RETURN(auto view, txn->View(txn::kCatalogFile));
    if (view.page_count() > 1) return absl::OkStatus();
    if (env->MonotonicMicros() >= deadline) {
      return CorruptionError("database '", options.path, "' has no catalog yet: its creation was interrupted");
    }
    if (options.check_interrupt) TURDB_RETURN_IF_ERROR(options.check_interrupt());
    env->SleepMicros(1000);
  }
}

}  // namespace

Database::Database(std::string path, std::unique_ptr<env::Env> memory_env, std::unique_ptr<txn::Store> store)
    : path_(std::move(path)),
      memory_env_(std::move(memory_env)),
      store_(std::move(store)),
      catalog_cache_(catalog::NewCatalogCache()),
      auto_vacuum_(store_.get(), catalog_cache_.get(), [this] { return MustYield(); }) {}

namespace {

// What a database of the process is found by. A missing path has no identity yet.
struct Identity {
  explicit Identity(const OpenOptions& options) {
    is_memory = options.env == nullptr && IsMemory(options.path);
    is_private = options.env == nullptr && (options.path == ":memory:" || options.path.empty());
    Find(options);
  }
  void Find(const OpenOptions& options) {
    key = options.path;
    if (is_memory || is_private) return;
    env::Env* const env = options.env != nullptr ? options.env : env::PosixEnv();
    const std::string place = options.env != nullptr ? Cat(reinterpret_cast<uintptr_t>(env), ":") : "";
    const auto canonical = env->CanonicalPath(options.path);
    key = canonical.ok() ? place + *canonical : kNewKey;
  }
  bool is_memory, is_private;
  std::string key;
};

// Who only reads shares a database that this process writes; who writes needs one that is open for that.
// REQUIRES: the registry's mutex.
std::shared_ptr<Database> FindOpen(Registry* registry, const std::string& key, const OpenOptions& options) {
  for (const std::string& each : {key, ReadingKey(key)}) {
    if (auto found = registry->databases.find(each); found != registry->databases.end()) {
      if (auto database = found->second.lock()) {
        if (options.page_cache_bytes > 0) database->store()->set_page_cache_bytes(options.page_cache_bytes);
        return database;
      }
      registry->databases.erase(found);
    }
    if (!options.is_read_only) break;
  }
  return nullptr;
}

// One thread opens a database; others that want it wait for that, as long as they would for a lock.
class OpeningTurn {
 public:
  explicit OpeningTurn(Registry* registry) : registry_(registry) {}
  ~OpeningTurn() {
    if (key_.empty()) return;
    std::lock_guard guard(registry_->mutex);
    registry_->opening.erase(key_);
    registry_->opened.notify_all();
  }
  // The database when it is open; otherwise this thread is to open it.
  absl::StatusOr<std::shared_ptr<Database>> Take(Identity* identity, const OpenOptions& options) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(options.timeout_ms);
    std::unique_lock lock(registry_->mutex);
    while (true) {
      identity->Find(options);
      if (auto database = FindOpen(registry_, identity->key, options)) return database;
      if (!registry_->opening.contains(identity->key) && !registry_->opening.contains(kNewKey)) break;
      if (std::chrono::steady_clock::now() >= deadline) {
        return BusyError("'", options.path, "' is locked: another thread has been opening it for the whole timeout");
      }
      registry_->opened.wait_for(lock, std::chrono::milliseconds(20));
      if (!options.check_interrupt) continue;
      lock.unlock();
      TURDB_RETURN_IF_ERROR(options.check_interrupt());
      lock.lock();
    }
    key_ = identity->key;
    registry_->opening.insert(key_);
    return nullptr;
  }

 private:
  Registry* const registry_;
  std::string key_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<Database>> Database::Open(const OpenOptions& options) {
  Registry& registry = PerProcess<Registry>::Get();
  Identity identity(options);
  OpeningTurn turn(&registry);
  if (!identity.is_private) {
    TURDB_ASSIGN_OR_RETURN(std::shared_ptr<Database> open, turn.Take(&identity, options));
    if (open != nullptr) return open;
  }
  TURDB_ASSIGN_OR_RETURN(std::shared_ptr<Database> database, OpenNew(options, identity.is_memory || identity.is_private));
  identity.Find(options);  // one that was missing has an identity now
  if (!identity.is_private && identity.key != kNewKey) {
    std::lock_guard guard(registry.mutex);
    registry.databases[options.is_read_only ? ReadingKey(identity.key) : identity.key] = database;
  }
  return database;
}

absl::StatusOr<std::shared_ptr<Database>> Database::OpenNew(const OpenOptions& options, bool is_memory) {
  txn::StoreOptions store_options;
  store_options.is_read_only = options.is_read_only;
  store_options.create_if_missing = options.create_if_missing;
  store_options.lock_timeout_ms = options.timeout_ms;
  store_options.check_interrupt = options.check_interrupt;
  if (options.page_cache_bytes > 0) store_options.page_cache_bytes = options.page_cache_bytes;
  std::unique_ptr<env::Env> memory_env;
  if (is_memory) memory_env = env::NewMemoryEnv();
  env::Env* const env = is_memory ? memory_env.get() : options.env != nullptr ? options.env : env::PosixEnv();
  const std::string path = is_memory ? "memory" : options.path;
  if (env == env::PosixEnv()) TURDB_RETURN_IF_ERROR(CheckParent(env, path));
  TURDB_ASSIGN_OR_RETURN(auto store, txn::Store::Open(env, path, store_options));
  if (options.is_read_only) {
    TURDB_RETURN_IF_ERROR(WaitUntilCreated(store.get(), env, options));
  } else {
    TURDB_RETURN_IF_ERROR(CreateSystem(store.get()));
  }
  // A forked child has none of the threads: it leaves the object behind, for waiting for them would never end.
  const auto destroy = [process_id = env->ProcessId()](Database* database) {
    if (env::PosixEnv()->ProcessId() == process_id) delete database;
  };
  return std::shared_ptr<Database>(new Database(options.path, std::move(memory_env), std::move(store)), destroy);
}

Database::~Database() {
  {
    std::lock_guard lock(maintenance_mutex_);
    is_stopping_ = true;
    maintenance_wake_.notify_all();
  }
  if (maintenance_.joinable()) maintenance_.join();
  store_->Close().IgnoreError();  // what could not be checkpointed stays in the log and is recovered at the next open
}

void Database::NotifyCommit() {
  // Most commits find the thread told already: waking it for each would cost as much as the commit.
  if (is_work_pending_.exchange(true)) return;
  std::lock_guard lock(maintenance_mutex_);
  if (is_stopping_) return;
  if (!maintenance_.joinable()) {
    try {
      maintenance_ = std::thread([this] { RunMaintenance(); });
    } catch (const std::system_error&) {
      is_work_pending_.store(false);  // no thread to be had: the next commit tries again
    }
  } else {
    maintenance_wake_.notify_all();
  }
}

void Database::set_background_absorb(bool is_on) {
  std::lock_guard lock(maintenance_mutex_);
  is_absorbing_ = is_on;
}

void Database::RunMaintenance() {
  std::unique_lock lock(maintenance_mutex_);
  while (!is_stopping_) {
    maintenance_wake_.wait(lock, [this] { return is_work_pending_.load() || is_stopping_; });
    const auto delay = std::chrono::steady_clock::now() + kMaintenanceDelay;
    maintenance_wake_.wait_until(lock, delay, [this] { return is_stopping_.load(); });
    if (is_stopping_) return;
    is_work_pending_.exchange(false);  // the commits that set it are seen by what follows, later ones set it again
    lock.unlock();
    if (IsMemoryLow()) KeepMemoryReserve();
    const auto has_more = OrOutOfMemory([this]() -> absl::StatusOr<bool> { return Maintain(); });
    lock.lock();
    if (has_more.ok() && *has_more) is_work_pending_.store(true);
  }
}

bool Database::MustYield() const {
  return is_stopping_ || !transactions_.is_empty() || store_->stats().locks.waiting > 0;
}

bool Database::Maintain() {
  bool is_absorbing;
  {
    std::lock_guard lock(maintenance_mutex_);
    is_absorbing = is_absorbing_;
  }
  uint64_t absorbed = 0;
  if (is_absorbing) {
    const auto more = AbsorbStep({kLeastTail, kAbsorbBatch, 1, std::chrono::milliseconds(0)}, &absorbed);
    if (more.ok() && *more) return true;
  }
  // A vacuum changes the schema's files: transactions that have read would conflict with it.
  if (!transactions_.is_empty()) return true;
  const auto more = auto_vacuum_.Step();
  return more.ok() && *more;
}

absl::StatusOr<uint64_t> Database::AbsorbIndex(const catalog::TableDef& table, const catalog::IndexDef& index,
                                               const AbsorbBatch& batch) {
  auto writer = store_->Begin();
  writer->set_lock_wait({batch.wait, nullptr});
  TURDB_RETURN_IF_ERROR(writer->StartSharedWriting());
  TURDB_RETURN_IF_ERROR(writer->LockTable(table.file, table.name, txn::LockMode::kExclusive).status());
  TURDB_ASSIGN_OR_RETURN(auto now, catalog::LoadCatalog(catalog_cache_.get(), writer.get()));
  const catalog::IndexDef* current = now->FindIndex(index.schema, index.name);
  const catalog::TableDef* owner = now->FindTable(table.schema, table.name);
  const bool is_there = current != nullptr && owner != nullptr && current->id == index.id && owner->file == table.file;
  if (!is_there) return uint64_t{0};
  TURDB_ASSIGN_OR_RETURN(const uint64_t done,
                         table::AbsorbTail(writer.get(), *owner, *current, batch.limit, batch.threads));
  TURDB_RETURN_IF_ERROR(writer->Commit(txn::Synchronous::kNormal));
  return done;
}

absl::StatusOr<bool> Database::AbsorbStep(const AbsorbBatch& batch, uint64_t* absorbed) {
  auto txn = store_->Begin();
  TURDB_ASSIGN_OR_RETURN(auto catalog, catalog::LoadCatalog(catalog_cache_.get(), txn.get()));
  bool is_work_left = false;
  for (const catalog::TableDef* table : catalog->Tables()) {
    for (const catalog::IndexDef& index : table->indexes) {
      if (index.kind != catalog::IndexKind::kHnsw) continue;
      TURDB_ASSIGN_OR_RETURN(const uint64_t tail, table::TailLength(txn.get(), *table, index));
      if (tail < batch.least_tail || tail == 0) continue;
      is_work_left = true;
      const auto done = AbsorbIndex(*table, index, batch);
      if (KindOf(done.status()) == ErrorKind::kBusy) continue;  // being written: the next round
      TURDB_RETURN_IF_ERROR(done.status());
      *absorbed += *done;
      if (*done > 0) return true;
    }
  }
  return is_work_left;
}

absl::StatusOr<uint64_t> Database::AbsorbNow(int threads) {
  uint64_t absorbed = 0;
  while (true) {
    const uint64_t before = absorbed;
    TURDB_ASSIGN_OR_RETURN(const bool more, AbsorbStep({1, 1 << 16, threads, kSyncWait}, &absorbed));
    if (!more || absorbed == before) return absorbed;
  }
}

}  // namespace turdb::engine
