// The file systems in memory that other files of this room build on.
#pragma once

#include <memory>

#include "env/env.h"

namespace turdb::env {

// As NewMemoryEnv, but maps are maps of their own, which can be redirected as those of a disk's files.
std::unique_ptr<Env> NewRedirectableMemoryEnv();

}  // namespace turdb::env
