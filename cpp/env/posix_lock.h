// Locks and shared memory of the operating system.
//
// Locks are open-file-description locks: they vanish with the process, closing another descriptor of the file does not
// drop them (as it would a record lock), and two of them exclude each other within a process. A forked child
// would share them, so it closes its copies of the descriptors at once (InstallForkHandlers). Where the system has no such
// locks, record locks stand in. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "env/env.h"

namespace turdb::env {

// To be called once before the others. Keeps CurrentProcessId() right and the locks with the parent over fork().
void InstallForkHandlers();
uint64_t CurrentProcessId();

// See Env.
absl::StatusOr<std::unique_ptr<FileLock>> LockPosixFile(const std::string& path);
absl::StatusOr<std::unique_ptr<FileLock>> LockPosixFileShared(const std::string& path);
absl::StatusOr<std::unique_ptr<SharedMemory>> OpenPosixSharedMemory(const std::string& path, size_t size);
bool IsNetworkFileSystem(const std::string& path);

}  // namespace turdb::env
