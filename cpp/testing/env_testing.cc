// LINKS: env
// turdb._testing.env: checksums and the file systems below the store.
#include <pybind11/pybind11.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "env/env.h"
#include "testing/check.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;

struct TestEnv {
  std::shared_ptr<env::Env> env;
};
struct TestMapping {
  std::shared_ptr<env::Mapping> mapping;
};
struct TestFile {
  std::shared_ptr<env::File> file;
};

}  // namespace

PYBIND11_MODULE(env, m) {
  m.def("crc32c", [](uint32_t crc, const py::bytes& data) {
    const std::string bytes = data;
    return Crc32c(crc, bytes.data(), bytes.size());
  });
  m.def("crc32c_by_table", [](uint32_t crc, const py::bytes& data) {
    const std::string bytes = data;
    return Crc32cByTable(crc, bytes.data(), bytes.size());
  });
  m.def("measure_crc32c", [](size_t bytes, int rounds) {  // GB/s
    const std::string data(bytes, 'x');
    uint32_t crc = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) crc = Crc32c(crc, data.data(), data.size());
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(bytes) * rounds / took.count() + (crc == 1 ? 1e-9 : 0);
  });
  m.def("posix_env", [] { return TestEnv{std::shared_ptr<env::Env>(env::PosixEnv(), [](env::Env*) {})}; });
  m.def("memory_env", [] { return TestEnv{std::shared_ptr<env::Env>(env::NewMemoryEnv())}; });

  py::class_<TestMapping>(m, "Mapping", py::module_local())
      .def("read", [](const TestMapping& map, size_t offset, size_t length) {
        if (offset + length > map.mapping->size()) throw std::out_of_range("past the mapping");
        return py::bytes(reinterpret_cast<const char*>(map.mapping->data()) + offset, length);
      });
  py::class_<TestFile>(m, "File", py::module_local())
      .def("write", [](TestFile& f, uint64_t offset, const py::bytes& data) {
        const std::string bytes = data;
        Check(f.file->WriteAt(offset, bytes.data(), bytes.size()));
      })
      .def("write_vector", [](TestFile& f, uint64_t offset, const py::list& parts) {
        std::vector<std::string> bytes;
        for (const auto& part : parts) bytes.push_back(part.cast<std::string>());
        Check(f.file->WriteVectorAt(offset, std::vector<std::string_view>(bytes.begin(), bytes.end())));
      })
      .def("read", [](TestFile& f, uint64_t offset, size_t length) {
        std::string bytes(length, '\0');
        Check(f.file->ReadAt(offset, bytes.data(), length));
        return py::bytes(bytes);
      })
      .def("sync", [](TestFile& f) { Check(f.file->Sync()); })
      .def("truncate", [](TestFile& f, uint64_t size) { Check(f.file->Truncate(size)); })
      .def("preallocate", [](TestFile& f, uint64_t size) { Check(f.file->Preallocate(size)); })
      .def("size", [](TestFile& f) { return Check(f.file->Size()); })
      .def("map", [](TestFile& f, size_t length) {
        return TestMapping{std::shared_ptr<env::Mapping>(Check(f.file->Map(length)))};
      });
  py::class_<TestEnv>(m, "Env", py::module_local())
      .def("open", [](TestEnv& e, const std::string& path, int mode) {
        return TestFile{std::shared_ptr<env::File>(Check(e.env->OpenFile(path, static_cast<env::OpenMode>(mode))))};
      })
      .def("open_temp", [](TestEnv& e, const std::string& directory) {
        return TestFile{std::shared_ptr<env::File>(Check(e.env->OpenTempFile(directory)))};
      })
      .def("file_exists", [](TestEnv& e, const std::string& path) { return e.env->FileExists(path); })
      .def("dir_exists", [](TestEnv& e, const std::string& path) { return e.env->DirExists(path); })
      .def("delete", [](TestEnv& e, const std::string& path) { Check(e.env->DeleteFile(path)); })
      .def("rename", [](TestEnv& e, const std::string& a, const std::string& b) { Check(e.env->RenameFile(a, b)); })
      .def("mkdir", [](TestEnv& e, const std::string& path) { Check(e.env->CreateDir(path)); })
      .def("rmdir", [](TestEnv& e, const std::string& path) { Check(e.env->DeleteDir(path)); })
      .def("sync_dir", [](TestEnv& e, const std::string& path) { Check(e.env->SyncDir(path)); })
      .def("list", [](TestEnv& e, const std::string& path) {
        py::list names;
        for (const std::string& name : Check(e.env->ListDir(path))) names.append(name);
        return names;
      });
}

}  // namespace turdb
