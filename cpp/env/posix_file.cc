// PosixFile: every call loops over short counts and EINTR. Thread-safe: it has no state but the descriptor.
#include "env/posix_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#endif

#include <algorithm>

#include "base/poison.h"
#include "base/status_macros.h"
#include "env/posix_error.h"

namespace turdb::env {
namespace {

// Maps over what is mapped, with the same bytes. ThreadSanitizer would take the call for a write of them all; it changes none.
void* MapSame(void* at, size_t length, int fd, off_t offset) {
#if defined(__linux__) && defined(TURDB_THREAD_SANITIZER)
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, length, PROT_READ, MAP_SHARED | MAP_FIXED, fd, offset));
#else
  return mmap(at, length, PROT_READ, MAP_SHARED | MAP_FIXED, fd, offset);
#endif
}

class PosixMapping final : public Mapping {
 public:
  PosixMapping(void* data, size_t size) {
    data_ = static_cast<const uint8_t*>(data);
    size_ = size;
  }
  ~PosixMapping() override { munmap(const_cast<uint8_t*>(data_), size_); }

  void Advise(Access access, size_t offset, size_t length) override {
    static const size_t os_page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t begin = offset & ~(os_page - 1);
    const size_t end = std::min(size_, offset + length);
    if (end <= begin) return;
    int advice = MADV_NORMAL;
    if (access == Access::kRandom) advice = MADV_RANDOM;
    if (access == Access::kSequential) advice = MADV_SEQUENTIAL;
    if (access == Access::kWillNeed) advice = MADV_WILLNEED;
    madvise(const_cast<uint8_t*>(data_) + begin, end - begin, advice);
  }

  // A fixed map replaces what lies there under the lock that page faults take: nobody sees a gap, nor other bytes.
  absl::Status Redirect(size_t offset, size_t length, const SpillFile& spill, uint64_t spill_offset) override {
    if (offset > size_ || length > size_ - offset) return InternalError("a redirection lies past the map's end");
    void* at = const_cast<uint8_t*>(data_) + offset;
    void* data = MapSame(at, length, spill.descriptor(), static_cast<off_t>(spill_offset));
    return data == MAP_FAILED ? PosixError("map preserved pages in", "a data file's map") : absl::OkStatus();
  }
};

class PosixFile final : public File {
 public:
  PosixFile(int fd, const std::string& path) : fd_(fd), path_(path) {}
  ~PosixFile() override { close(fd_); }

  absl::Status ReadAt(uint64_t offset, void* to, size_t length) override {
    auto* at = static_cast<char*>(to);
    while (length > 0) {
      const ssize_t n = pread(fd_, at, length, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return PosixError("read", path_);
      if (n == 0) return IoError("cannot read '", path_, "': unexpected end of file at byte ", offset);
      at += n;
      offset += static_cast<uint64_t>(n);
      length -= static_cast<size_t>(n);
    }
    return absl::OkStatus();
  }

  absl::Status WriteAt(uint64_t offset, const void* from, size_t length) override {
    auto* at = static_cast<const char*>(from);
    while (length > 0) {
      const ssize_t n = pwrite(fd_, at, length, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return PosixError("write", path_);
      if (n == 0) return PosixError("write", path_, ENOSPC);
      at += n;
      offset += static_cast<uint64_t>(n);
      length -= static_cast<size_t>(n);
    }
    return absl::OkStatus();
  }

  absl::Status WriteVectorAt(uint64_t offset, const std::vector<std::string_view>& parts) override {
    constexpr size_t kMaxParts = 512;
    size_t part = 0;
    size_t skip = 0;  // bytes of `part` already written
    while (part < parts.size()) {
      iovec vectors[kMaxParts];
      size_t n_vectors = 0;
      for (size_t i = part; i < parts.size() && n_vectors < kMaxParts; ++i) {
        const size_t done = i == part ? skip : 0;
        vectors[n_vectors++] = {const_cast<char*>(parts[i].data()) + done, parts[i].size() - done};
      }
      ssize_t n = pwritev(fd_, vectors, static_cast<int>(n_vectors), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return PosixError("write", path_);
      offset += static_cast<uint64_t>(n);
      size_t written = static_cast<size_t>(n);
      const bool moved = written > 0;
      while (part < parts.size() && written >= parts[part].size() - skip) {
        written -= parts[part].size() - skip;
        skip = 0;
        ++part;
      }
      skip += written;
      if (!moved && part < parts.size()) return PosixError("write", path_, ENOSPC);
    }
    return absl::OkStatus();
  }

  absl::Status CopyFrom(File& from, uint64_t length) override {
#if defined(FICLONE)
    const auto* other = dynamic_cast<const PosixFile*>(&from);
    if (other != nullptr && ioctl(fd_, FICLONE, other->fd_) == 0) return absl::OkStatus();
#endif
    return File::CopyFrom(from, length);
  }

  absl::Status Sync() override {
#if defined(__APPLE__)
    if (fcntl(fd_, F_FULLFSYNC) == 0) return absl::OkStatus();
    if (fsync(fd_) != 0) return PosixError("sync", path_);
#else
    if (fdatasync(fd_) != 0) return PosixError("sync", path_);
#endif
    return absl::OkStatus();
  }

  void StartWriteback(uint64_t offset, uint64_t length) override {
#if defined(__linux__)
    sync_file_range(fd_, static_cast<off64_t>(offset), static_cast<off64_t>(length), SYNC_FILE_RANGE_WRITE);
#endif
  }

  absl::Status Truncate(uint64_t size) override {
    while (ftruncate(fd_, static_cast<off_t>(size)) != 0) {
      if (errno != EINTR) return PosixError("truncate", path_);
    }
    return absl::OkStatus();
  }

  absl::Status Preallocate(uint64_t size) override {
    TURDB_ASSIGN_OR_RETURN(const uint64_t now, Size());
    if (now >= size) return absl::OkStatus();
#if defined(__linux__)
    int result;
    do {
      result = posix_fallocate(fd_, static_cast<off_t>(now), static_cast<off_t>(size - now));
    } while (result == EINTR);
    if (result == 0) return absl::OkStatus();
    if (result != EOPNOTSUPP && result != EINVAL) return PosixError("preallocate", path_, result);
#endif
    return absl::OkStatus();  // a file system that cannot reserve
  }

  absl::StatusOr<uint64_t> Size() override {
    struct stat info;
    if (fstat(fd_, &info) != 0) return PosixError("stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

  absl::StatusOr<std::string> Identity() override {
    struct stat info;
    if (fstat(fd_, &info) != 0) return PosixError("stat", path_);
    return Cat(static_cast<uint64_t>(info.st_dev), ":", static_cast<uint64_t>(info.st_ino));
  }

  absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t length) override {
    return NewPosixMapping(fd_, length, path_);
  }

  const std::string& path() const override { return path_; }

 private:
  const int fd_;
  const std::string path_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Mapping>> NewPosixMapping(int fd, size_t length, const std::string& path) {
  void* data = mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return PosixError("map", path);
  return std::unique_ptr<Mapping>(new PosixMapping(data, length));
}

std::unique_ptr<File> NewPosixFile(int fd, const std::string& path) {
  return std::make_unique<PosixFile>(fd, path);
}

}  // namespace turdb::env
