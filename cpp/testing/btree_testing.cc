// LINKS: btree txn
// turdb._testing.btree: a row tree or key tree in a file of a store, by its transaction. Errors are
// RuntimeError("Kind: message").
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>

#include "base/errors.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "env/env.h"
#include "format/file_header.h"
#include "testing/check.h"
#include "testing/python_cells.h"
#include "txn/store.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;

Cell CellOf(const py::handle& value, Arena* arena) {
  if (value.is_none()) return Cell();
  if (py::isinstance<py::float_>(value)) return Cell::Real(value.cast<double>());
  if (py::isinstance<py::int_>(value)) return Cell::Integer(value.cast<int64_t>());
  if (py::isinstance<py::str>(value)) return Cell::Text(arena->Copy(value.cast<std::string>()));
  return Cell::Blob(arena->Copy(value.cast<std::string>()));
}
py::object ObjectOf(const Cell& cell) {
  if (cell.reserved != 0) throw std::runtime_error("an overflow mark came out of the tree");
  return testing::ToPython(cell);
}
std::vector<Cell> RowOf(const py::sequence& values, Arena* arena) {
  std::vector<Cell> row;
  for (const py::handle value : values) row.push_back(CellOf(value, arena));
  return row;
}
py::list ListOf(btree::RowCursor* cursor) {
  py::list row;
  for (uint32_t i = 0;; ++i) {
    const std::optional<Cell> cell = Check(cursor->Column(i));
    if (!cell) return row;
    row.append(ObjectOf(*cell));
  }
}

// A column of Python values in its natural layout: typed when all are int or float (or None).
void FillColumn(const py::sequence& values, Arena* arena, ColumnVector* out) {
  const uint32_t n = static_cast<uint32_t>(values.size());
  bool ints = true, reals = true;
  for (const py::handle v : values) {
    ints &= v.is_none() || py::isinstance<py::int_>(v);
    reals &= v.is_none() || py::isinstance<py::float_>(v);
  }
  if (ints) {
    out->ResetInt64(n);
  } else if (reals) {
    out->ResetDouble(n);
  } else {
    out->ResetCells(n);
  }
  for (uint32_t i = 0; i < n; ++i) {
    const Cell cell = CellOf(values[i], arena);
    if (cell.is_null()) {
      out->SetNull(i);
    } else if (ints) {
      out->mutable_ints()[i] = cell.integer;
    } else if (reals) {
      out->mutable_doubles()[i] = cell.real;
    } else {
      out->mutable_cells()[i] = cell;
    }
  }
}

// One file of a store and the transaction that changes it.
class File {
 public:
  File(bool of_rows, const std::string& directory) {
    if (directory.empty()) owned_env_ = env::NewMemoryEnv();
    env::Env* env = owned_env_ ? owned_env_.get() : env::PosixEnv();
    store_ = Check(txn::Store::Open(env, directory.empty() ? "db" : directory, {}));
    Begin();
    std::string path;
    file_ = Check(txn_->CreateFile("root/t.tbd", &path));
    Check(of_rows ? btree::CreateRowTree(Writer()) : btree::CreateKeyTree(Writer()));
    Commit();
  }
  void Commit() {
    Check(txn_->Commit(txn::Synchronous::kOff));
    Begin();
  }
  void Rollback() {
    txn_->Rollback();
    Begin();
  }
  uint64_t MakeSavepoint() { return txn_->MakeSavepoint().depth; }
  void RollbackTo(uint64_t depth) { Check(txn_->RollbackTo({depth})); }
  void Checkpoint() {
    Commit();
    txn_.reset();
    Check(store_->Checkpoint());
    Begin();
  }
  void Freeze() { txn_->Freeze(); }
  pager::FileWriter* Writer() { return Check(txn_->Writer(file_)); }
  pager::FileView View() { return Check(txn_->View(file_)); }
  uint32_t PageCount() { return View().page_count(); }
  uint32_t FreeCount() { return Load<uint32_t>(Bytes(0) + format::kHeaderFreeCountOffset); }
  py::bytes Page(uint32_t id) { return py::bytes(reinterpret_cast<const char*>(Bytes(id)), format::kPageBytes); }
  void Poke(uint32_t id, size_t offset, uint8_t value) {
    Check(Writer()->MutablePage(PageId(id)))[offset % format::kPageBytes] = value;
  }

 private:
  void Begin() {
    txn_ = store_->Begin();
    Check(txn_->StartWriting(std::chrono::milliseconds(0)));
  }
  const uint8_t* Bytes(uint32_t id) {
    view_ = View();
    const uint8_t* page = view_.Page(PageId(id));
    if (page == nullptr) Check(view_.PageError(PageId(id)));
    return page;
  }

  std::unique_ptr<env::Env> owned_env_;
  std::unique_ptr<txn::Store> store_;
  std::unique_ptr<txn::Transaction> txn_;
  FileId file_;
  pager::FileView view_;
};

class RowTree : public File {
 public:
  explicit RowTree(const std::string& directory) : File(true, directory) {}

  bool Insert(int64_t key, const py::sequence& row) {
    Arena arena;
    return Check(btree::InsertRow(Writer(), RowId(key), RowOf(row, &arena)));
  }
  bool Update(int64_t key, const py::sequence& row) {
    Arena arena;
    return Check(btree::UpdateRow(Writer(), RowId(key), RowOf(row, &arena)));
  }
  // Writes a row back from cells that point into the tree's own pages, with column i set to column j's.
  bool UpdateFromSelf(int64_t key, uint32_t i, uint32_t j) {
    Arena arena;
    btree::RowCursor cursor(View(), &arena);
    if (!Check(cursor.Find(RowId(key)))) return false;
    std::vector<Cell> row;
    while (const std::optional<Cell> cell = Check(cursor.Column(static_cast<uint32_t>(row.size())))) row.push_back(*cell);
    if (i < row.size() && j < row.size()) row[i] = row[j];
    return Check(btree::UpdateRow(Writer(), RowId(key), row));
  }
  bool Erase(int64_t key) { return Check(btree::EraseRow(Writer(), RowId(key))); }
  void Clear() { Check(btree::ClearRowTree(Writer())); }
  py::object Find(int64_t key) {
    Arena arena;
    btree::RowCursor cursor(View(), &arena);
    if (!Check(cursor.Find(RowId(key)))) return py::none();
    return ListOf(&cursor);
  }
  py::list Walk(bool is_forward) {
    Arena arena;
    btree::RowCursor cursor(View(), &arena);
    py::list rows;
    Check(is_forward ? cursor.SeekFirst() : cursor.SeekLast());
    while (cursor.valid()) {
      rows.append(py::make_tuple(cursor.key().value(), ListOf(&cursor)));
      Check(is_forward ? cursor.Next() : cursor.Prev());
    }
    return rows;
  }
  py::object Seek(int64_t key, bool at_least) {
    Arena arena;
    btree::RowCursor cursor(View(), &arena);
    Check(at_least ? cursor.SeekAtLeast(RowId(key)) : cursor.SeekAtMost(RowId(key)));
    return cursor.valid() ? py::object(py::int_(cursor.key().value())) : py::none();
  }
  // (keys, columns, layouts of each batch) of a scan.
  py::tuple Scan(int64_t first, int64_t last, const std::vector<uint32_t>& columns, const py::sequence& defaults,
                 uint32_t max_rows) {
    Arena arena;
    btree::RowCursor cursor(View(), &arena);
    Check(cursor.SeekAtLeast(RowId(first)));
    const std::vector<Cell> cells = RowOf(defaults, &arena);
    std::vector<ColumnVector> out(columns.size());
    std::vector<int64_t> keys(max_rows);
    py::list all_keys, all_layouts;
    std::vector<py::list> values(columns.size());
    while (const uint32_t n =
               Check(cursor.ReadBatch(max_rows, RowId(last), columns, cells, keys.data(), out.data()))) {
      for (uint32_t i = 0; i < n; ++i) all_keys.append(keys[i]);
      for (size_t j = 0; j < columns.size(); ++j) {
        all_layouts.append(static_cast<int>(out[j].layout()));
        for (uint32_t i = 0; i < n; ++i) values[j].append(ObjectOf(out[j].Get(i)));
      }
    }
    return py::make_tuple(all_keys, values, all_layouts);
  }
  // Blocks of (keys or first key, columns).
  void Append(const py::list& blocks) {
    btree::RowAppender appender(Writer());
    for (const py::handle item : blocks) {
      const auto block = item.cast<std::pair<py::object, py::list>>();
      Arena arena;
      std::vector<ColumnVector> columns(block.second.size());
      for (size_t c = 0; c < columns.size(); ++c) FillColumn(block.second[c], &arena, &columns[c]);
      btree::RowBlock rows;
      rows.rows = columns.empty() ? 0 : static_cast<uint32_t>(py::len(block.second[0]));
      rows.columns = columns;
      std::vector<int64_t> keys;
      if (py::isinstance<py::list>(block.first)) {
        keys = block.first.cast<std::vector<int64_t>>();
        rows.keys = keys.data();
      } else {
        rows.first_key = block.first.cast<int64_t>();
      }
      Check(appender.Append(rows));
    }
    Check(appender.Finish());
  }
  py::object LastKey() {
    const std::optional<RowId> last = Check(btree::LastRowId(View()));
    return last ? py::object(py::int_(last->value())) : py::none();
  }
  uint64_t Count() { return Check(btree::CountRows(View())); }
  uint64_t Estimate() { return Check(btree::EstimateRows(View())); }
  py::tuple CheckTree() {
    std::vector<PageId> used;
    const std::vector<std::string> findings = Check(btree::CheckRowTree(View(), &used));
    return py::make_tuple(findings, used.size());
  }
};

class KeyTree : public File {
 public:
  explicit KeyTree(const std::string& directory) : File(false, directory) {}

  bool Insert(const std::string& key, const std::string& payload) {
    return Check(btree::InsertKey(Writer(), key, payload));
  }
  bool Update(const std::string& key, const std::string& payload) {
    return Check(btree::UpdateKey(Writer(), key, payload));
  }
  bool Erase(const std::string& key) { return Check(btree::EraseKey(Writer(), key)); }
  void Clear() { Check(btree::ClearKeyTree(Writer())); }
  static py::tuple Entry(btree::KeyCursor* cursor) {
    const std::string_view key = Check(cursor->Key());
    const std::string_view payload = Check(cursor->Payload());
    return py::make_tuple(py::bytes(key.data(), key.size()), py::bytes(payload.data(), payload.size()));
  }
  py::object Find(const std::string& key) {
    Arena arena;
    btree::KeyCursor cursor(View(), &arena);
    if (!Check(cursor.Find(key))) return py::none();
    return Entry(&cursor);
  }
  py::list Walk(bool is_forward) {
    Arena arena;
    btree::KeyCursor cursor(View(), &arena);
    py::list entries;
    Check(is_forward ? cursor.SeekFirst() : cursor.SeekLast());
    while (cursor.valid()) {
      entries.append(Entry(&cursor));
      Check(is_forward ? cursor.Next() : cursor.Prev());
    }
    return entries;
  }
  py::object Seek(const std::string& key, bool at_least) {
    Arena arena;
    btree::KeyCursor cursor(View(), &arena);
    Check(at_least ? cursor.SeekAtLeast(key) : cursor.SeekAtMost(key));
    return cursor.valid() ? py::object(Entry(&cursor)[0]) : py::none();
  }
  void Append(const std::vector<std::pair<std::string, std::string>>& entries) {
    btree::KeyAppender appender(Writer());
    for (const auto& [key, payload] : entries) Check(appender.Append(key, payload));
    Check(appender.Finish());
  }
  uint64_t Count() { return Check(btree::CountKeys(View())); }
  uint64_t Estimate() { return Check(btree::EstimateKeys(View())); }
  py::tuple CheckTree() {
    std::vector<PageId> used;
    const std::vector<std::string> findings = Check(btree::CheckKeyTree(View(), &used));
    return py::make_tuple(findings, used.size());
  }
};

template <typename T>
py::class_<T>& DefineFile(py::class_<T>& c) {
  return c.def(py::init<const std::string&>(), py::arg("directory") = "")
      .def("commit", &T::Commit)
      .def("rollback", &T::Rollback)
      .def("savepoint", &T::MakeSavepoint)
      .def("rollback_to", &T::RollbackTo)
      .def("checkpoint", &T::Checkpoint)
      .def("freeze", &T::Freeze)
      .def("page_count", &T::PageCount)
      .def("free_count", &T::FreeCount)
      .def("page", &T::Page)
      .def("poke", &T::Poke)
      .def("insert", &T::Insert)
      .def("update", &T::Update)
      .def("erase", &T::Erase)
      .def("clear", &T::Clear)
      .def("find", &T::Find)
      .def("walk", &T::Walk, py::arg("is_forward") = true)
      .def("seek", &T::Seek)
      .def("append", &T::Append)
      .def("count", &T::Count)
      .def("estimate", &T::Estimate)
      .def("check", &T::CheckTree);
}

}  // namespace
}  // namespace turdb

PYBIND11_MODULE(btree, m) {
  using namespace turdb;
  py::class_<RowTree> rows(m, "RowTree");
  DefineFile(rows)
      .def("update_from_self", &RowTree::UpdateFromSelf)
      .def("scan", &RowTree::Scan)
      .def("last_key", &RowTree::LastKey);
  py::class_<KeyTree> keys(m, "KeyTree");
  DefineFile(keys);
}
