#include "env/process_reads.h"

#include <sys/resource.h>

#include <cstdio>

namespace turdb::env {
namespace {

// Linux only; proc(5), /proc/pid/io.
std::optional<uint64_t> DiskBytes() {
  std::FILE* const file = std::fopen("/proc/self/io", "re");
  if (file == nullptr) return std::nullopt;
  char line[128];
  unsigned long long bytes = 0;
  bool is_found = false;
  while (!is_found && std::fgets(line, sizeof(line), file) != nullptr) is_found = std::sscanf(line, "read_bytes: %llu", &bytes) == 1;
  std::fclose(file);
  return is_found ? std::optional<uint64_t>(bytes) : std::nullopt;
}

}  // namespace

ProcessReads ReadsOfProcess() {
  ProcessReads reads;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) reads.major_faults = static_cast<uint64_t>(usage.ru_majflt);
  reads.disk_bytes = DiskBytes();
  return reads;
}

}  // namespace turdb::env
