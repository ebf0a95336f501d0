// The file systems of tests as Python sees them: Env objects of the operating system, in memory, and with faults.
// Errors are RuntimeError("Kind: message").
#pragma once

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>

#include "env/fault_env.h"
#include "testing/check.h"

namespace turdb::testing {

namespace py = pybind11;

struct TestEnv {
  std::shared_ptr<env::Env> env;
  env::FaultEnv& Faults() {
    auto* faults = dynamic_cast<env::FaultEnv*>(env.get());
    if (faults == nullptr) throw std::runtime_error("not a fault_env()");
    return *faults;
  }
};

inline void BindFaults(py::class_<TestEnv>& env) {
  env.def("calls", [](TestEnv& e) { return e.Faults().calls(); })
      .def("fail_at", [](TestEnv& e, uint64_t call, int fault, uint64_t n) {
        e.Faults().FailAt(call, static_cast<env::Fault>(fault), n);
      }, py::arg("call"), py::arg("fault"), py::arg("n") = 1)
      .def("watch", [](TestEnv& e, env::FaultEnv::Watcher watcher) { e.Faults().Watch(std::move(watcher)); },
           py::arg("watcher").none(true))
      .def("fail_syncs", [](TestEnv& e, bool is_failing) { e.Faults().FailSyncs(is_failing); })
      .def("set_on_network", [](TestEnv& e, bool is_on_network) { e.Faults().SetOnNetwork(is_on_network); })
      .def("cut_power", [](TestEnv& e) { e.Faults().CutPower(); })
      .def("restart", [](TestEnv& e, uint64_t seed) { e.Faults().Restart(seed); })
      .def("kill_process", [](TestEnv& e) { e.Faults().KillProcess(); });
}

inline void BindFiles(py::class_<TestEnv>& env) {
  env.def("read", [](TestEnv& e, const std::string& path) {
        auto file = Check(e.env->OpenFile(path, env::OpenMode::kReadOnly));
        std::string bytes(Check(file->Size()), '\0');
        Check(file->ReadAt(0, bytes.data(), bytes.size()));
        return py::bytes(bytes);
      })
      .def("write", [](TestEnv& e, const std::string& path, uint64_t offset, const py::bytes& data) {
        const std::string bytes = data;
        Check(Check(e.env->OpenFile(path, env::OpenMode::kCreate))->WriteAt(offset, bytes.data(), bytes.size()));
      })
      .def("sync", [](TestEnv& e, const std::string& path) {
        Check(Check(e.env->OpenFile(path, env::OpenMode::kReadWrite))->Sync());
      })
      .def("truncate", [](TestEnv& e, const std::string& path, uint64_t size) {
        Check(Check(e.env->OpenFile(path, env::OpenMode::kReadWrite))->Truncate(size));
      })
      .def("delete", [](TestEnv& e, const std::string& path) { Check(e.env->DeleteFile(path)); })
      .def("mkdir", [](TestEnv& e, const std::string& path) { Check(e.env->CreateDir(path)); })
      .def("sync_dir", [](TestEnv& e, const std::string& path) { Check(e.env->SyncDir(path)); })
      .def("list", [](TestEnv& e, const std::string& path) { return Check(e.env->ListDir(path)); });
}

// Env, posix_env(), memory_env(), fault_env() and the kinds of fault.
inline void BindEnvs(py::module_& m) {
  py::class_<TestEnv> env(m, "Env", py::module_local());
  BindFaults(env);
  BindFiles(env);
  m.attr("IO_ERROR") = static_cast<int>(env::Fault::kIo);
  m.attr("DISK_FULL") = static_cast<int>(env::Fault::kDiskFull);
  m.attr("POWER_LOSS") = static_cast<int>(env::Fault::kPowerLoss);
  m.attr("SHORT_WRITE") = static_cast<int>(env::Fault::kShortWrite);
  m.def("posix_env", [] { return TestEnv{std::shared_ptr<env::Env>(env::PosixEnv(), [](env::Env*) {})}; });
  m.def("memory_env", [] { return TestEnv{std::shared_ptr<env::Env>(env::NewMemoryEnv())}; });
  m.def("fault_env", [] { return TestEnv{std::shared_ptr<env::Env>(env::NewFaultEnv())}; });
}

}  // namespace turdb::testing
