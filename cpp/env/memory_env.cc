// MemoryEnv: a file system in memory, for :memory: databases and tests.
//
// A file is a region of anonymous memory, reserved larger than the file (untouched memory costs nothing) and replaced by
// one at least twice as large when it is outgrown. A mapping shares its region by reference count, so it outlives the
// file; one that is as long as asked for shows later writes as long as the file is not written past it.
// Thread-safe: a mutex guards the names; a shared mutex a file lets writes run side by side but not with its growth.
#include "env/memory_env.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>

#include "base/errors.h"
#include "base/status_macros.h"
#include "env/env.h"
#include "env/posix_file.h"
#include "env/shared_region.h"

namespace turdb::env {
namespace {

constexpr size_t kFirstRegionBytes = 1 << 20;

struct Region {
  Region(size_t size_in, bool is_redirectable) : size(size_in) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (is_redirectable) {
      fd = NewDescriptor();
      if (fd < 0 || ftruncate(fd, static_cast<off_t>(size)) != 0) return;
      flags = MAP_SHARED;
    }
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    data = memory == MAP_FAILED ? nullptr : static_cast<uint8_t*>(memory);
  }
  ~Region() {
    if (data != nullptr) munmap(data, size);
    if (fd >= 0) close(fd);
  }
  static int NewDescriptor() {
#if defined(__linux__)
    return memfd_create("turdb", MFD_CLOEXEC);
#else
    char path[] = "/tmp/turdb.XXXXXX";
    const int file = mkstemp(path);
    if (file >= 0) unlink(path);
    return file;
#endif
  }
  uint8_t* data = nullptr;
  const size_t size;
  int fd = -1;  // of a redirectable region
};

class MemoryMapping final : public Mapping {
 public:
  MemoryMapping(std::shared_ptr<Region> region, size_t size) : region_(std::move(region)) {
    data_ = region_->data;
    size_ = size;
  }
  void Advise(Access, size_t, size_t) override {}
  absl::Status Redirect(size_t, size_t, const SpillFile&, uint64_t) override {
    return UnsupportedError("a map of a file in memory cannot be redirected");
  }

 private:
  const std::shared_ptr<Region> region_;
};

struct Contents {
  explicit Contents(bool is_redirectable_in) : is_redirectable(is_redirectable_in) {}
  const bool is_redirectable;
  std::shared_mutex mutex;  // exclusive: changes region; shared: reads and writes its bytes
  std::shared_ptr<Region> region;
  std::atomic<uint64_t> size{0};
  const uint64_t number = NextNumber();  // its identity

  static uint64_t NextNumber() {
    static std::atomic<uint64_t> last{0};
    return last.fetch_add(1) + 1;
  }
  void GrowTo(uint64_t bytes) {
    uint64_t now = size.load();
    while (now < bytes && !size.compare_exchange_weak(now, bytes)) {
    }
  }
  absl::Status Reserve(const std::string& path, size_t bytes) {  // REQUIRES: mutex held exclusively
    if (region != nullptr && region->size >= bytes) return absl::OkStatus();
    const size_t old_size = region == nullptr ? 0 : region->size;
    auto larger = std::make_shared<Region>(std::max({bytes, 2 * old_size, kFirstRegionBytes}), is_redirectable);
    if (larger->data == nullptr) return OutOfMemoryError("cannot grow '", path, "' in memory to ", bytes, " bytes");
    if (size > 0) std::memcpy(larger->data, region->data, size);
    region = std::move(larger);
    return absl::OkStatus();
  }
};

class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<Contents> contents, const std::string& path)
      : contents_(std::move(contents)), path_(path) {}

  absl::Status ReadAt(uint64_t offset, void* to, size_t length) override {
    std::shared_lock<std::shared_mutex> guard(contents_->mutex);
    const uint64_t size = contents_->size;
    if (offset > size || length > size - offset) {
      return IoError("cannot read '", path_, "': unexpected end of file at byte ", size);
    }
    if (length > 0) std::memcpy(to, contents_->region->data + offset, length);
    return absl::OkStatus();
  }

  absl::Status WriteAt(uint64_t offset, const void* from, size_t length) override {
    if (length == 0) return absl::OkStatus();
    {
      std::shared_lock<std::shared_mutex> guard(contents_->mutex);
      if (contents_->region != nullptr && offset + length <= contents_->region->size) {
        std::memcpy(contents_->region->data + offset, from, length);
        contents_->GrowTo(offset + length);
        return absl::OkStatus();
      }
    }
    std::lock_guard<std::shared_mutex> guard(contents_->mutex);
    TURDB_RETURN_IF_ERROR(contents_->Reserve(path_, offset + length));
    std::memcpy(contents_->region->data + offset, from, length);
    contents_->GrowTo(offset + length);
    return absl::OkStatus();
  }

  absl::Status WriteVectorAt(uint64_t offset, const std::vector<std::string_view>& parts) override {
    for (std::string_view part : parts) {
      TURDB_RETURN_IF_ERROR(WriteAt(offset, part.data(), part.size()));
      offset += part.size();
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override { return absl::OkStatus(); }

  absl::Status Truncate(uint64_t size) override {
    std::lock_guard<std::shared_mutex> guard(contents_->mutex);
    TURDB_RETURN_IF_ERROR(contents_->Reserve(path_, size));
    // Bytes cut off read as zero when the file grows again.
    if (size < contents_->size) std::memset(contents_->region->data + size, 0, contents_->size - size);
    contents_->size = size;
    return absl::OkStatus();
  }

  absl::Status Preallocate(uint64_t) override { return absl::OkStatus(); }

  absl::StatusOr<uint64_t> Size() override {
    return contents_->size.load();
  }

  absl::StatusOr<std::string> Identity() override { return Cat(contents_->number); }

  absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t length) override {
    std::lock_guard<std::shared_mutex> guard(contents_->mutex);
    TURDB_RETURN_IF_ERROR(contents_->Reserve(path_, length));
    if (contents_->is_redirectable) return NewPosixMapping(contents_->region->fd, length, path_);
    return std::unique_ptr<Mapping>(new MemoryMapping(contents_->region, length));
  }

  const std::string& path() const override { return path_; }

 private:
  const std::shared_ptr<Contents> contents_;
  const std::string path_;
};

class MemoryEnvImpl final : public Env {
 public:
  explicit MemoryEnvImpl(bool is_redirectable) : is_redirectable_(is_redirectable) {}

  absl::StatusOr<std::unique_ptr<File>> OpenFile(const std::string& path, OpenMode mode) override {
    std::lock_guard<std::mutex> guard(mutex_);
    auto found = files_.find(path);
    if (found != files_.end() && mode == OpenMode::kCreateNew) return Failure("create", path, "file exists");
    if (found == files_.end()) {
      if (mode < OpenMode::kCreate) return Failure("open", path, "no such file");
      if (dirs_.count(Parent(path)) == 0) return Failure("create", path, "no such directory");
      found = files_.emplace(path, std::make_shared<Contents>(is_redirectable_)).first;
    }
    return std::unique_ptr<File>(new MemoryFile(found->second, path));
  }
  absl::StatusOr<std::unique_ptr<File>> OpenTempFile(const std::string& directory) override {
    return std::unique_ptr<File>(new MemoryFile(std::make_shared<Contents>(false), directory + "/(temporary file)"));
  }
  bool FileExists(const std::string& path) override {
    std::lock_guard<std::mutex> guard(mutex_);
    return files_.count(path) > 0 || locks_.count(path) > 0;
  }
  bool DirExists(const std::string& path) override {
    std::lock_guard<std::mutex> guard(mutex_);
    return dirs_.count(path) > 0;
  }
  absl::Status DeleteFile(const std::string& path) override {
    std::lock_guard<std::mutex> guard(mutex_);
    return files_.erase(path) > 0 ? absl::OkStatus() : Failure("delete", path, "no such file");
  }
  absl::Status RenameFile(const std::string& from, const std::string& to) override {
    std::lock_guard<std::mutex> guard(mutex_);
    auto node = files_.extract(from);
    if (node.empty()) return Failure("rename", from, "no such file");
    files_[to] = std::move(node.mapped());
    return absl::OkStatus();
  }
  absl::Status LinkFile(const std::string& from, const std::string& to) override {
    std::lock_guard<std::mutex> guard(mutex_);
    const auto found = files_.find(from);
    if (found == files_.end()) return Failure("make a second name for", from, "no such file");
    if (!files_.emplace(to, found->second).second) return Failure("make a second name for", from, "file exists");
    return absl::OkStatus();
  }
  absl::Status CreateDir(const std::string& path) override {
    std::lock_guard<std::mutex> guard(mutex_);
    for (std::string at = path; !at.empty(); at = Parent(at)) {
      if (files_.count(at) > 0) return Failure("create directory", at, "a file of this name exists");
      dirs_.insert(at);
    }
    return absl::OkStatus();
  }
  absl::Status DeleteDir(const std::string& path) override {
    std::lock_guard<std::mutex> guard(mutex_);
    return dirs_.erase(path) > 0 ? absl::OkStatus() : Failure("delete directory", path, "no such directory");
  }
  absl::Status SyncDir(const std::string&) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<std::string>> ListDir(const std::string& path) override {
    std::lock_guard<std::mutex> guard(mutex_);
    if (dirs_.count(path) == 0) return Failure("list directory", path, "no such directory");
    std::set<std::string> names;
    for (const auto& [name, contents] : files_) {
      if (Parent(name) == path) names.insert(name.substr(path.size() + 1));
    }
    for (const std::string& name : dirs_) {
      if (Parent(name) == path && name != path) names.insert(name.substr(path.size() + 1));
    }
    return std::vector<std::string>(names.begin(), names.end());
  }
  absl::StatusOr<std::string> CanonicalPath(const std::string& path) override { return path; }

  absl::StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    std::lock_guard<std::mutex> guard(mutex_);
    auto& region = locks_[path];
    if (region == nullptr) region = NewSharedRegion(1);
    return Lock(region, LockMode::kExclusive, path);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> LockFileShared(const std::string& path) override {
    std::lock_guard<std::mutex> guard(mutex_);
    auto& region = locks_[path];
    if (region == nullptr) return Failure("lock", path, "no such file");
    return Lock(region, LockMode::kShared, path);
  }
  absl::StatusOr<std::unique_ptr<SharedMemory>> OpenSharedMemory(const std::string& path, size_t size) override {
    std::lock_guard<std::mutex> guard(mutex_);
    auto& region = shared_[path];
    if (region == nullptr) region = NewSharedRegion(size);
    return OpenSharedRegion(region);
  }

  bool IsVolatile() const override { return true; }
  uint64_t NowMicros() override { return PosixEnv()->NowMicros(); }
  uint64_t MonotonicMicros() override { return PosixEnv()->MonotonicMicros(); }
  void SleepMicros(uint64_t micros) override { PosixEnv()->SleepMicros(micros); }
  uint64_t ProcessId() override { return PosixEnv()->ProcessId(); }

 private:
  static std::string Parent(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
  }
  struct LockedRegion final : FileLock {
    explicit LockedRegion(std::unique_ptr<SharedMemory> region_in) : region(std::move(region_in)) {}
    const std::unique_ptr<SharedMemory> region;
  };
  static absl::StatusOr<std::unique_ptr<FileLock>> Lock(std::shared_ptr<SharedRegion> region, LockMode mode,
                                                        const std::string& path) {
    auto handle = OpenSharedRegion(std::move(region));
    TURDB_ASSIGN_OR_RETURN(const bool is_locked, handle->TryLock(0, mode));
    if (!is_locked) return BusyError("'", path, "' is locked: it is open in this process already");
    return std::unique_ptr<FileLock>(new LockedRegion(std::move(handle)));
  }
  static absl::Status Failure(std::string_view operation, const std::string& path, std::string_view cause) {
    return IoError("cannot ", operation, " '", path, "' in memory: ", cause);
  }

  const bool is_redirectable_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Contents>> files_;
  std::set<std::string> dirs_ = {""};
  // No files: ListDir does not show them. Of a locked file the first byte is.
  std::map<std::string, std::shared_ptr<SharedRegion>> locks_, shared_;
};

}  // namespace

std::unique_ptr<Env> NewMemoryEnv() { return std::make_unique<MemoryEnvImpl>(false); }

std::unique_ptr<Env> NewRedirectableMemoryEnv() { return std::make_unique<MemoryEnvImpl>(true); }

}  // namespace turdb::env
