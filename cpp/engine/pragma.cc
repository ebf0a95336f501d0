#include "engine/pragma.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "absl/strings/numbers.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "engine/application_numbers.h"
#include "engine/auto_vacuum.h"
#include "engine/execution.h"
#include "engine/vacuum.h"
#include "sql/bind/table_functions.h"
#include "format/page.h"
#include "sql/plan/planner.h"

namespace turdb::engine {
namespace {

// The value given: as text, and as an integer where it is one (ON, TRUE, YES are 1).
struct Given {
  bool is_present = false;
  bool is_integer = false;
  int64_t integer = 0;
  std::string text;
};

Given ReadValue(const sql::Pragma& pragma) {
  Given given;
  if (pragma.value == nullptr) return given;
  given.is_present = true;
  const sql::LiteralExpr& literal = *pragma.value;
  switch (literal.literal) {
    case sql::LiteralKind::kInteger: given.integer = literal.integer; given.is_integer = true; break;
    case sql::LiteralKind::kReal: given.integer = static_cast<int64_t>(literal.real); given.is_integer = true; break;
    case sql::LiteralKind::kTrue: given.integer = 1; given.is_integer = true; given.text = "on"; return given;
    case sql::LiteralKind::kFalse: given.is_integer = true; given.text = "off"; return given;
    default: given.text = std::string(literal.text);
  }
  if (given.is_integer) {
    given.text = std::to_string(given.integer);
    return given;
  }
  for (const char* on : {"on", "true", "yes"}) {
    if (EqualsIgnoreCase(given.text, on)) given.integer = 1, given.is_integer = true;
  }
  for (const char* off : {"off", "false", "no"}) {
    if (EqualsIgnoreCase(given.text, off)) given.is_integer = true;
  }
  if (!given.is_integer) given.is_integer = absl::SimpleAtoi(given.text, &given.integer);
  return given;
}

PragmaResult Nothing() { return {{}, RowBuffer(0)}; }

PragmaResult One(std::string_view name, Value value) {
  PragmaResult result{{}, RowBuffer(1)};
  sql::ResultColumnInfo column;
  column.name = std::string(name);
  result.columns.push_back(std::move(column));
  result.rows.Add({std::move(value)});
  return result;
}

absl::Status Expect(bool is_right, std::string_view name, std::string_view what) {
  return is_right ? absl::OkStatus() : BadValueError("PRAGMA ", name, " takes ", what);
}

using Handler = absl::StatusOr<PragmaResult> (*)(ConnectionState* state, std::string_view name, const Given& given);

absl::StatusOr<PragmaResult> SynchronousPragma(ConnectionState* state, std::string_view name, const Given& given) {
  if (!given.is_present) return One(name, Value::Integer(static_cast<int>(state->synchronous)));
  static constexpr std::string_view kLevels[] = {"off", "normal", "full", "extra"};
  for (int level = 0; level < 4; ++level) {
    if (EqualsIgnoreCase(given.text, kLevels[level]) || (given.is_integer && given.integer == level && given.text == std::to_string(level))) {
      state->synchronous = static_cast<txn::Synchronous>(std::min(level, 2));
      return Nothing();
    }
  }
  return BadValueError("PRAGMA synchronous takes OFF, NORMAL or FULL, not ", given.text);
}

absl::StatusOr<PragmaResult> EfSearch(ConnectionState* state, std::string_view name, const Given& given) {
  if (given.is_present) {
    TURDB_RETURN_IF_ERROR(Expect(given.is_integer && given.integer >= 1 && given.integer <= 100000, name, "an integer from 1 to 100000"));
    state->settings.hnsw_ef_search = static_cast<uint32_t>(given.integer);
  }
  return One(name, Value::Integer(state->settings.hnsw_ef_search));
}

absl::StatusOr<PragmaResult> Absorb(ConnectionState* state, std::string_view name, const Given& given) {
  if (EqualsIgnoreCase(given.text, "sync")) {
    if (state->transaction != nullptr) return MisuseError("PRAGMA hnsw_absorb=sync cannot run inside a transaction: commit first");
    const int threads = state->settings.threads > 0 ? state->settings.threads : static_cast<int>(std::thread::hardware_concurrency());
    TURDB_ASSIGN_OR_RETURN(const uint64_t absorbed, state->database->AbsorbNow(std::max(1, threads)));
    return One(name, Value::Integer(static_cast<int64_t>(absorbed)));
  }
  const bool is_on = EqualsIgnoreCase(given.text, "background");
  TURDB_RETURN_IF_ERROR(Expect(is_on || EqualsIgnoreCase(given.text, "off"), name, "sync, background or off"));
  state->database->set_background_absorb(is_on);
  return Nothing();
}

absl::StatusOr<PragmaResult> Threads(ConnectionState* state, std::string_view name, const Given& given) {
  if (given.is_present) {
    TURDB_RETURN_IF_ERROR(Expect(given.is_integer && given.integer >= 0 && given.integer <= 1024, name, "an integer from 0 (all) to 1024"));
    state->settings.threads = static_cast<int>(given.integer);
  }
  return One(name, Value::Integer(state->settings.threads));
}

absl::StatusOr<PragmaResult> StatementMemory(ConnectionState* state, std::string_view name, const Given& given) {
  if (given.is_present) {
    TURDB_RETURN_IF_ERROR(Expect(given.is_integer && given.integer >= 1, name, "a positive number of bytes"));
    state->SetStatementMemory(static_cast<uint64_t>(given.integer));
  }
  return One(name, Value::Integer(static_cast<int64_t>(state->settings.statement_memory)));
}

absl::StatusOr<PragmaResult> BusyTimeout(ConnectionState* state, std::string_view, const Given& given) {
  if (given.is_present) state->timeout = std::chrono::milliseconds(std::max<int64_t>(0, given.integer));
  return One("timeout", Value::Integer(state->timeout.count()));
}

absl::StatusOr<PragmaResult> QueryOnly(ConnectionState* state, std::string_view name, const Given& given) {
  if (!given.is_present) return One(name, Value::Integer(state->is_query_only));
  state->is_query_only = given.integer != 0;
  return Nothing();
}

absl::StatusOr<PragmaResult> JournalMode(ConnectionState*, std::string_view name, const Given&) { return One(name, Value::Text("wal")); }

// turdb declares foreign keys and does not enforce them, which is SQLite's default, too.
absl::StatusOr<PragmaResult> ForeignKeys(ConnectionState*, std::string_view name, const Given& given) {
  return given.is_present ? Nothing() : One(name, Value::Integer(0));
}

absl::StatusOr<PragmaResult> WalCheckpoint(ConnectionState* state, std::string_view name, const Given& given) {
  if (state->transaction != nullptr) return MisuseError("PRAGMA wal_checkpoint cannot run inside a transaction: commit first");
  static constexpr std::string_view kModes[] = {"passive", "full", "restart", "truncate"};
  auto mode = txn::CheckpointMode::kFull;
  if (given.is_present) {
    const auto found = std::find_if(std::begin(kModes), std::end(kModes), [&given](std::string_view text) { return EqualsIgnoreCase(given.text, text); });
    TURDB_RETURN_IF_ERROR(Expect(found != std::end(kModes), name, "PASSIVE, FULL, RESTART or TRUNCATE"));
    mode = static_cast<txn::CheckpointMode>(found - std::begin(kModes));
  }
  auto checkpointed = state->database->store()->Checkpoint(mode);
  if (!checkpointed.ok() && KindOf(checkpointed.status()) != ErrorKind::kBusy) return checkpointed.status();
  const bool is_complete = checkpointed.ok() && *checkpointed;
  const txn::StoreStats stats = state->database->store()->stats();
  PragmaResult result{{}, RowBuffer(3)};
  for (const char* name : {"busy", "log", "checkpointed"}) {
    sql::ResultColumnInfo column;
    column.name = name;
    result.columns.push_back(std::move(column));
  }
  result.rows.Add({Value::Integer(is_complete ? 0 : 1), Value::Integer(static_cast<int64_t>(stats.wal_bytes)),
                   Value::Integer(static_cast<int64_t>(stats.pages_checkpointed))});
  return result;
}

// Who reads beside this process, and how far back: what keeps a checkpoint from getting on.
absl::StatusOr<PragmaResult> ReadingProcesses(ConnectionState* state, std::string_view, const Given&) {
  const txn::StoreStats stats = state->database->store()->stats();
  PragmaResult result{{}, RowBuffer(4)};
  for (const char* name : {"processes", "oldest_lsn", "oldest_pid", "log_bytes"}) {
    sql::ResultColumnInfo column;
    column.name = name;
    result.columns.push_back(std::move(column));
  }
  const bool has_oldest = stats.oldest_reader_pid != 0;
  result.rows.Add({Value::Integer(stats.reading_processes),
                   has_oldest ? Value::Integer(static_cast<int64_t>(stats.oldest_reader_lsn.value())) : Value(),
                   has_oldest ? Value::Integer(static_cast<int64_t>(stats.oldest_reader_pid)) : Value(),
                   Value::Integer(static_cast<int64_t>(stats.wal_bytes))});
  return result;
}

absl::StatusOr<PragmaResult> AutoCheckpoint(ConnectionState* state, std::string_view name, const Given& given) {
  if (!given.is_present) return Nothing();
  TURDB_RETURN_IF_ERROR(Expect(given.is_integer && given.integer > 0, name, "a positive number of pages"));
  state->database->store()->set_checkpoint_bytes(static_cast<uint64_t>(given.integer) * format::kPageBytes);
  return One(name, Value::Integer(given.integer));
}

// A positive number counts pages, a negative one KiB, as in SQLite; a page has 16 KiB. 0 keeps no version in memory that can be
// spilled. One cache a database, for all its connections.
absl::StatusOr<PragmaResult> CacheSize(ConnectionState* state, std::string_view name, const Given& given) {
  txn::Store* store = state->database->store();
  if (!given.is_present) {
    const uint64_t bytes = store->stats().cache_limit_bytes;
    return One(name, Value::Integer(-static_cast<int64_t>(bytes >> 10)));
  }
  constexpr int64_t kMost = int64_t{1} << 40;
  TURDB_RETURN_IF_ERROR(Expect(given.is_integer && given.integer > -kMost && given.integer < kMost, name, "a number of pages, or a negative number of KiB"));
  const uint64_t unit = given.integer < 0 ? 1024 : format::kPageBytes;
  const uint64_t bytes = static_cast<uint64_t>(std::abs(given.integer)) * unit;
  store->set_page_cache_bytes(bytes);
  state->SetStatementMemory(std::max(bytes, kLeastStatementMemory));
  return Nothing();
}

absl::StatusOr<PragmaResult> CacheSpill(ConnectionState* state, std::string_view name, const Given& given) {
  txn::Store* store = state->database->store();
  if (!given.is_present) return One(name, Value::Integer(store->is_spilling() ? static_cast<int64_t>(store->stats().cache_limit_bytes / format::kPageBytes) : 0));
  TURDB_RETURN_IF_ERROR(Expect(given.is_integer, name, "on or off"));
  store->set_spilling(given.integer != 0);
  return Nothing();
}

absl::StatusOr<PragmaResult> CheckpointInterval(ConnectionState* state, std::string_view name, const Given& given) {
  constexpr int64_t kMostSeconds = 1'000'000'000;
  txn::Store* store = state->database->store();
  if (given.is_present) {
    TURDB_RETURN_IF_ERROR(Expect(given.is_integer && given.integer >= 0 && given.integer <= kMostSeconds, name, "seconds, or 0 for never"));
    store->set_checkpoint_interval_ms(static_cast<uint64_t>(given.integer) * 1000);
  }
  return One(name, Value::Integer(static_cast<int64_t>(store->checkpoint_interval_ms() / 1000)));
}

absl::StatusOr<PragmaResult> DisabledRules(ConnectionState* state, std::string_view name, const Given& given) {
  if (given.is_present) {
    state->disabled_rules.clear();
    const std::vector<std::string> known = sql::PlannerRuleNames();
    std::string_view rest = given.text;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const std::string rule(rest.substr(0, comma));
      if (std::find(known.begin(), known.end(), rule) == known.end()) return NameError("no such optimizer rule: ", rule);
      state->disabled_rules.push_back(rule);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    state->functions.BumpVersion();  // statements are planned anew
  }
  std::string text;
  for (const std::string& rule : state->disabled_rules) text += (text.empty() ? "" : ",") + rule;
  return One(name, Value::Text(text));
}

absl::StatusOr<PragmaResult> DataVersion(ConnectionState* state, std::string_view name, const Given&) {
  return One(name, Value::Integer(static_cast<int64_t>(state->database->store()->last_commit_lsn().value())));
}

absl::StatusOr<PragmaResult> ApplicationNumberPragma(ConnectionState* state, std::string_view name, const Given& given) {
  const auto which = name == "user_version" ? ApplicationNumber::kUserVersion : ApplicationNumber::kApplicationId;
  TURDB_ASSIGN_OR_RETURN(auto txn, state->StatementTransaction());
  if (!given.is_present) {
    TURDB_ASSIGN_OR_RETURN(const int32_t value, ReadApplicationNumber(txn.get(), which));
    return One(name, Value::Integer(value));
  }
  TURDB_RETURN_IF_ERROR(Expect(given.is_integer, name, "an integer"));
  TURDB_RETURN_IF_ERROR(state->StartWriting(txn.get()));
  if (!state->open_results.empty()) txn->Freeze();
  TURDB_RETURN_IF_ERROR(WriteApplicationNumber(txn.get(), which, static_cast<int32_t>(given.integer)));
  if (state->transaction == nullptr) TURDB_RETURN_IF_ERROR(state->CommitStatement(txn.get()));
  return Nothing();
}

// Fixed by the format: what is asked for is ignored, as SQLite does once a database has tables.
absl::StatusOr<PragmaResult> PageSize(ConnectionState*, std::string_view name, const Given& given) {
  return given.is_present ? Nothing() : One(name, Value::Integer(format::kPageBytes));
}

absl::StatusOr<PragmaResult> AutoVacuumPragma(ConnectionState* state, std::string_view name, const Given& given) {
  TURDB_ASSIGN_OR_RETURN(auto txn, state->StatementTransaction());
  if (!given.is_present) {
    TURDB_ASSIGN_OR_RETURN(const AutoVacuumMode mode, ReadAutoVacuumMode(txn.get()));
    return One(name, Value::Integer(static_cast<int>(mode)));
  }
  static constexpr std::string_view kModes[] = {"none", "full", "incremental"};
  for (int mode = 0; mode < 3; ++mode) {
    if (!EqualsIgnoreCase(given.text, kModes[mode]) && given.text != std::to_string(mode)) continue;
    TURDB_RETURN_IF_ERROR(state->StartWriting(txn.get()));
    if (!state->open_results.empty()) txn->Freeze();
    TURDB_RETURN_IF_ERROR(WriteAutoVacuumMode(txn.get(), static_cast<AutoVacuumMode>(mode)));
    if (state->transaction == nullptr) TURDB_RETURN_IF_ERROR(state->CommitStatement(txn.get()));
    return Nothing();
  }
  return BadValueError("PRAGMA auto_vacuum takes NONE, FULL or INCREMENTAL, not ", given.text);
}

// Rebuilds tables until as many pages as given are gained; all that have any to give without a number.
absl::StatusOr<PragmaResult> IncrementalVacuum(ConnectionState* state, std::string_view name, const Given& given) {
  TURDB_RETURN_IF_ERROR(Expect(!given.is_present || given.is_integer, name, "a number of pages"));
  if (state->transaction != nullptr) return MisuseError("cannot VACUUM from within a transaction");
  const bool is_limited = given.is_present && given.integer > 0;
  TURDB_RETURN_IF_ERROR(VacuumUntil(state, is_limited ? static_cast<uint64_t>(given.integer) : UINT64_MAX));
  return Nothing();
}

struct Entry {
  std::string_view name;
  Handler handler;
};
constexpr Entry kPragmas[] = {
    {"synchronous", SynchronousPragma}, {"hnsw_ef_search", EfSearch},  {"hnsw_absorb", Absorb},
    {"threads", Threads},               {"busy_timeout", BusyTimeout}, {"query_only", QueryOnly},
    {"journal_mode", JournalMode},      {"foreign_keys", ForeignKeys}, {"wal_checkpoint", WalCheckpoint},
    {"reading_processes", ReadingProcesses},
    {"wal_autocheckpoint", AutoCheckpoint}, {"disabled_optimizer_rules", DisabledRules}, {"data_version", DataVersion},
    {"auto_vacuum", AutoVacuumPragma},  {"incremental_vacuum", IncrementalVacuum},
    {"checkpoint_interval", CheckpointInterval},
    {"cache_size", CacheSize},          {"cache_spill", CacheSpill},
    {"statement_memory", StatementMemory},
    {"user_version", ApplicationNumberPragma}, {"application_id", ApplicationNumberPragma},
    {"page_size", PageSize},
};

// PRAGMA table_info(t) is SELECT * FROM pragma_table_info('t').
absl::StatusOr<PragmaResult> SelectPragma(ConnectionState* state, const sql::TableFunctionDef& def, const Given& given) {
  std::string text = "SELECT ";
  PragmaResult result{{}, RowBuffer(def.columns.size())};
  for (size_t i = 0; i < def.columns.size(); ++i) text += Cat(i == 0 ? "\"" : ", \"", def.columns[i], "\"");
  const bool takes_argument = !def.hidden_columns.empty() && def.hidden_columns[0] == "arg";
  text += Cat(" FROM ", def.name, given.is_present && takes_argument ? "(?)" : "");
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(sql::ParsedStatement parsed, sql::ParseStatement(text, &consumed));
  TURDB_ASSIGN_OR_RETURN(auto txn, state->StatementTransaction());
  TURDB_ASSIGN_OR_RETURN(auto catalog, state->Catalog(txn.get()));
  TURDB_ASSIGN_OR_RETURN(auto plan, MakePlan(parsed, state, txn.get(), std::move(catalog)));
  TURDB_ASSIGN_OR_RETURN(auto execution, MakeExecution(plan, state));
  std::vector<Value> parameters;
  if (parsed.parameter_count > 0) parameters.push_back(Value::Text(given.text));
  StartExecution(execution.get(), state, txn.get(), parameters);
  TURDB_RETURN_IF_ERROR(execution->root->Open());
  ColumnBatch batch;
  do {
    TURDB_RETURN_IF_ERROR(execution->root->Next(&batch));
    TURDB_RETURN_IF_ERROR(result.rows.AddBatch(batch));
  } while (batch.size > 0);
  execution->root->Close();
  result.columns = plan->bound.columns;
  return result;
}

}  // namespace

absl::StatusOr<PragmaResult> RunPragma(ConnectionState* state, const sql::Pragma& pragma) {
  const std::string name = AsciiLowerCopy(pragma.name.name.text);
  const Given given = ReadValue(pragma);
  for (const Entry& entry : kPragmas) {
    if (entry.name == name) return entry.handler(state, name, given);
  }
  const sql::TableFunctionDef* def = sql::DescribeTableFunction(Cat("pragma_", name));
  return def != nullptr ? SelectPragma(state, *def, given) : Nothing();
}

}  // namespace turdb::engine
