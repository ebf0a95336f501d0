// Nameless files: O_TMPFILE where the file system has it, else a name that is removed at once.
//
// Space is reserved before it is written through a map, because a store into a page for which the disk has no room would
// end in a signal. Thread-safe but for Map.
#include "env/posix_spill.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/status_macros.h"
#include "env/posix_error.h"

namespace turdb::env {
namespace {

class PosixSpillFile final : public SpillFile {
 public:
  PosixSpillFile(int fd, std::string path) : path_(std::move(path)) { fd_ = fd; }
  ~PosixSpillFile() override {
    for (const auto& [data, length] : maps_) munmap(data, length);
    close(fd_);
  }

  absl::Status Reserve(uint64_t offset, uint64_t length) override {
#if defined(__linux__)
    int result;
    do {
      result = posix_fallocate(fd_, static_cast<off_t>(offset), static_cast<off_t>(length));
    } while (result == EINTR);
    if (result == 0) return absl::OkStatus();
    if (result != EOPNOTSUPP && result != EINVAL) return PosixError("reserve room for spilled pages in", path_, result);
#endif
    const std::string zeros(std::min<uint64_t>(length, 256 << 10), '\0');
    for (uint64_t done = 0; done < length; done += zeros.size()) {
      TURDB_RETURN_IF_ERROR(WriteAt(offset + done, zeros.data(), std::min<uint64_t>(zeros.size(), length - done)));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint8_t*> Map(uint64_t offset, uint64_t length) override {
    void* data = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, static_cast<off_t>(offset));
    if (data == MAP_FAILED) return PosixError("map spilled pages in", path_);
    maps_.emplace_back(data, length);
    return static_cast<uint8_t*>(data);
  }

  absl::Status WriteAt(uint64_t offset, const void* from, size_t length) override {
    auto* at = static_cast<const char*>(from);
    while (length > 0) {
      const ssize_t n = pwrite(fd_, at, length, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return PosixError("write spilled pages in", path_, n < 0 ? errno : ENOSPC);
      at += n;
      offset += static_cast<uint64_t>(n);
      length -= static_cast<size_t>(n);
    }
    return absl::OkStatus();
  }

  void Discard(uint64_t offset, uint64_t length) override {
#if defined(__linux__)
    fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(length));
#endif
  }

  // The pages of a shared map stay in the page cache until they are written: nothing is lost.
  void Cool(uint8_t* mapped, uint64_t length) override { madvise(mapped, length, MADV_DONTNEED); }

 private:
  const std::string path_;
  std::vector<std::pair<void*, uint64_t>> maps_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SpillFile>> NewPosixSpillFile(const std::string& directory) {
  int fd = -1;
#if defined(O_TMPFILE)
  fd = open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
#endif
  if (fd < 0) {
    std::string path = directory + "/spill.XXXXXX";
    fd = mkstemp(path.data());
    if (fd < 0) return PosixError("create a file for spilled pages in", directory);
    unlink(path.c_str());
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return std::unique_ptr<SpillFile>(new PosixSpillFile(fd, directory));
}

absl::StatusOr<std::unique_ptr<SpillFile>> NewMemorySpillFile() {
#if defined(__linux__)
  const int fd = memfd_create("turdb", MFD_CLOEXEC);
  if (fd < 0) return PosixError("create a file for spilled pages in", "memory");
  return std::unique_ptr<SpillFile>(new PosixSpillFile(fd, "memory"));
#else
  return NewPosixSpillFile("/tmp");
#endif
}

}  // namespace turdb::env
