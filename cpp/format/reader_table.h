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
//   256    64   slot of a reading process, 252 times:
//   +0     8      claim: 0 none, 1 loading, else 2 + the LSN of its oldest snapshot
//   +8     8      pid
// Locks on bytes: 0 the directory (exclusive: files and log are being rearranged; shared: they are being loaded), 1 a writing
// process has set the words above, 256 + 64 i: slot i is in use. What an unlocked byte stands for is stale.
// Nothing here is ever synced or needed after a restart of the machine.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace turdb::format {

inline constexpr uint64_t kReaderTableMagic = 0x6d68736264727574;  // "turdbshm"
inline constexpr uint32_t kReaderTableVersion = 1;
inline constexpr size_t kReaderTableBytes = 16384;
inline constexpr size_t kFirstReaderSlot = 256, kReaderSlotBytes = 64;
inline constexpr uint32_t kReaderSlots = (kReaderTableBytes - kFirstReaderSlot) / kReaderSlotBytes;
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
};
static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);
static_assert(sizeof(ReaderTableHeader) == 48);
static_assert(offsetof(ReaderTableHeader, salt) == 16 && offsetof(ReaderTableHeader, sessions) == 40);

struct ReaderSlot {
  std::atomic<uint64_t> claim;
  std::atomic<uint64_t> pid;
};
static_assert(sizeof(ReaderSlot) <= kReaderSlotBytes && kReaderSlots == 252);

}  // namespace turdb::format
