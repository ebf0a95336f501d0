// Turns errno into a Status that names the operation and the path.
#pragma once

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/errors.h"

namespace turdb::env {

inline absl::Status PosixError(std::string_view operation, std::string_view path, int error = errno) {
  const std::string text = Cat("cannot ", operation, " '", path, "': ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return DiskFullError(text);
    case EROFS:
    case EACCES:
    case EPERM: return ReadOnlyError(text);
    case EBUSY:
    case ETXTBSY: return BusyError(text);
    case ENOMEM: return OutOfMemoryError(text);
    default: return IoError(text);
  }
}

}  // namespace turdb::env
