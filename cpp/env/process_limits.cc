#include "env/process_limits.h"

#include <sys/resource.h>

namespace turdb::env {

uint64_t OpenFileLimit() {
  constexpr uint64_t kPosixMinimum = 20;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kPosixMinimum;
  return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : static_cast<uint64_t>(limit.rlim_cur);
}

}  // namespace turdb::env
