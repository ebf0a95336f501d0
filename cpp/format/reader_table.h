// turdb.readers: memory that the processes of a database share. See docs/format/directory.md.
//
//   offset size field
//   0      8    magic "turdbshm"
//   8      4    version
//   12     4    pid of the writing process, for people
//   16     8    salt of the database
//   24     8    published: commits up to this LSN are whole in the log and as durable as was asked for
//   32     8    checkpoint: the files show every commit up to it
//   40     8    number of writing processes so far
//   48     8    replaced: up to this LSN, checkpoints have put other files in the place of data files
//   56     8    changes: grows when the directory's exclusive lock is taken and given back; odd while it is held
//   256    256  slot of a reading process, 252 times:
//   +0     8      claim: 0 none, 1 loading, else 2 + an LSN: of a snapshot there is no room for below, and all that follow it
//   +8     8      pid
//   +16    8      15 times: 0 none, else 2 + the LSN of a snapshot
//   +24    8         since when, in microseconds of the wall clock; for people
// Locks on bytes: 0 the directory (exclusive: files and log are being rearranged; shared: they are being loaded), 1 a writing
// process has set the words above, 256 + 256 i: slot i is in use. What an unlocked byte stands for is stale.
// Nothing here is ever synced or needed after a restart of the machine.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace turdb::format {

inline constexpr uint64_t kReaderTableMagic = 0x6d68736264727574;  // "turdbshm"
inline constexpr uint32_t kReaderTableVersion = 2;
inline constexpr size_t kReaderTableBytes = 65536;
inline constexpr size_t kFirstReaderSlot = 256, kReaderSlotBytes = 256;
inline constexpr uint32_t kReaderSlots = 252;
inline constexpr uint32_t kSlotSnapshots = 15;
inline constexpr uint64_t kDirectoryLockByte = 0, kWriterLockByte = 1;
inline constexpr uint64_t kNoClaim = 0, kLoadingClaim = 1, kFirstLsnClaim = 2;

struct ReaderTableHeader {
  std::atomic<uint64_t> magic;
  std::atomic<uint32_t> version;
  std::atomic<uint32_t> writer_pid;
  std::atomic<uint64_t> salt;
  std::atomic<uint64_t> published;
  std::atomic<uint64_t> checkpoint;
  std::atomic<uint64_t> sessions;
  std::atomic<uint64_t> replaced;
  std::atomic<uint64_t> changes;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);
static_assert(sizeof(ReaderTableHeader) == 64);
static_assert(offsetof(ReaderTableHeader, salt) == 16 && offsetof(ReaderTableHeader, sessions) == 40 &&
              offsetof(ReaderTableHeader, replaced) == 48);

struct ReaderSlot {
  std::atomic<uint64_t> claim;
  std::atomic<uint64_t> pid;
  struct Snapshot {
    std::atomic<uint64_t> claim;
    std::atomic<uint64_t> since;
  };
  Snapshot snapshots[kSlotSnapshots];
};
static_assert(sizeof(ReaderSlot) == kReaderSlotBytes && offsetof(ReaderSlot, snapshots) == 16);
static_assert(kFirstReaderSlot + kReaderSlots * kReaderSlotBytes <= kReaderTableBytes);

}  // namespace turdb::format
