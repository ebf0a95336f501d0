// PosixEnv: directories, locks and clocks of the operating system.
//
// Locks are fcntl record locks: they vanish with the process that took them and do not pass to a forked child. They
// belong to the process, not to the descriptor, so a table of files locked here refuses a second lock by the same
// process (and keeps anybody from opening such a file again, whose close would drop the lock). Thread-safe.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/status_macros.h"
#include "env/env.h"
#include "env/posix_error.h"
#include "env/posix_file.h"
#include "env/posix_spill.h"

namespace turdb::env {
namespace {

using Inode = std::pair<uint64_t, uint64_t>;

std::atomic<uint64_t> process_id{0};
void RememberProcessId() { process_id.store(static_cast<uint64_t>(getpid()), std::memory_order_relaxed); }

std::mutex& LockTableMutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}
// Locked files and the process that locked them: a forked child inherits the table, but not the locks.
std::map<Inode, uint64_t>& LockTable() {
  static auto* table = new std::map<Inode, uint64_t>;
  return *table;
}
bool IsLockedHere(const struct stat& info) {
  const auto found = LockTable().find({info.st_dev, info.st_ino});
  return found != LockTable().end() && found->second == process_id.load();
}

class PosixLock final : public FileLock {
 public:
  PosixLock(int fd, Inode inode) : fd_(fd), inode_(inode), owner_(process_id.load()) {}
  ~PosixLock() override {
    std::lock_guard<std::mutex> guard(LockTableMutex());
    close(fd_);
    if (owner_ == process_id.load()) LockTable().erase(inode_);
  }

 private:
  const int fd_;
  const Inode inode_;
  const uint64_t owner_;
};

absl::Status HeldBy(const std::string& path, uint64_t pid) {
  if (pid == process_id.load()) return BusyError("'", path, "' is locked: it is open in this process already");
  return BusyError("'", path, "' is locked: it is being written by process ", pid);
}

class PosixEnvImpl final : public Env {
 public:
  PosixEnvImpl() {
    RememberProcessId();
    pthread_atfork(nullptr, nullptr, &RememberProcessId);
  }

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
  absl::Status CreateDir(const std::string& path) override {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string prefix = path.substr(0, slash);
      if (mkdir(prefix.c_str(), 0755) != 0 && !DirExists(prefix)) return PosixError("create directory", prefix);
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

  absl::StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    std::lock_guard<std::mutex> guard(LockTableMutex());
    struct stat info;
    if (stat(path.c_str(), &info) == 0 && IsLockedHere(info)) {
      return HeldBy(path, process_id.load());
    }
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return PosixError("open lock file", path);
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(fd, F_SETLK, &lock) != 0) {
      const int error = errno;
      if (error == EACCES || error == EAGAIN) {
        fcntl(fd, F_GETLK, &lock);
        close(fd);
        return HeldBy(path, lock.l_type == F_UNLCK ? 0 : static_cast<uint64_t>(lock.l_pid));
      }
      close(fd);
      return PosixError("lock", path, error);
    }
    const std::string pid = Cat(ProcessId(), "\n");
    if (fstat(fd, &info) != 0 || ftruncate(fd, 0) != 0 ||
        pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      const int error = errno;
      close(fd);
      return PosixError("write lock file", path, error);
    }
    LockTable()[{info.st_dev, info.st_ino}] = ProcessId();
    return std::unique_ptr<FileLock>(new PosixLock(fd, {info.st_dev, info.st_ino}));
  }

  uint64_t NowMicros() override { return Micros(std::chrono::system_clock::now().time_since_epoch()); }
  uint64_t MonotonicMicros() override { return Micros(std::chrono::steady_clock::now().time_since_epoch()); }
  void SleepMicros(uint64_t micros) override { std::this_thread::sleep_for(std::chrono::microseconds(micros)); }
  uint64_t ProcessId() override { return process_id.load(std::memory_order_relaxed); }

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
