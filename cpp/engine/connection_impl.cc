#include "engine/connection_impl.h"

#include <utility>

#include "absl/hash/hash.h"
#include "base/errors.h"
#include "base/out_of_memory.h"
#include "base/status_macros.h"
#include "engine/pragma_functions.h"
#include "engine/result_impl.h"
#include "engine/shaped_statement.h"
#include "engine/system_views.h"

namespace turdb::engine {
namespace {

constexpr size_t kCachedStatements = 128;  // as Python's sqlite3

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const OpenOptions& options) {
  RegisterPragmaFunctions();
  RegisterSystemViews();
  KeepMemoryReserve();
  return OrOutOfMemory([&]() -> absl::StatusOr<std::unique_ptr<Connection>> {
    TURDB_ASSIGN_OR_RETURN(auto database, Database::Open(options));
    return std::unique_ptr<Connection>(std::make_unique<ConnectionImpl>(std::move(database), options));
  });
}

ConnectionImpl::ConnectionImpl(std::shared_ptr<Database> database, const OpenOptions& options)
    : state_(std::make_shared<ConnectionState>()), path_(options.path), cache_(kCachedStatements) {
  state_->database = std::move(database);
  state_->connection_id = state_->database->transactions().NewConnection();
  state_->timeout = std::chrono::milliseconds(options.timeout_ms);
  state_->process_id = env::PosixEnv()->ProcessId();
  state_->is_read_only = options.is_read_only;
  if (options.page_cache_bytes > 0) {
    state_->SetStatementMemory(std::max(options.page_cache_bytes, kLeastStatementMemory));
  }
}

ConnectionImpl::~ConnectionImpl() { Close().IgnoreError(); }

absl::Status ConnectionImpl::Close() {
  std::shared_ptr<Database> last;  // goes after the mutex is released: closing the database may take a while
  std::lock_guard lock(state_->mutex);
  if (state_->database == nullptr) return absl::OkStatus();
  absl::Status status;
  while (!state_->open_results.empty()) state_->open_results.front()->Close();
  if (state_->transaction != nullptr) status = state_->Rollback();
  cache_.Clear();
  last = std::move(state_->database);
  state_->database = nullptr;
  return status;
}

bool ConnectionImpl::WasSeen(const std::string& shape) {
  const uint64_t hash = absl::HashOf(shape);
  return std::exchange(seen_shapes_[hash % seen_shapes_.size()], hash) == hash;
}

// A shape is prepared when it comes for the second time: a text that is sent once is prepared as it is.
std::shared_ptr<Statement> ConnectionImpl::FindByShape(std::string_view sql) {
  if (!FindShape(sql, &shape_)) return nullptr;
  auto statement = cache_.Find(shape_.text);
  if (statement == nullptr) {
    if (!WasSeen(shape_.text)) return nullptr;
    size_t consumed = 0;
    auto parsed = sql::ParseStatement(shape_.text, &consumed);
    const bool is_whole = parsed.ok() && consumed == shape_.text.size() && parsed->parameter_count == shape_.values.size();
    if (!is_whole) return nullptr;  // the text itself is parsed then, and its errors are told
    auto created = StatementImpl::Create(state_, *std::move(parsed));
    if (!created.ok()) return nullptr;
    statement = *std::move(created);
    if (statement->text() == shape_.text) cache_.Put(statement);
  }
  return std::make_shared<ShapedStatement>(state_, std::move(statement), shape_.values, std::string(sql));
}

absl::StatusOr<std::shared_ptr<Statement>> ConnectionImpl::Prepare(std::string_view sql, size_t* consumed) {
  std::lock_guard lock(state_->mutex);
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  return state_->WithinMemory(/*may_change=*/false, [&] { return PrepareLocked(sql, consumed); });
}

absl::StatusOr<std::shared_ptr<Statement>> ConnectionImpl::PrepareLocked(std::string_view sql, size_t* consumed) {
  if (auto cached = cache_.Find(sql)) {
    *consumed = sql.size();
    return std::shared_ptr<Statement>(std::move(cached));
  }
  if (auto shaped = FindByShape(sql)) {
    *consumed = sql.size();
    return shaped;
  }
  TURDB_ASSIGN_OR_RETURN(sql::ParsedStatement parsed, sql::ParseStatement(sql, consumed));
  if (parsed.statement == nullptr) return std::shared_ptr<Statement>();
  TURDB_ASSIGN_OR_RETURN(auto statement, StatementImpl::Create(state_, std::move(parsed)));
  if (*consumed == sql.size() && statement->text() == sql) cache_.Put(statement);
  return std::shared_ptr<Statement>(std::move(statement));
}

bool ConnectionImpl::in_transaction() const {
  std::lock_guard lock(state_->mutex);
  return state_->transaction != nullptr;
}

void ConnectionImpl::set_timeout_ms(uint64_t timeout_ms) {
  std::lock_guard lock(state_->mutex);
  state_->timeout = std::chrono::milliseconds(timeout_ms);
}

void ConnectionImpl::SetProgress(std::function<absl::Status(const ProgressReport&)> progress) {
  std::lock_guard lock(state_->mutex);
  state_->progress = std::move(progress);
}

absl::Status ConnectionImpl::CreateScalar(sql::ScalarFunction function) {
  std::lock_guard lock(state_->mutex);
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  state_->functions.Add(std::move(function));
  return absl::OkStatus();
}

absl::Status ConnectionImpl::CreateAggregate(sql::AggregateFunction function) {
  std::lock_guard lock(state_->mutex);
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  state_->functions.Add(std::move(function));
  return absl::OkStatus();
}

absl::Status ConnectionImpl::CreateCollation(std::string_view name, std::function<int(std::string_view, std::string_view)> compare) {
  std::lock_guard lock(state_->mutex);
  TURDB_RETURN_IF_ERROR(state_->CheckUsable());
  state_->functions.BumpVersion();
  return state_->functions.collations()->Register(name, std::move(compare)).status();
}

txn::StoreStats ConnectionImpl::stats() const {
  std::lock_guard lock(state_->mutex);
  return state_->database == nullptr ? txn::StoreStats() : state_->database->store()->stats();
}

}  // namespace turdb::engine
