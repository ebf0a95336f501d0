// SharedRegion: shared memory for the file systems in memory, whose "processes" are objects of one process.
#pragma once

#include <memory>

#include "env/env.h"

namespace turdb::env {

struct SharedRegion;

std::shared_ptr<SharedRegion> NewSharedRegion(size_t size);  // of zeros
// A handle with locks of its own. Thread-safe.
std::unique_ptr<SharedMemory> OpenSharedRegion(std::shared_ptr<SharedRegion> region);

}  // namespace turdb::env
