// A file of the operating system, by pread, pwrite and mmap.
#pragma once

#include <memory>
#include <string>

#include "env/env.h"

namespace turdb::env {

// Takes over the descriptor.
std::unique_ptr<File> NewPosixFile(int fd, const std::string& path);
// Env::OpenTempFile (posix_temp_file.cc).
absl::StatusOr<std::unique_ptr<File>> OpenPosixTempFile(const std::string& directory);

absl::StatusOr<std::unique_ptr<Mapping>> NewPosixMapping(int fd, size_t length, const std::string& path);

}  // namespace turdb::env
