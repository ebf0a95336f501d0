// WriteBack: makes a file's bytes durable that may have been written before a sync failed.
//
// An operating system that could not write a page may forget that it is dirty: the next sync succeeds without it, and the
// file reads well until the power goes. Written once more, the bytes are dirty again. Recovery does so with all it relies on.
#pragma once

#include "absl/status/status.h"
#include "env/env.h"

namespace turdb::txn {

// Writes all bytes of `file` over themselves and syncs it. kIo, kDiskFull.
absl::Status WriteBack(env::File* file);

}  // namespace turdb::txn
