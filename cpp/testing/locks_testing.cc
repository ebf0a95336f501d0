// LINKS: txn
// turdb._testing.locks: the lock table and its sets of ids, without a database. Errors are RuntimeError("Kind: message").
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/id_set.h"
#include "env_fixture.h"
#include "txn/lock_table.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;
using txn::LockKey;
using txn::LockMode;

// (kind, table, id, index), the kind as a number of LockKey::Kind
using Key = std::tuple<int, uint32_t, uint64_t, uint32_t>;

LockKey ToKey(const Key& key) {
  const auto& [kind, table, id, index] = key;
  return {FileId(table), static_cast<LockKey::Kind>(kind), id, FileId(index)};
}
Key FromKey(const LockKey& key) {
  return {static_cast<int>(key.kind), key.table.value(), key.id, key.index.value()};
}

class TestLockTable {
 public:
  class Owner {
   public:
    Owner(std::shared_ptr<txn::LockTable> table, uint64_t id) : table_(std::move(table)) { owner_.set_id(TxnId(id)); }
    ~Owner() { table_->ReleaseAll(&owner_); }

    bool Acquire(const Key& key, int mode, int timeout_ms) {
      py::gil_scoped_release release;
      return Check(table_->Acquire(&owner_, ToKey(key), static_cast<LockMode>(mode), "t", {std::chrono::milliseconds(timeout_ms), nullptr}));
    }
    bool TryAcquire(const Key& key, int mode) { return table_->TryAcquire(&owner_, ToKey(key), static_cast<LockMode>(mode)); }
    void Release(const Key& key) { table_->Release(&owner_, ToKey(key)); }
    void Downgrade(const Key& key, int mode) { table_->Downgrade(&owner_, ToKey(key), static_cast<LockMode>(mode)); }
    void ReleaseRows(uint32_t table) { table_->ReleaseRows(&owner_, FileId(table)); }
    void ReleaseAll() { table_->ReleaseAll(&owner_); }
    int64_t ReserveRowId(uint32_t table, int64_t least) { return table_->ReserveRowId(&owner_, FileId(table), least); }
    void NoteRowId(uint32_t table, int64_t rowid) { table_->NoteRowId(&owner_, FileId(table), rowid); }
    int Held(const Key& key) const { return static_cast<int>(owner_.Held(ToKey(key))); }
    size_t size() const { return owner_.size(); }
    // Locks n rows X, `stride` apart; nanoseconds each.
    double LockRows(uint32_t table, uint64_t first, uint64_t n, uint64_t stride) {
      py::gil_scoped_release release;
      const auto begin = std::chrono::steady_clock::now();
      for (uint64_t i = 0; i < n; ++i) {
        const LockKey key{FileId(table), LockKey::Kind::kRow, first + i * stride};
        Check(table_->Acquire(&owner_, key, LockMode::kExclusive, "t", {}));
      }
      const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
      return took.count() / static_cast<double>(n);
    }

   private:
    std::shared_ptr<txn::LockTable> table_;
    txn::LockOwner owner_;
  };

  std::unique_ptr<Owner> NewOwner(uint64_t id) { return std::make_unique<Owner>(table_, id); }
  py::dict Stats() const {
    const txn::LockStats stats = table_->stats();
    py::dict out;
    out["held"] = stats.held;
    out["waiting"] = stats.waiting;
    out["waits"] = stats.waits;
    out["timeouts"] = stats.timeouts;
    out["deadlocks"] = stats.deadlocks;
    out["escalations"] = stats.escalations;
    out["bytes"] = stats.bytes;
    return out;
  }
  // (key, owner, mode, is_granted)
  std::vector<std::tuple<Key, uint64_t, int, bool>> List() const {
    std::vector<std::tuple<Key, uint64_t, int, bool>> out;
    for (const txn::LockInfo& lock : table_->List()) {
      out.emplace_back(FromKey(lock.key), lock.owner.value(), static_cast<int>(lock.mode), lock.is_granted);
    }
    return out;
  }

 private:
  std::shared_ptr<txn::LockTable> table_ = std::make_shared<txn::LockTable>();
};

std::vector<uint64_t> IdsOf(const IdSet& set) {
  std::vector<uint64_t> ids;
  set.ForEach([&](uint64_t id) { ids.push_back(id); });
  return ids;
}

}  // namespace

PYBIND11_MODULE(locks, m) {
  using Owner = TestLockTable::Owner;
  py::class_<Owner>(m, "Owner", py::module_local())
      .def("acquire", &Owner::Acquire, py::arg("key"), py::arg("mode"), py::arg("timeout_ms") = 0)
      .def("try_acquire", &Owner::TryAcquire)
      .def("release", &Owner::Release)
      .def("downgrade", &Owner::Downgrade)
      .def("release_rows", &Owner::ReleaseRows)
      .def("release_all", &Owner::ReleaseAll)
      .def("reserve_rowid", &Owner::ReserveRowId)
      .def("note_rowid", &Owner::NoteRowId)
      .def("held", &Owner::Held)
      .def("lock_rows", &Owner::LockRows, py::arg("table"), py::arg("first"), py::arg("n"), py::arg("stride") = 1)
      .def("__len__", &Owner::size);
  py::class_<TestLockTable>(m, "LockTable", py::module_local())
      .def(py::init<>())
      .def("owner", &TestLockTable::NewOwner)
      .def("stats", &TestLockTable::Stats)
      .def("list", &TestLockTable::List);
  py::class_<IdSet>(m, "IdSet", py::module_local())
      .def(py::init<>())
      .def("insert", &IdSet::Insert)
      .def("erase", &IdSet::Erase)
      .def("clear", &IdSet::Clear)
      .def("items", &IdsOf)
      .def("__contains__", &IdSet::Contains)
      .def("__len__", &IdSet::size)
      .def_property_readonly("heap_bytes", &IdSet::heap_bytes);
}

}  // namespace turdb
