// LINKS: wal
// turdb._testing.wal: the log by itself: transactions appended, aborted, read back.
#include <pybind11/pybind11.h>

#include <memory>
#include <string>

#include "base/errors.h"
#include "env/fault_env.h"
#include "format/page.h"
#include "testing/check.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;

constexpr uint64_t kSalt = 77;

struct LogEnv {
  std::shared_ptr<env::FaultEnv> env = std::shared_ptr<env::FaultEnv>(env::NewFaultEnv());
};

class Writer {
 public:
  Writer(LogEnv env, uint64_t segment_bytes, uint32_t number, uint64_t lsn) : env_(env.env) {
    Check(env_->CreateDir("wal"));
    writer_ = std::make_unique<wal::LogWriter>(env_.get(), wal::LogOptions{"wal", kSalt, segment_bytes}, number, Lsn(lsn));
  }
  // One transaction: pages of file `file` set to a byte; its end.
  uint64_t Commit(uint32_t file, uint32_t first_page, uint32_t n, uint8_t fill) {
    auto end = Append(file, first_page, n, fill);
    if (!end.ok()) writer_->Abort().IgnoreError();
    return Check(std::move(end)).value();
  }
  wal::LogWriter* operator->() { return writer_.get(); }

 private:
  absl::StatusOr<Lsn> Append(uint32_t file, uint32_t first_page, uint32_t n, uint8_t fill) {
    const std::string page(format::kPageBytes, static_cast<char>(fill));
    absl::Status status = writer_->Begin();
    const std::string path = Cat("root/", file, ".tbd");
    for (uint32_t i = 0; i < n && status.ok(); ++i) {
      status = writer_->AddPage(FileId(file), path, PageId(first_page + i), nullptr,
                                reinterpret_cast<const uint8_t*>(page.data()));
    }
    if (!status.ok()) return status;
    return writer_->Commit();
  }
  std::shared_ptr<env::FaultEnv> env_;
  std::unique_ptr<wal::LogWriter> writer_;
};

class Collector final : public wal::LogVisitor {
 public:
  absl::Status OnCreate(FileId, const std::string&) override { return absl::OkStatus(); }
  absl::Status OnDrop(FileId) override { return absl::OkStatus(); }
  absl::Status OnPage(FileId file, PageId page, const wal::PageChange& change) override {
    const int last = change.delta_end[-2];  // byte of the page
    pages.append(py::make_tuple(file.value(), page.value(), last));
    return absl::OkStatus();
  }
  absl::Status OnFrameEnd(format::FrameKind, Lsn) override { return absl::OkStatus(); }
  py::list pages;
};

py::tuple ReadLog(LogEnv env, uint32_t first_segment, uint64_t checkpoint_lsn) {
  wal::LogReader reader(env.env.get(), "wal", kSalt, first_segment, Lsn(checkpoint_lsn));
  Check(reader.Scan());
  Collector collector;
  Check(reader.Replay(&collector));
  return py::make_tuple(reader.commits(), reader.end_lsn().value(), reader.next_segment(), collector.pages);
}

}  // namespace

PYBIND11_MODULE(wal, m) {
  py::class_<LogEnv>(m, "LogEnv", py::module_local())
      .def(py::init<>())
      .def("calls", [](LogEnv& e) { return e.env->calls(); })
      .def("fail_at", [](LogEnv& e, uint64_t call, int fault) { e.env->FailAt(call, static_cast<env::Fault>(fault)); })
      .def("cut_power", [](LogEnv& e) { e.env->CutPower(); })
      .def("restart", [](LogEnv& e, uint64_t seed) { e.env->Restart(seed); })
      .def("segments", [](LogEnv& e) {
        py::list names;
        for (const std::string& name : Check(e.env->ListDir("wal"))) names.append(name);
        return names;
      });
  py::class_<Writer>(m, "LogWriter", py::module_local())
      .def(py::init<LogEnv, uint64_t, uint32_t, uint64_t>(), py::arg("env"), py::arg("segment_bytes") = 1 << 20,
           py::arg("number") = 1, py::arg("lsn") = 0)
      .def("commit", &Writer::Commit)
      .def("sync", [](Writer& w) { return Check(w->Sync()).value(); })
      .def("end_lsn", [](Writer& w) { return w->end_lsn().value(); })
      .def("begin_new_segment", [](Writer& w) { w->BeginNewSegment(); })
      .def("first_segment_for", [](Writer& w, uint64_t lsn) { return w->FirstSegmentFor(Lsn(lsn)); })
      .def("drop_before", [](Writer& w, uint32_t segment) { w->DropBefore(segment); });
  m.def("read_log", &ReadLog, py::arg("env"), py::arg("first_segment") = 1, py::arg("checkpoint_lsn") = 0);
  m.attr("IO_ERROR") = static_cast<int>(env::Fault::kIo);
  m.attr("DISK_FULL") = static_cast<int>(env::Fault::kDiskFull);
}

}  // namespace turdb
