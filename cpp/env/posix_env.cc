// PosixEnv: directories and clocks of the operating system. Its locks are in posix_lock.cc. Thread-safe.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/status_macros.h"
#include "env/env.h"
#include "env/posix_error.h"
#include "env/posix_file.h"
#include "env/posix_lock.h"
#include "env/posix_spill.h"

namespace turdb::env {
namespace {

class PosixEnvImpl final : public Env {
 public:
  PosixEnvImpl() { InstallForkHandlers(); }

  absl::StatusOr<std::unique_ptr<File>> OpenFile(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC | (mode == OpenMode::kReadOnly ? O_RDONLY : O_RDWR);
    if (mode == OpenMode::kCreate) flags |= O_CREAT;
    if (mode == OpenMode::kCreateNew) flags |= O_CREAT | O_EXCL;
    int fd;
    do {
      fd = open(path.c_str(), flags, 0644);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return PosixError(mode >= OpenMode::kCreate ? "create" : "open", path);
    return NewPosixFile(fd, path);
  }

  absl::StatusOr<std::unique_ptr<File>> OpenTempFile(const std::string& directory) override {
    return OpenPosixTempFile(directory);
  }

  bool FileExists(const std::string& path) override {
    struct stat info;
    return stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
  }
  bool DirExists(const std::string& path) override {
    struct stat info;
    return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  }
  absl::Status DeleteFile(const std::string& path) override {
    return unlink(path.c_str()) == 0 ? absl::OkStatus() : PosixError("delete", path);
  }
  absl::Status RenameFile(const std::string& from, const std::string& to) override {
    return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : PosixError("rename", from);
  }
  absl::Status LinkFile(const std::string& from, const std::string& to) override {
    return link(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : PosixError("make a second name for", from);
  }
  absl::Status CreateDir(const std::string& path) override {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string prefix = path.substr(0, slash);
      const int error = mkdir(prefix.c_str(), 0755) == 0 ? 0 : errno;  // which looking for the directory changes
      if (error != 0 && !DirExists(prefix)) return PosixError("create directory", prefix, error);
      if (slash == std::string::npos) return absl::OkStatus();
    }
  }
  absl::Status DeleteDir(const std::string& path) override {
    return rmdir(path.c_str()) == 0 ? absl::OkStatus() : PosixError("delete directory", path);
  }
  absl::Status SyncDir(const std::string& path) override {
    const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return PosixError("open directory", path);
    const int result = fsync(fd);
    const int error = errno;
    close(fd);
    // Some file systems cannot sync a directory and say so with EINVAL; there is nothing more to do there.
    return result == 0 || error == EINVAL ? absl::OkStatus() : PosixError("sync directory", path, error);
  }
  absl::StatusOr<std::vector<std::string>> ListDir(const std::string& path) override {
    DIR* dir = opendir(path.c_str());
    if (dir == nullptr) return PosixError("list directory", path);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }
  absl::StatusOr<std::string> CanonicalPath(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return PosixError("stat", path);
    return Cat(static_cast<uint64_t>(info.st_dev), ":", static_cast<uint64_t>(info.st_ino));
  }

  absl::StatusOr<std::unique_ptr<SpillFile>> NewSpillFile(const std::string& directory) override {
    return NewPosixSpillFile(directory);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override { return LockPosixFile(path); }
  absl::StatusOr<std::unique_ptr<FileLock>> LockFileShared(const std::string& path) override {
    return LockPosixFileShared(path);
  }
  absl::StatusOr<std::unique_ptr<SharedMemory>> OpenSharedMemory(const std::string& path, size_t size) override {
    return OpenPosixSharedMemory(path, size);
  }
  bool IsOnNetwork(const std::string& directory) override { return IsNetworkFileSystem(directory); }

  uint64_t NowMicros() override { return Micros(std::chrono::system_clock::now().time_since_epoch()); }
  uint64_t MonotonicMicros() override { return Micros(std::chrono::steady_clock::now().time_since_epoch()); }
  void SleepMicros(uint64_t micros) override { std::this_thread::sleep_for(std::chrono::microseconds(micros)); }
  uint64_t ProcessId() override { return CurrentProcessId(); }

 private:
  template <typename Duration>
  static uint64_t Micros(Duration duration) {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
  }
};

}  // namespace

Env* PosixEnv() {
  static auto* env = new PosixEnvImpl;
  return env;
}

}  // namespace turdb::env
