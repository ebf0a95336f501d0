// What the operating system grants this process.
#pragma once

#include <cstdint>

namespace turdb::env {

uint64_t OpenFileLimit();  // how many descriptors it may have open (the soft RLIMIT_NOFILE)

}  // namespace turdb::env
