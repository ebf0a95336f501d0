// LINKS: txn
// turdb._testing.txn: the store and its transactions, page by page. Errors are RuntimeError("Kind: message").
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "base/errors.h"
#include "env/fault_env.h"
#include "pager/file_view.h"
#include "pager/file_writer.h"
#include "txn/store.h"

namespace py = pybind11;

namespace turdb {
namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  throw std::runtime_error(Cat(ErrorKindName(KindOf(status)), ": ", FromAbsl(status.message())));
}
template <typename T>
T Check(absl::StatusOr<T> result) {
  Check(result.status());
  return *std::move(result);
}

struct TestEnv {
  std::shared_ptr<env::Env> env;
  env::FaultEnv& Faults() {
    auto* faults = dynamic_cast<env::FaultEnv*>(env.get());
    if (faults == nullptr) throw std::runtime_error("not a fault_env()");
    return *faults;
  }
};

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
            uint64_t segment_bytes, uint64_t lock_timeout_ms)
      : env_(env.env) {
    txn::StoreOptions options;
    options.is_read_only = read_only;
    options.create_if_missing = create;
    options.checkpoint_bytes = checkpoint_bytes;
    options.wal_segment_bytes = segment_bytes;
    options.lock_timeout_ms = lock_timeout_ms;
    py::gil_scoped_release release;
    store_ = Check(txn::Store::Open(env_.get(), path, options));
  }
  std::unique_ptr<Txn> Begin() { return std::make_unique<Txn>(env_, store_->Begin()); }
  bool Checkpoint() {
    py::gil_scoped_release release;
    return Check(store_->Checkpoint());
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
  py::class_<TestEnv>(m, "Env", py::module_local())
      .def("calls", [](TestEnv& e) { return e.Faults().calls(); })
      .def("fail_at", [](TestEnv& e, uint64_t call, int fault, uint64_t n) {
        e.Faults().FailAt(call, static_cast<env::Fault>(fault), n);
      }, py::arg("call"), py::arg("fault"), py::arg("n") = 1)
      .def("fail_syncs", [](TestEnv& e, bool is_failing) { e.Faults().FailSyncs(is_failing); })
      .def("set_on_network", [](TestEnv& e, bool is_on_network) { e.Faults().SetOnNetwork(is_on_network); })
      .def("cut_power", [](TestEnv& e) { e.Faults().CutPower(); })
      .def("restart", [](TestEnv& e, uint64_t seed) { e.Faults().Restart(seed); })
      .def("kill_process", [](TestEnv& e) { e.Faults().KillProcess(); })
      .def("read", [](TestEnv& e, const std::string& path) {
        auto file = Check(e.env->OpenFile(path, env::OpenMode::kReadOnly));
        std::string bytes(Check(file->Size()), '\0');
        Check(file->ReadAt(0, bytes.data(), bytes.size()));
        return py::bytes(bytes);
      })
      .def("write", [](TestEnv& e, const std::string& path, uint64_t offset, const py::bytes& data) {
        const std::string bytes = data;
        Check(Check(e.env->OpenFile(path, env::OpenMode::kCreate))->WriteAt(offset, bytes.data(), bytes.size()));
      })
      .def("truncate", [](TestEnv& e, const std::string& path, uint64_t size) {
        Check(Check(e.env->OpenFile(path, env::OpenMode::kReadWrite))->Truncate(size));
      })
      .def("delete", [](TestEnv& e, const std::string& path) { Check(e.env->DeleteFile(path)); })
      .def("mkdir", [](TestEnv& e, const std::string& path) { Check(e.env->CreateDir(path)); })
      .def("list", [](TestEnv& e, const std::string& path) { return Check(e.env->ListDir(path)); });
  m.attr("IO_ERROR") = static_cast<int>(env::Fault::kIo);
  m.attr("DISK_FULL") = static_cast<int>(env::Fault::kDiskFull);
  m.attr("POWER_LOSS") = static_cast<int>(env::Fault::kPowerLoss);
  m.def("posix_env", [] { return TestEnv{std::shared_ptr<env::Env>(env::PosixEnv(), [](env::Env*) {})}; });
  m.def("memory_env", [] { return TestEnv{std::shared_ptr<env::Env>(env::NewMemoryEnv())}; });
  m.def("fault_env", [] { return TestEnv{std::shared_ptr<env::Env>(env::NewFaultEnv())}; });
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
      .def(py::init<TestEnv, const std::string&, bool, bool, uint64_t, uint64_t, uint64_t>(), py::arg("env"),
           py::arg("path"), py::arg("read_only") = false, py::arg("create") = true,
           py::arg("checkpoint_bytes") = 16 << 20, py::arg("segment_bytes") = 16 << 20,
           py::arg("lock_timeout_ms") = 100)
      .def("begin", &TestStore::Begin)
      .def("checkpoint", &TestStore::Checkpoint)
      .def("close", &TestStore::Close)
      .def("drop", &TestStore::Drop)
      .def("stats", &TestStore::Stats)
      .def("measure_commits", &TestStore::MeasureCommits)
      .def_property_readonly("is_read_only", [](TestStore& s) { return s->is_read_only(); })
      .def_property_readonly("last_commit_lsn", [](TestStore& s) { return s->last_commit_lsn().value(); });
}

}  // namespace turdb
