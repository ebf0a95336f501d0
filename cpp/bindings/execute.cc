// execute, executemany, executescript: from Python arguments to a running Result.
//
// One stretch without the interpreter lock does everything the engine has to: the implicit BEGIN, the execution, the
// first batch, the counters. A cursor whose engine work is under way refuses other calls (is_busy), so that threads that
// share one cannot meet inside it.
#include <iterator>

#include "base/status_macros.h"
#include "bindings/errors.h"
#include "bindings/objects.h"
#include "bindings/parameters.h"

namespace turdb::bindings {
namespace {

class Busy {
 public:
  explicit Busy(CursorObject* cursor) : cursor_(cursor) { cursor_->is_busy = true; }
  ~Busy() { cursor_->is_busy = false; }

 private:
  CursorObject* cursor_;
};

using SharedColumns = std::shared_ptr<const engine::ResultColumns>;

// Unlocked. After it, fetch->result is set when there are rows to fetch. `columns` are for fetch->columns, which other threads may
// read, under the interpreter lock.
absl::Status Start(engine::Connection* engine, const std::string& begin, Fetch* fetch, absl::Span<const Value> parameters,
                   SharedColumns* columns) {
  TURDB_RETURN_IF_ERROR(BeginIfNeeded(engine, begin));
  TURDB_ASSIGN_OR_RETURN(std::unique_ptr<engine::Result> result, fetch->statement->Execute(parameters));
  fetch->next_row = 0;
  fetch->batch->size = 0;
  fetch->row_count = result->changes();
  *columns = result->shared_columns();
  if (!result->columns().empty()) TURDB_RETURN_IF_ERROR(result->Next(fetch->batch.get()));
  fetch->last_rowid = engine->last_insert_rowid();
  fetch->has_last_rowid = true;
  if (fetch->batch->size > 0) {
    fetch->result = std::move(result);
  } else {
    result->Close();
  }
  return absl::OkStatus();
}

Ref ConverterFor(PyObject* converters, std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = AsciiUpper(c);
  PyObject* found = PyDict_GetItemString(converters, upper.c_str());
  return Ref::Borrow(found);
}

// PARSE_DECLTYPES (1): the declared type up to its first blank or parenthesis. PARSE_COLNAMES (2): `as "name [type]"`.
bool FindConverters(Session* session, Fetch* fetch) {
  fetch->converters.clear();
  if (session->detect_types == 0) return true;
  Ref module = Ref::Steal(PyImport_ImportModule("turdb.types"));
  Ref converters = module ? Ref::Steal(PyObject_GetAttrString(module.get(), "converters")) : Ref();
  if (!converters) return false;
  bool has_any = false;
  for (const auto& column : *fetch->columns) {
    Ref converter;
    if (session->detect_types & 2) {
      const size_t open = column.name.find('['), close = column.name.find(']', open);
      if (open != std::string::npos && close != std::string::npos) {
        converter = ConverterFor(converters.get(), std::string_view(column.name).substr(open + 1, close - open - 1));
      }
    }
    if (!converter && (session->detect_types & 1)) {
      const std::string_view type = column.declared_type;
      converter = ConverterFor(converters.get(), type.substr(0, type.find_first_of(" (")));
    }
    has_any = has_any || converter;
    fetch->converters.push_back(std::move(converter));
  }
  if (!has_any) fetch->converters.clear();
  return true;
}

bool RequireText(PyObject* sql, const char* function) {
  if (PyUnicode_Check(sql)) return true;
  PyErr_Format(PyExc_TypeError, "%s() argument 1 must be str, not %.100s", function, Py_TYPE(sql)->tp_name);
  return false;
}

// Parameter sets of executemany, converted before the engine runs: an iterator may itself use this connection. Sets of one portion
// are bound over those of the one before.
class ParameterSets {
 public:
  ParameterSets(const engine::Statement& statement, PyObject* iterator) : statement_(statement), iterator_(iterator) {}

  // Converts up to `limit` sets, or fewer that have many bytes. False with a Python error set (the sets before it are there).
  bool Fill(size_t limit) {
    constexpr size_t kManyBytes = 4 << 20;
    n_ = 0;
    for (size_t bytes = 0; n_ < limit && bytes < kManyBytes;) {
      Ref item = Ref::Steal(PyIter_Next(iterator_));
      if (!item) {
        is_at_end_ = true;
        return PyErr_Occurred() == nullptr;
      }
      if (n_ == sets_.size()) sets_.emplace_back(statement_.parameter_count());
      if (!BindParameters(statement_, item.get(), absl::MakeSpan(sets_[n_]))) return false;
      for (const Value& value : sets_[n_++]) bytes += value.cell().has_bytes() ? value.cell().length : 0;
    }
    return true;
  }
  bool is_at_end() const { return is_at_end_; }
  absl::Span<const std::vector<Value>> sets() const { return absl::MakeConstSpan(sets_).first(n_); }

 private:
  const engine::Statement& statement_;
  PyObject* iterator_;
  std::vector<std::vector<Value>> sets_;
  size_t n_ = 0;  // of them are of this portion
  bool is_at_end_ = false;
};

// The transaction of an executemany that is on its own and has more sets than are held at a time: all of them or none. It begins
// when that shows, and is taken back unless it was committed. Code of the iterator may have ended it before.
class WholeOfSets {
 public:
  explicit WholeOfSets(Session* session) : session_(session) {}
  ~WholeOfSets() {
    if (is_open_) Run("ROLLBACK").IgnoreError();
  }
  absl::Status Begin() {
    if (is_open_) return absl::OkStatus();
    const absl::Status begun = Run("BEGIN");
    is_open_ = begun.ok();
    return begun;
  }
  absl::Status Commit() { return std::exchange(is_open_, false) ? Run("COMMIT") : absl::OkStatus(); }

 private:
  absl::Status Run(std::string_view sql) {
    const std::shared_ptr<engine::Connection> engine = session_->engine;
    if (engine == nullptr) return absl::OkStatus();  // closing it has rolled back
    GilReleased released;
    if (sql != "BEGIN" && !engine->in_transaction()) return absl::OkStatus();
    return RunStatement(engine.get(), sql);
  }

  Session* const session_;
  bool is_open_ = false;
};

// What sets of executemany have done so far.
struct ManyResult {
  int64_t changes = 0;
  SharedColumns columns;  // of RETURNING: described, as by sqlite3, though the rows are not kept
};

// Unlocked. Row by row, with the rows of RETURNING thrown away.
absl::Status RunEach(engine::Statement* statement, absl::Span<const std::vector<Value>> sets, ManyResult* done) {
  ColumnBatch batch;
  for (const auto& set : sets) {
    TURDB_ASSIGN_OR_RETURN(auto result, statement->Execute(set));
    while (!result->columns().empty()) {
      TURDB_RETURN_IF_ERROR(result->Next(&batch));
      if (batch.size == 0) break;
    }
    if (result->changes() > 0) done->changes += result->changes();
    done->columns = result->shared_columns();
    result->Close();
  }
  return absl::OkStatus();
}

// Unlocked. All sets as one statement; when that fails inside a transaction, row by row, so that the rows before the
// failing one stay, as sqlite3 leaves them.
absl::Status RunSets(engine::Connection* engine, const std::string& begin, engine::Statement* statement,
                     absl::Span<const std::vector<Value>> sets, ManyResult* done) {
  TURDB_RETURN_IF_ERROR(BeginIfNeeded(engine, begin));
  if (statement->has_returning()) return RunEach(statement, sets, done);
  size_t next = 0;
  absl::StatusOr<int64_t> all = statement->ExecuteMany(
      [&]() -> absl::StatusOr<const std::vector<Value>*> { return next == sets.size() ? nullptr : &sets[next++]; });
  if (all.ok()) {
    done->changes += *all;
    return absl::OkStatus();
  }
  if (KindOf(all.status()) != ErrorKind::kConstraint || !engine->in_transaction()) return all.status();
  absl::Status status = RunEach(statement, sets, done);
  return status.ok() ? all.status() : status;
}

}  // namespace

bool CheckCursor(CursorObject* cursor) {
  if (cursor->connection == nullptr || cursor->connection->session == nullptr) {
    RaiseKind(ErrorKind::kMisuse, "Base Cursor.__init__ not called.");
    return false;
  }
  if (cursor->is_closed) {
    RaiseKind(ErrorKind::kMisuse, "Cannot operate on a closed cursor.");
    return false;
  }
  if (cursor->is_busy) {
    RaiseKind(ErrorKind::kMisuse, "Recursive use of cursors not allowed.");
    return false;
  }
  return SessionOf(cursor)->Check();
}

void ResetFetch(CursorObject* cursor) {
  Fetch* fetch = cursor->fetch;
  if (fetch == nullptr) return;
  fetch->pending = absl::OkStatus();
  fetch->next_row = 0;
  if (fetch->batch != nullptr) fetch->batch->size = 0;
  if (fetch->result == nullptr) return;
  std::unique_ptr<engine::Result> result = std::move(fetch->result);
  GilReleased released;
  result.reset();
}

bool Execute(CursorObject* cursor, PyObject* sql, PyObject* parameters) {
  if (!RequireText(sql, "execute") || !CheckCursor(cursor)) return false;
  Session* session = SessionOf(cursor);
  Fetch* fetch = cursor->fetch;
  ResetFetch(cursor);
  fetch->statement = session->Prepare(sql);
  fetch->columns = nullptr;
  fetch->row_count = -1;
  if (fetch->statement == nullptr) return PyErr_Occurred() == nullptr;
  Parameters values(fetch->statement->parameter_count());
  if (!BindParameters(*fetch->statement, parameters, absl::MakeSpan(values))) return false;
  if (session->engine == nullptr) return session->CheckOpen();  // an adapter closed it
  if (session->trace) session->Trace(sql);
  if (fetch->batch == nullptr) fetch->batch = session->TakeBatch();
  absl::Status status;
  SharedColumns columns;
  {
    Busy busy(cursor);
    const std::string begin = session->BeginFor(*fetch->statement);
    std::shared_ptr<engine::Connection> engine = session->engine;
    GilReleased released;
    status = Start(engine.get(), begin, fetch, values, &columns);
  }
  fetch->columns = std::move(columns);
  if (!status.ok()) {
    ResetFetch(cursor);
    RaiseStatus(status);
    return false;
  }
  if ((session->detect_types != 0 || !fetch->converters.empty()) && !FindConverters(session, fetch)) {
    ResetFetch(cursor);
    return false;
  }
  return true;
}

bool ExecuteMany(CursorObject* cursor, PyObject* sql, PyObject* given) {
  if (!RequireText(sql, "executemany") || !CheckCursor(cursor)) return false;
  Session* session = SessionOf(cursor);
  Fetch* fetch = cursor->fetch;
  ResetFetch(cursor);
  Ref iterator = Ref::Steal(PyObject_GetIter(given));
  if (!iterator) return false;
  std::shared_ptr<engine::Statement> statement = session->Prepare(sql);
  fetch->statement = statement;
  fetch->columns = nullptr;
  fetch->row_count = -1;
  if (statement == nullptr) return PyErr_Occurred() == nullptr;
  if (statement->statement_class() != engine::StatementClass::kWrite) {
    RaiseKind(ErrorKind::kMisuse, "executemany() can only execute DML statements.");
    return false;
  }
  if (session->trace) session->Trace(sql);
  // Within a transaction sets go in portions. On their own they are one statement, all or nothing, if they are few.
  const bool is_in_transaction = !session->implicit_begin.empty() || InTransaction(session) == 1;
  constexpr size_t kPortion = 4096;
  WholeOfSets whole(session);
  ParameterSets sets(*statement, iterator.get());
  ManyResult done;
  while (!sets.is_at_end()) {
    const bool is_filled = sets.Fill(kPortion);
    if (!is_filled && !is_in_transaction) return false;
    if (!is_in_transaction && !sets.is_at_end()) {
      const absl::Status begun = whole.Begin();
      if (!begun.ok()) return RaiseStatus(begun), false;
    }
    // What came before a bad set is executed, as sqlite3 does; the error waits.
    PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
    if (!is_filled) PyErr_Fetch(&type, &value, &traceback);
    absl::Status status;
    if (!sets.sets().empty()) {
      std::shared_ptr<engine::Connection> engine = session->engine;
      if (engine == nullptr) return session->CheckOpen();
      const std::string begin = session->BeginFor(*statement);
      Busy busy(cursor);
      GilReleased released;
      status = RunSets(engine.get(), begin, statement.get(), sets.sets(), &done);
    }
    fetch->columns = done.columns;
    if (!is_filled) return PyErr_Restore(type, value, traceback), false;
    if (!status.ok()) return RaiseStatus(status), false;
    if (PyErr_CheckSignals() != 0) return false;
  }
  const absl::Status committed = whole.Commit();
  if (!committed.ok()) return RaiseStatus(committed), false;
  fetch->row_count = done.changes;
  return true;
}

bool ExecuteScript(CursorObject* cursor, PyObject* script) {
  if (!RequireText(script, "executescript") || !CheckCursor(cursor)) return false;
  Session* session = SessionOf(cursor);
  ResetFetch(cursor);
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(script, &size);
  if (text == nullptr) return false;
  std::string_view rest(text, static_cast<size_t>(size));
  if (rest.find('\0') != std::string_view::npos) return RaiseKind(ErrorKind::kMisuse, "embedded null character"), false;
  if (session->trace) session->Trace(script);
  std::shared_ptr<engine::Connection> engine = session->engine;
  const bool commits_first = session->autocommit == Autocommit::kLegacy;
  absl::Status status;
  {
    Busy busy(cursor);
    GilReleased released;
    if (commits_first && engine->in_transaction()) status = RunStatement(engine.get(), "COMMIT");
    while (status.ok() && !rest.empty()) {
      size_t consumed = 0;
      auto statement = engine->Prepare(rest, &consumed);
      if (!statement.ok()) {
        status = statement.status();
      } else if (*statement == nullptr) {
        break;
      } else {
        ManyResult done;
        status = RunEach(statement->get(), {{}}, &done);
        rest.remove_prefix(consumed);
      }
    }
  }
  if (!status.ok()) RaiseStatus(status);
  return status.ok();
}

}  // namespace turdb::bindings
