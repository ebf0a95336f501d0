// What the operating system tells of this process's reading from disks. Pages of data files are read through maps, so no call
// of ours sees it. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>

namespace turdb::env {

struct ProcessReads {
  uint64_t major_faults = 0;           // touches of mapped memory that had to wait for a disk
  std::optional<uint64_t> disk_bytes;  // fetched from disks for this process; where the system counts it
};
// Since the process began, whatever the files are.
ProcessReads ReadsOfProcess();

}  // namespace turdb::env
