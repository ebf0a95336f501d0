#include "bindings/session.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/status_macros.h"
#include "bindings/errors.h"

namespace turdb::bindings {
namespace {

// Where the engine's progress callback looks at the clock and, on the main thread, at pending signals: often enough that
// Ctrl-C feels immediate, seldom enough that taking the interpreter lock costs nothing.
constexpr std::chrono::milliseconds kSignalInterval(20);
constexpr uint32_t kCallsPerLook = 16;  // the engine calls once a statement at least: the clock would be a tenth of an INSERT

bool IsMainThread() {
  static const unsigned long main_thread = [] {
    Ref threading = Ref::Steal(PyImport_ImportModule("threading"));
    Ref thread = threading ? Ref::Steal(PyObject_CallMethod(threading.get(), "main_thread", nullptr)) : Ref();
    Ref ident = thread ? Ref::Steal(PyObject_GetAttrString(thread.get(), "ident")) : Ref();
    const unsigned long value = ident ? PyLong_AsUnsignedLong(ident.get()) : 0;
    PyErr_Clear();
    return value;
  }();
  return PyThread_get_thread_ident() == main_thread;
}

}  // namespace

std::function<absl::Status()> SignalCheck() {
  return []() -> absl::Status {
    GilHeld held;
    if (IsMainThread() && PyErr_CheckSignals() != 0) return StashPythonError(true, "interrupted by a signal");
    return absl::OkStatus();
  };
}

bool IsBlankSql(std::string_view sql) {
  size_t at = 0;
  while (at < sql.size()) {
    const char c = sql[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == ';') {
      ++at;
    } else if (sql.substr(at, 2) == "--") {
      at = sql.find('\n', at);
      if (at == std::string_view::npos) return true;
    } else if (sql.substr(at, 2) == "/*") {
      at = sql.find("*/", at + 2);
      if (at == std::string_view::npos) return true;
      at += 2;
    } else {
      return false;
    }
  }
  return true;
}

bool Session::CheckThread() const {
  if (!check_same_thread || PyThread_get_thread_ident() == thread_id) return true;
  RaiseKind(ErrorKind::kMisuse,
            Cat("turdb objects created in a thread can only be used in that same thread (created in ", thread_id,
                ", used in ", PyThread_get_thread_ident(), "); pass check_same_thread=False to connect() to share them"));
  return false;
}

bool Session::CheckOpen() const {
  if (engine != nullptr) return true;
  RaiseKind(ErrorKind::kMisuse, "Cannot operate on a closed database.");
  return false;
}

std::shared_ptr<engine::Statement> Session::Prepare(PyObject* sql) {
  CachedStatement& cached = cache_[(reinterpret_cast<uintptr_t>(sql) >> 4) % kCachedStatements];
  if (cached.sql.get() == sql) return cached.statement;
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(sql, &size);
  if (text == nullptr) return nullptr;
  if (std::memchr(text, 0, static_cast<size_t>(size)) != nullptr) {
    RaiseKind(ErrorKind::kMisuse, "the query contains a null character");
    return nullptr;
  }
  const std::string_view view(text, static_cast<size_t>(size));
  size_t consumed = 0;
  std::shared_ptr<engine::Connection> connection = engine;
  absl::StatusOr<std::shared_ptr<engine::Statement>> statement = absl::InternalError("");
  {
    GilReleased released;
    statement = connection->Prepare(view, &consumed);
  }
  if (!statement.ok()) {
    RaiseStatus(statement.status());
    return nullptr;
  }
  if (*statement != nullptr && !IsBlankSql(view.substr(consumed))) {
    RaiseKind(ErrorKind::kMisuse, "You can only execute one statement at a time.");
    return nullptr;
  }
  if (*statement == nullptr) return nullptr;
  cached.sql = Ref::Borrow(sql);
  cached.statement = *statement;
  return *std::move(statement);
}

void Session::ForgetStatements() {
  for (CachedStatement& cached : cache_) cached = CachedStatement();
}

absl::Status BeginIfNeeded(engine::Connection* engine, const std::string& begin) {
  return begin.empty() || engine->in_transaction() ? absl::OkStatus() : RunStatement(engine, begin);
}

absl::Status RunStatement(engine::Connection* engine, std::string_view sql) {
  size_t consumed = 0;
  TURDB_ASSIGN_OR_RETURN(auto statement, engine->Prepare(sql, &consumed));
  TURDB_ASSIGN_OR_RETURN(auto result, statement->Execute({}));
  ColumnBatch batch;
  do {
    if (result->columns().empty()) break;
    TURDB_RETURN_IF_ERROR(result->Next(&batch));
  } while (batch.size > 0);
  result->Close();
  return absl::OkStatus();
}

std::unique_ptr<ColumnBatch> Session::TakeBatch() {
  if (spare_batches_.empty()) return std::make_unique<ColumnBatch>();
  auto batch = std::move(spare_batches_.back());
  spare_batches_.pop_back();
  return batch;
}

void Session::GiveBack(std::unique_ptr<ColumnBatch> batch) {
  if (batch == nullptr || spare_batches_.size() >= kSpareBatches) return;
  batch->Clear();
  spare_batches_.push_back(std::move(batch));
}

void Session::Trace(PyObject* sql) {
  if (!trace) return;
  Ref callback = trace;
  Ref result = Ref::Steal(PyObject_CallFunctionObjArgs(callback.get(), sql, nullptr));
  if (!result) PyErr_WriteUnraisable(callback.get());
}

void Session::InstallProgress() {
  std::shared_ptr<engine::Connection> connection = engine;
  if (connection == nullptr) return;
  struct Callbacks {
    PyObject* progress;  // owned; released with the interpreter lock held
    PyObject* report;
    std::atomic<int64_t> next_signal_check{0};
    std::atomic<uint32_t> calls{0};
    Callbacks(PyObject* p, PyObject* r) : progress(p), report(r) {}
    ~Callbacks() {
      if (progress == nullptr && report == nullptr) return;
      GilHeld held;
      Py_XDECREF(progress);
      Py_XDECREF(report);
    }
  };
  auto callbacks = std::make_shared<Callbacks>(progress.NewReference(), report.NewReference());
  auto on_progress = [callbacks](const engine::ProgressReport& event) -> absl::Status {
    const bool has_handler = callbacks->progress != nullptr || callbacks->report != nullptr;
    if (!has_handler && callbacks->calls.fetch_add(1, std::memory_order_relaxed) % kCallsPerLook != 0) return absl::OkStatus();
    const int64_t now = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
    const bool is_due = now >= callbacks->next_signal_check.load(std::memory_order_relaxed);
    if (!is_due && callbacks->progress == nullptr && (callbacks->report == nullptr || event.done < event.total)) {
      return absl::OkStatus();
    }
    callbacks->next_signal_check.store(now + kSignalInterval.count(), std::memory_order_relaxed);
    GilHeld held;
    if (IsMainThread() && PyErr_CheckSignals() != 0) return StashPythonError(true, "interrupted by a signal");
    if (callbacks->progress != nullptr) {
      Ref answer = Ref::Steal(PyObject_CallFunctionObjArgs(callbacks->progress, nullptr));
      const int is_stop = answer ? PyObject_IsTrue(answer.get()) : -1;
      if (is_stop < 0) return StashPythonError(false, "the progress handler raised an error");
      if (is_stop > 0) return InterruptedError("interrupted");
    }
    if (callbacks->report != nullptr) {
      Ref answer = Ref::Steal(PyObject_CallFunction(callbacks->report, "s#KK", event.phase.data(),
                                                    static_cast<Py_ssize_t>(event.phase.size()),
                                                    static_cast<unsigned long long>(event.done),
                                                    static_cast<unsigned long long>(event.total)));
      if (!answer) return StashPythonError(true, "the report handler raised an error");
    }
    return absl::OkStatus();
  };
  GilReleased released;
  connection->SetProgress(std::move(on_progress));
}

int Session::Traverse(visitproc visit, void* arg) {
  Py_VISIT(row_factory.get());
  Py_VISIT(text_factory.get());
  Py_VISIT(trace.get());
  Py_VISIT(progress.get());
  Py_VISIT(report.get());
  return 0;
}

void Session::ClearReferences() {
  row_factory = text_factory = trace = progress = report = Ref();
}

}  // namespace turdb::bindings
