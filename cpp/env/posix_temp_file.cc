// Temporary files without a name (Env::OpenTempFile of PosixEnv).
//
// Linux makes such files at once (O_TMPFILE). Elsewhere, and on file systems that cannot, the file is created under a
// name of its own and unlinked before it is used; one that a crash leaves between the two is removed when the database is
// opened (IsTempFileName). Where the directory cannot be written, the system's place for temporary files is taken, so that
// a database on a read-only file system can be queried. Thread-safe.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "base/strings.h"
#include "env/posix_error.h"
#include "env/posix_file.h"
#include "env/temp_file.h"

namespace turdb::env {
namespace {

// A descriptor, or -1 and errno.
int OpenRetrying(const std::string& path, int flags) {
  int fd;
  do {
    fd = open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int OpenThenUnlink(const std::string& directory) {
  static std::atomic<uint64_t> number{0};
  for (int attempt = 0; attempt < 100; ++attempt) {
    const std::string path = Cat(directory, "/", kTempFilePrefix, static_cast<uint64_t>(getpid()), "-", ++number, kTempFileSuffix);
    const int fd = OpenRetrying(path, O_CREAT | O_EXCL);
    if (fd < 0 && errno == EEXIST) continue;  // left by a process that had this id
    if (fd >= 0) unlink(path.c_str());        // when it is gone already: all the better
    return fd;
  }
  return -1;
}

int OpenNameless(const std::string& directory) {
#if defined(O_TMPFILE)
  const int fd = OpenRetrying(directory, O_TMPFILE);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)) return fd;
#endif
  return OpenThenUnlink(directory);
}

bool CannotWriteThere(int error) { return error == EACCES || error == EPERM || error == EROFS; }

}  // namespace

absl::StatusOr<std::unique_ptr<File>> OpenPosixTempFile(const std::string& directory) {
  int fd = OpenNameless(directory);
  const int error = errno;
  if (fd < 0 && CannotWriteThere(error)) {
    const char* chosen = std::getenv("TMPDIR");
    for (const char* place : {chosen, "/var/tmp", "/tmp"}) {
      if (fd < 0 && place != nullptr && *place != '\0') fd = OpenNameless(place);
    }
  }
  if (fd < 0) return PosixError("create a temporary file in", directory, error);
  return NewPosixFile(fd, directory + "/(temporary file)");
}

}  // namespace turdb::env
