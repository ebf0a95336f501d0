// Spill files of the operating system.
#pragma once

#include <memory>
#include <string>

#include "env/env.h"

namespace turdb::env {

// A nameless file in a directory.
absl::StatusOr<std::unique_ptr<SpillFile>> NewPosixSpillFile(const std::string& directory);
// One that is not on any disk, for tests of what happens when spilling fails.
absl::StatusOr<std::unique_ptr<SpillFile>> NewMemorySpillFile();

}  // namespace turdb::env
