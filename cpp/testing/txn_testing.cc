// LINKS: txn
// turdb._testing.txn: the store and its transactions, page by page. Errors are RuntimeError("Kind: message").
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "pager/file_view.h"
#include "pager/file_writer.h"
#include "testing/env_fixture.h"
#include "txn/store.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;
using testing::TestEnv;

struct View {
  pager::FileView view;
  py::bytes Page(uint32_t id) const {
    const uint8_t* page = view.Page(PageId(id));
    if (page == nullptr) Check(view.PageError(PageId(id)));
    return py::bytes(reinterpret_cast<const char*>(page), format::kPageBytes);
  }
  double MeasureLookups(uint32_t rounds) const {  // nanoseconds a Page() of random pages
    uint64_t sum = 0;
    uint32_t at = 1;
    const uint32_t n = view.page_count();
    const auto begin = std::chrono::steady_clock::now();
    for (uint32_t i = 0; i < rounds; ++i) {
      at = at * 1664525u + 1013904223u;
      sum += reinterpret_cast<uintptr_t>(view.Page(PageId(static_cast<uint32_t>(uint64_t{at} * n >> 32))));
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    return took.count() / rounds + (sum == 1 ? 1 : 0);
  }
};

class Txn {
 public:
  Txn(std::shared_ptr<env::Env> env, std::unique_ptr<txn::Transaction> txn)
      : env_(std::move(env)), txn_(std::move(txn)) {}

  void StartWriting(int timeout_ms) {
    py::gil_scoped_release release;
    Check(txn_->StartWriting(std::chrono::milliseconds(timeout_ms)));
  }
  View GetView(uint32_t file) { return {Check(txn_->View(FileId(file)))}; }
  void Write(uint32_t file, uint32_t page, size_t offset, const py::bytes& data) {
    const std::string bytes = data;
    if (offset + bytes.size() > format::kPageBytes) throw std::runtime_error("past the page's end");
    uint8_t* to = Check(Writer(file)->MutablePage(PageId(page)));
    std::memcpy(to + offset, bytes.data(), bytes.size());
  }
  uint32_t Allocate(uint32_t file) { return Check(Writer(file)->Allocate(format::PageKind::kRowLeaf)).value(); }
  void Free(uint32_t file, uint32_t page) { Check(Writer(file)->Free(PageId(page))); }
  uint32_t ExtendZeroed(uint32_t file, uint32_t n) {
    return Check(Writer(file)->ExtendZeroed(n, format::PageKind::kRowLeaf)).value();
  }
  uint32_t ExtendDirect(uint32_t file, const py::buffer& data) {  // whole pages
    py::buffer_info info = data.request(true);
    const auto n = static_cast<uint32_t>(info.size * info.itemsize / static_cast<py::ssize_t>(format::kPageBytes));
    pager::FileWriter* writer = Writer(file);
    py::gil_scoped_release release;
    const PageId first = Check(writer->ExtendDirect(n));
    Check(writer->WriteDirect(first, n, static_cast<uint8_t*>(info.ptr)));
    return first.value();
  }
  py::tuple CreateFile(const std::string& path) {
    std::string chosen;
    const FileId id = Check(txn_->CreateFile(path, &chosen));
    return py::make_tuple(id.value(), chosen);
  }
  void DropFile(uint32_t file) { Check(txn_->DropFile(FileId(file))); }
  void Commit(int synchronous) {
    py::gil_scoped_release release;
    Check(txn_->Commit(static_cast<txn::Synchronous>(synchronous)));
  }
  txn::Transaction* operator->() { return txn_.get(); }
  void Drop() { txn_.reset(); }

 private:
  pager::FileWriter* Writer(uint32_t file) { return Check(txn_->Writer(FileId(file))); }
  std::shared_ptr<env::Env> env_;
  std::unique_ptr<txn::Transaction> txn_;
};

class TestStore {
 public:
  TestStore(TestEnv env, const std::string& path, bool read_only, bool create, uint64_t checkpoint_bytes,
            uint64_t segment_bytes, uint64_t lock_timeout_ms, uint64_t page_cache_bytes, bool background,
            uint64_t checkpoint_interval_ms)
      : env_(env.env) {
    txn::StoreOptions options;
    options.is_read_only = read_only;
    options.create_if_missing = create;
    options.checkpoint_bytes = checkpoint_bytes;
    options.wal_segment_bytes = segment_bytes;
    options.lock_timeout_ms = lock_timeout_ms;
    options.page_cache_bytes = page_cache_bytes;
    options.has_background_checkpoint = background;
    options.checkpoint_interval_ms = checkpoint_interval_ms;
    py::gil_scoped_release release;
    store_ = Check(txn::Store::Open(env_.get(), path, options));
  }
  std::unique_ptr<Txn> Begin() { return std::make_unique<Txn>(env_, store_->Begin()); }
  bool Checkpoint(int mode) {
    py::gil_scoped_release release;
    return Check(store_->Checkpoint(static_cast<txn::CheckpointMode>(mode)));
  }
  void Close() {
    py::gil_scoped_release release;
    Check(store_->Close());
  }
  void Drop() { store_.reset(); }
  py::dict Stats() const {
    const txn::StoreStats stats = store_->stats();
    py::dict out;
    out["wal_bytes"] = stats.wal_bytes;
    out["wal_bytes_written"] = stats.wal_bytes_written;
    out["commits"] = stats.commits;
    out["syncs"] = stats.syncs;
    out["checkpoints"] = stats.checkpoints;
    out["pages_checkpointed"] = stats.pages_checkpointed;
    out["recovered_commits"] = stats.recovered_commits;
    out["reading_processes"] = stats.reading_processes;
    out["oldest_reader_lsn"] = stats.oldest_reader_lsn.value();
    out["oldest_reader_pid"] = stats.oldest_reader_pid;
    out["files_replaced"] = stats.files_replaced;
    out["replaced_files"] = stats.replaced_files;
    out["replaced_file_bytes"] = stats.replaced_file_bytes;
    out["cache_limit_bytes"] = stats.cache_limit_bytes;
    out["cache_bytes"] = stats.cache_bytes;
    out["spilled_bytes"] = stats.spilled_bytes;
    out["committed_bytes"] = stats.committed_bytes;
    out["spill_file_bytes"] = stats.spill_file_bytes;
    out["snapshots"] = stats.snapshots;
    out["oldest_snapshot_log_bytes"] = stats.oldest_snapshot_log_bytes;
    out["oldest_snapshot_seconds"] = stats.oldest_snapshot_seconds;
    out["preserved_pages"] = stats.preserved_pages;
    out["preserved_file_bytes"] = stats.preserved_file_bytes;
    out["checkpoints_for_log"] = stats.checkpoints_for_log;
    out["checkpoints_for_memory"] = stats.checkpoints_for_memory;
    out["checkpoints_for_time"] = stats.checkpoints_for_time;
    out["checkpoints_requested"] = stats.checkpoints_requested;
    out["last_checkpoint_error"] = stats.last_checkpoint_error;
    return out;
  }
  txn::Store* operator->() { return store_.get(); }
  // Microseconds a commit that changes `bytes` bytes of page 0's user area.
  double MeasureCommits(uint32_t rounds, size_t bytes, int synchronous) {
    py::gil_scoped_release release;
    const auto begin = std::chrono::steady_clock::now();
    for (uint32_t i = 0; i < rounds; ++i) {
      auto txn = store_->Begin();
      Check(txn->StartWriting(std::chrono::seconds(10)));
      pager::FileWriter* writer = Check(txn->Writer(txn::kCatalogFile));
      uint8_t* page = Check(writer->MutablePage(PageId(0))) + pager::kUserAreaOffset;
      for (size_t k = 0; k < bytes; ++k) page[k] = static_cast<uint8_t>(i * 31 + k + 1);
      Check(txn->Commit(static_cast<txn::Synchronous>(synchronous)));
    }
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    return took.count() / rounds;
  }

 private:
  std::shared_ptr<env::Env> env_;
  std::unique_ptr<txn::Store> store_;
};

}  // namespace

PYBIND11_MODULE(txn, m) {
  testing::BindEnvs(m);
  m.attr("PAGE_BYTES") = format::kPageBytes;
  m.attr("USER_AREA_OFFSET") = pager::kUserAreaOffset;
  m.attr("USER_AREA_BYTES") = pager::kUserAreaBytes;
  m.attr("CATALOG_FILE") = txn::kCatalogFile.value();

  py::class_<View>(m, "View", py::module_local())
      .def("page", &View::Page)
      .def("measure_lookups", &View::MeasureLookups)
      .def_property_readonly("page_count", [](const View& v) { return v.view.page_count(); })
      .def_property_readonly("is_flat", [](const View& v) { return v.view.IsFlat(); })
      .def_property_readonly("path", [](const View& v) { return v.view.path(); })
      .def("verify", [](const View& v) { Check(v.view.Verify(PageId(0), v.view.page_count())); });

  py::class_<Txn>(m, "Transaction", py::module_local())
      .def("start_writing", &Txn::StartWriting, py::arg("timeout_ms") = 5000)
      .def("view", &Txn::GetView)
      .def("write", &Txn::Write)
      .def("allocate", &Txn::Allocate)
      .def("free", &Txn::Free)
      .def("extend_zeroed", &Txn::ExtendZeroed)
      .def("extend_direct", &Txn::ExtendDirect)
      .def("create_file", &Txn::CreateFile)
      .def("drop_file", &Txn::DropFile)
      .def("commit", &Txn::Commit, py::arg("synchronous") = 2)
      .def("rollback", [](Txn& t) { t->Rollback(); })
      .def("refresh", [](Txn& t) { Check(t->Refresh()); })
      .def("freeze", [](Txn& t) { t->Freeze(); })
      .def("savepoint", [](Txn& t) { return t->MakeSavepoint().depth; })
      .def("rollback_to", [](Txn& t, uint64_t depth) { Check(t->RollbackTo({depth})); })
      .def("release", [](Txn& t, uint64_t depth) { t->Release({depth}); })
      .def("file_version", [](Txn& t, uint32_t file) { return t->FileVersion(FileId(file)); })
      .def_property_readonly("snapshot_lsn", [](Txn& t) { return t->snapshot_lsn().value(); })
      .def_property_readonly("is_writing", [](Txn& t) { return t->is_writing(); })
      .def_property_readonly("private_bytes", [](Txn& t) { return t->private_bytes(); })
      .def("drop", &Txn::Drop);

  py::class_<TestStore>(m, "Store", py::module_local())
      .def(py::init<TestEnv, const std::string&, bool, bool, uint64_t, uint64_t, uint64_t, uint64_t, bool, uint64_t>(), py::arg("env"),
           py::arg("path"), py::arg("read_only") = false, py::arg("create") = true,
           py::arg("checkpoint_bytes") = 16 << 20, py::arg("segment_bytes") = 16 << 20,
           py::arg("lock_timeout_ms") = 100, py::arg("page_cache_bytes") = 64 << 20,
           py::arg("background") = false, py::arg("checkpoint_interval_ms") = 300'000)
      .def("begin", &TestStore::Begin)
      .def("checkpoint", &TestStore::Checkpoint, py::arg("mode") = 1)
      .def("close", &TestStore::Close)
      .def("drop", &TestStore::Drop)
      .def("stats", &TestStore::Stats)
      .def("set_page_cache_bytes", [](TestStore& s, uint64_t bytes) { s->set_page_cache_bytes(bytes); })
      .def("set_spilling", [](TestStore& s, bool is_on) { s->set_spilling(is_on); })
      .def("measure_commits", &TestStore::MeasureCommits)
      .def_property_readonly("is_read_only", [](TestStore& s) { return s->is_read_only(); })
      .def_property_readonly("last_commit_lsn", [](TestStore& s) { return s->last_commit_lsn().value(); });
}

}  // namespace turdb
