#include "env/posix_lock.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/vfs.h>
#endif

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <set>

#include "base/status_macros.h"
#include "env/posix_error.h"

namespace turdb::env {
namespace {

#if defined(F_OFD_SETLK)
constexpr int kSetLock = F_OFD_SETLK, kGetLock = F_OFD_GETLK;
#else
constexpr int kSetLock = F_SETLK, kGetLock = F_GETLK;
#endif

// Of a lock file: the byte that excludes, and one with a record lock beside it, from which the system tells the holder's pid.
constexpr uint64_t kLockByte = 0, kNameByte = 1;

std::atomic<uint64_t> process_id{0};

std::mutex& DescriptorsMutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}
// Descriptors that may carry locks; a forked child closes its copies.
std::set<int>& Descriptors() {
  static auto* descriptors = new std::set<int>;
  return *descriptors;
}

void BeforeFork() { DescriptorsMutex().lock(); }
void AfterForkInParent() { DescriptorsMutex().unlock(); }
void AfterForkInChild() {
  process_id.store(static_cast<uint64_t>(getpid()), std::memory_order_relaxed);
  for (int fd : Descriptors()) close(fd);
  Descriptors().clear();
  DescriptorsMutex().unlock();
}

// A descriptor that stays behind when the process forks.
class LockedDescriptor {
 public:
  LockedDescriptor(const std::string& path, int flags) : owner_(CurrentProcessId()) {
    std::lock_guard<std::mutex> guard(DescriptorsMutex());
    do {
      fd_ = open(path.c_str(), flags | O_CLOEXEC, 0644);
    } while (fd_ < 0 && errno == EINTR);
    if (fd_ >= 0) Descriptors().insert(fd_);
  }
  ~LockedDescriptor() {
    if (fd_ < 0 || owner_ != CurrentProcessId()) return;
    std::lock_guard<std::mutex> guard(DescriptorsMutex());
    close(fd_);
    Descriptors().erase(fd_);
  }
  LockedDescriptor(const LockedDescriptor&) = delete;
  LockedDescriptor& operator=(const LockedDescriptor&) = delete;
  int fd() const { return fd_; }
  bool is_owner() const { return owner_ == CurrentProcessId(); }

 private:
  int fd_;
  const uint64_t owner_;
};

int Lock(int fd, int command, short type, uint64_t byte, struct flock* lock) {
  *lock = {};
  lock->l_type = type;
  lock->l_whence = SEEK_SET;
  lock->l_start = static_cast<off_t>(byte);
  lock->l_len = 1;
  return fcntl(fd, command, lock);
}

// 1: locked; 0: somebody else is in the way; -1: errno says why not.
int TryLockByte(int fd, short type, uint64_t byte) {
  struct flock lock;
  if (Lock(fd, kSetLock, type, byte, &lock) == 0) return 1;
  return errno == EACCES || errno == EAGAIN ? 0 : -1;
}

// --- lock files --------------------------------------------------------------------------------

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(std::unique_ptr<LockedDescriptor> file) : file_(std::move(file)) {}

 private:
  const std::unique_ptr<LockedDescriptor> file_;
};

// The pid in the file is believed only while such a process lives: its writer may have been killed before the lock went to
// a holder who has not written yet.
uint64_t WrittenPid(int fd) {
  char text[32] = {};
  if (pread(fd, text, sizeof(text) - 1, 0) <= 0) return 0;
  const uint64_t pid = std::strtoull(text, nullptr, 10);
  const bool is_alive = pid > 0 && pid < (1u << 30) && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
  return is_alive ? pid : 0;
}

absl::Status HeldBy(const std::string& path, int fd) {
  struct flock lock;
  const bool is_known = Lock(fd, F_GETLK, F_WRLCK, kNameByte, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0;
  const uint64_t pid = is_known ? static_cast<uint64_t>(lock.l_pid) : WrittenPid(fd);
  const bool is_reader = is_known && lock.l_type == F_RDLCK;
  if (pid == process_id.load()) return BusyError("'", path, "' is locked: it is open in this process already");
  if (pid == 0) return BusyError("'", path, "' is locked by another process");
  return BusyError("'", path, "' is locked: it is being ", is_reader ? "read" : "written", " by process ", pid);
}

absl::StatusOr<std::unique_ptr<FileLock>> LockWith(const std::string& path, int flags, short type) {
  auto file = std::make_unique<LockedDescriptor>(path, flags);
  if (file->fd() < 0) return PosixError("open lock file", path);
  const int locked = TryLockByte(file->fd(), type, kLockByte);
  if (locked < 0) return PosixError("lock", path);
  if (locked == 0) return HeldBy(path, file->fd());
  struct flock lock;
  Lock(file->fd(), F_SETLK, type, kNameByte, &lock);  // only names the holder: nothing depends on it
  if (type == F_WRLCK) {
    const std::string pid = Cat(CurrentProcessId(), "\n");
    if (ftruncate(file->fd(), 0) != 0 ||
        pwrite(file->fd(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      return PosixError("write lock file", path);
    }
  }
  return std::unique_ptr<FileLock>(new PosixLock(std::move(file)));
}

// --- shared memory -----------------------------------------------------------------------------

class PosixSharedMemory final : public SharedMemory {
 public:
  PosixSharedMemory(std::unique_ptr<LockedDescriptor> file, std::string path, void* data, size_t size)
      : file_(std::move(file)), path_(std::move(path)) {
    data_ = static_cast<uint8_t*>(data);
    size_ = size;
  }
  ~PosixSharedMemory() override { munmap(data_, size_); }

  absl::StatusOr<bool> TryLock(uint64_t byte, LockMode mode) override {
    if (!file_->is_owner()) return false;
    const int locked = TryLockByte(file_->fd(), mode == LockMode::kShared ? F_RDLCK : F_WRLCK, byte);
    if (locked < 0) return PosixError("lock", path_);
    return locked == 1;
  }
  void Unlock(uint64_t byte) override {
    struct flock lock;
    if (file_->is_owner()) Lock(file_->fd(), kSetLock, F_UNLCK, byte, &lock);
  }
  absl::StatusOr<bool> IsLocked(uint64_t byte) override {
    struct flock lock;
    if (Lock(file_->fd(), kGetLock, F_WRLCK, byte, &lock) != 0) return PosixError("look at locks of", path_);
    return lock.l_type != F_UNLCK;
  }

 private:
  const std::unique_ptr<LockedDescriptor> file_;
  const std::string path_;
};

// Blocks are written, not only reserved: a store into a hole of a full disk would be a fatal signal.
absl::Status FillUp(int fd, const std::string& path, size_t size) {
  struct stat info;
  if (fstat(fd, &info) != 0) return PosixError("stat", path);
  const auto have = static_cast<size_t>(info.st_size);
  if (have >= size) return absl::OkStatus();
  const std::string zeros(size - have, '\0');
  const ssize_t written = pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(have));
  if (written == static_cast<ssize_t>(zeros.size())) return absl::OkStatus();
  return PosixError("write", path, written < 0 ? errno : ENOSPC);
}

}  // namespace

void InstallForkHandlers() {
  process_id.store(static_cast<uint64_t>(getpid()), std::memory_order_relaxed);
  DescriptorsMutex();
  Descriptors();
  pthread_atfork(&BeforeFork, &AfterForkInParent, &AfterForkInChild);
}

uint64_t CurrentProcessId() { return process_id.load(std::memory_order_relaxed); }

absl::StatusOr<std::unique_ptr<FileLock>> LockPosixFile(const std::string& path) {
  return LockWith(path, O_RDWR | O_CREAT, F_WRLCK);
}

absl::StatusOr<std::unique_ptr<FileLock>> LockPosixFileShared(const std::string& path) {
  return LockWith(path, O_RDONLY, F_RDLCK);
}

absl::StatusOr<std::unique_ptr<SharedMemory>> OpenPosixSharedMemory(const std::string& path, size_t size) {
  auto file = std::make_unique<LockedDescriptor>(path, O_RDWR | O_CREAT);
  if (file->fd() < 0) return PosixError("open", path);
  // Two who fill it up at once write the same zeros only as long as neither has used it: one after the other.
  int locked = TryLockByte(file->fd(), F_WRLCK, size);
  for (int tries = 0; locked == 0 && tries < 5000; ++tries) {  // held for microseconds, but by a process that may be stopped
    usleep(1000);
    locked = TryLockByte(file->fd(), F_WRLCK, size);
  }
  if (locked < 0) return PosixError("lock", path);
  if (locked == 0) return BusyError("'", path, "' is being created by another process");
  const absl::Status filled = FillUp(file->fd(), path, size);
  struct flock lock;
  Lock(file->fd(), kSetLock, F_UNLCK, size, &lock);
  TURDB_RETURN_IF_ERROR(filled);
  // A map keeps its file description, and its locks, alive in a forked child: it gets one of its own.
  const int map_fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (map_fd < 0) return PosixError("open", path);
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  const int error = errno;
  close(map_fd);
  if (data == MAP_FAILED) return PosixError("map", path, error);
  return std::unique_ptr<SharedMemory>(new PosixSharedMemory(std::move(file), path, data, size));
}

bool IsNetworkFileSystem(const std::string& path) {
#if defined(__linux__)
  struct statfs info;
  if (statfs(path.c_str(), &info) != 0) return false;
  switch (static_cast<uint32_t>(info.f_type)) {
    case 0x6969:      // NFS
    case 0xff534d42:  // CIFS
    case 0xfe534d42:  // SMB2
    case 0x517b:      // SMB
    case 0x01021997:  // 9p
    case 0x5346414f:  // AFS
    case 0x6b414653:  // AFS of the kernel
    case 0x00c36400:  // Ceph
    case 0x0bd00bd0:  // Lustre
    case 0x47504653:  // GPFS
    case 0x7461636f:  // OCFS2
    case 0x01161970:  // GFS2
    case 0x73757245:  // Coda
      return true;
    default: return false;
  }
#else
  return false;
#endif
}

}  // namespace turdb::env
