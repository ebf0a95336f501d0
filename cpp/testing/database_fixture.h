// A store with a catalog, as the catalog and table bindings drive it: opened at a path or in memory.
// Errors are RuntimeError("Kind: message").
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>

#include "catalog/catalog.h"
#include "env/env.h"
#include "testing/check.h"
#include "txn/store.h"

namespace turdb::testing {

namespace py = pybind11;

class Transaction {
 public:
  Transaction(std::shared_ptr<catalog::CatalogCache> cache, std::unique_ptr<txn::Transaction> txn)
      : cache_(std::move(cache)), txn_(std::move(txn)) {}
  txn::Transaction* get() { return txn_.get(); }
  catalog::CatalogCache* cache() { return cache_.get(); }
  std::shared_ptr<const catalog::CatalogSnapshot> Catalog() { return Check(catalog::LoadCatalog(cache_.get(), txn_.get())); }

 private:
  std::shared_ptr<catalog::CatalogCache> cache_;
  std::unique_ptr<txn::Transaction> txn_;
};

class Database {
 public:
  explicit Database(const std::string& path) {
    if (path.empty()) memory_env_ = env::NewMemoryEnv();
    env_ = path.empty() ? memory_env_.get() : env::PosixEnv();
    path_ = path.empty() ? "memory.turdb" : path;
    Open();
  }
  void Open() {
    store_ = Check(txn::Store::Open(env_, path_, {}));
    cache_ = catalog::NewCatalogCache();
    if (!IsNew()) return;
    auto txn = store_->Begin();
    Check(txn->StartWriting(std::chrono::seconds(5)));
    Check(catalog::InitialiseCatalog(txn.get()));
    Check(txn->Commit(txn::Synchronous::kFull));
  }
  void Reopen() {
    Close();
    Open();
  }
  void Close() {
    if (store_ != nullptr) Check(store_->Close());
    store_.reset();
  }
  std::unique_ptr<Transaction> Begin(bool is_writing) {
    auto txn = store_->Begin();
    if (is_writing) Check(txn->StartWriting(std::chrono::seconds(5)));
    return std::make_unique<Transaction>(cache_, std::move(txn));
  }
  void Checkpoint() { Check(store_->Checkpoint()); }

 private:
  bool IsNew() { return Check(store_->Begin()->View(txn::kCatalogFile)).page_count() < 2; }

  std::unique_ptr<env::Env> memory_env_;
  env::Env* env_;
  std::string path_;
  std::unique_ptr<txn::Store> store_;
  std::shared_ptr<catalog::CatalogCache> cache_;
};

inline void BindDatabase(py::module_& m) {
  py::class_<Transaction>(m, "Transaction", py::module_local())
      .def("commit", [](Transaction& t, int synchronous) { Check(t.get()->Commit(static_cast<txn::Synchronous>(synchronous))); },
           py::arg("synchronous") = 2)
      .def("rollback", [](Transaction& t) { t.get()->Rollback(); })
      .def("savepoint", [](Transaction& t) { return t.get()->MakeSavepoint().depth; })
      .def("rollback_to", [](Transaction& t, uint64_t depth) { Check(t.get()->RollbackTo({depth})); })
      .def("release", [](Transaction& t, uint64_t depth) { t.get()->Release({depth}); })
      .def("freeze", [](Transaction& t) { t.get()->Freeze(); });
  py::class_<Database>(m, "Database", py::module_local())
      .def(py::init<const std::string&>(), py::arg("path") = "")
      .def("begin", &Database::Begin, py::arg("write") = true, py::keep_alive<0, 1>())
      .def("reopen", &Database::Reopen)
      .def("close", &Database::Close)
      .def("checkpoint", &Database::Checkpoint);
}

// A table definition from Python: [(name, declared type[, collation])].
inline catalog::TableDef MakeTable(const std::string& name, const std::vector<py::tuple>& columns, int rowid_alias,
                                   const std::vector<int>& primary_key, bool without_rowid, bool autoincrement) {
  catalog::TableDef table;
  table.name = name;
  table.rowid_alias = rowid_alias;
  table.primary_key = primary_key;
  table.is_without_rowid = without_rowid;
  table.is_autoincrement = autoincrement;
  table.sql = "CREATE TABLE " + name;
  for (const py::tuple& column : columns) {
    catalog::ColumnDef def;
    def.name = column[0].cast<std::string>();
    def.type = Check(ParseLogicalType(column[1].cast<std::string>()));
    if (column.size() > 2) def.collation = static_cast<Collation>(column[2].cast<int>());
    table.columns.push_back(std::move(def));
  }
  return table;
}

}  // namespace turdb::testing
