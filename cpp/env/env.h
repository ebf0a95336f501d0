// Env: all that turdb asks of an operating system, and the only room that asks it.
//
// Three implementations: PosixEnv(), NewMemoryEnv(), and NewFaultEnv() (fault_env.h), which injects power loss and errors.
// Paths are UTF-8, '/'-separated. Every error names the operation and the path, of kind kIo, kDiskFull,
// kReadOnly or kBusy. All classes are thread-safe unless said otherwise; a File's reads and writes of
// disjoint ranges may run side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace turdb::env {

// A read-only view of a file's bytes at a fixed address, valid until it is destroyed (also after the File
// is closed or unlinked). May be longer than the file: bytes past the file's end must not be touched.
class SpillFile;

class Mapping {
 public:
  virtual ~Mapping() = default;
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  enum class Access { kNormal, kRandom, kSequential, kWillNeed };
  virtual void Advise(Access access, size_t offset, size_t length) = 0;
  // Shows from now on, at [offset, offset + length), the bytes of `spill` from `spill_offset`: in one step for everybody who
  // reads, at the same addresses, whatever is written to the file later. REQUIRES: those bytes equal what is shown now;
  // both offsets and the length are multiples of the operating system's page. kUnsupported where that cannot be done.
  virtual absl::Status Redirect(size_t offset, size_t length, const SpillFile& spill, uint64_t spill_offset) = 0;

 protected:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

class File {
 public:
  virtual ~File() = default;
  // Exactly `length` bytes, or kIo ("unexpected end of file").
  virtual absl::Status ReadAt(uint64_t offset, void* to, size_t length) = 0;
  virtual absl::Status WriteAt(uint64_t offset, const void* from, size_t length) = 0;
  // Several buffers written one after another from `offset` (pwritev).
  virtual absl::Status WriteVectorAt(uint64_t offset, const std::vector<std::string_view>& parts) = 0;
  virtual absl::Status Sync() = 0;  // data and what is needed to read it back (fdatasync)
  virtual void StartWriteback(uint64_t offset, uint64_t length) {}  // a hint: a Sync will follow soon
  virtual absl::Status Truncate(uint64_t size) = 0;
  virtual absl::Status Preallocate(uint64_t size) = 0;  // reserves blocks where that helps; may grow the file
  virtual absl::StatusOr<uint64_t> Size() = 0;
  // The same for every File of one file, whatever name it was opened by, and another for other files, for as long as a File or
  // Mapping of it is there.
  virtual absl::StatusOr<std::string> Identity() = 0;
  // Writes the first `length` bytes of `from` here, sharing their disk space where the file system can.
  virtual absl::Status CopyFrom(File& from, uint64_t length);
  virtual absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t length) = 0;
  virtual const std::string& path() const = 0;
};

// A file without a name, for bytes that need not outlive the process: nothing is left of it once it is closed or the process
// has died. Not written by a forked child.
class SpillFile {
 public:
  virtual ~SpillFile() = default;  // unmaps what Map gave
  // Takes disk space for a range, so that writing there through a map cannot fail. kDiskFull, kIo.
  virtual absl::Status Reserve(uint64_t offset, uint64_t length) = 0;
  // A writable map of a range, which is to be reserved before it is touched.
  virtual absl::StatusOr<uint8_t*> Map(uint64_t offset, uint64_t length) = 0;
  virtual absl::Status WriteAt(uint64_t offset, const void* from, size_t length) = 0;
  // Gives the disk space of a range back; what it held is lost.
  virtual void Discard(uint64_t offset, uint64_t length) = 0;
  // Takes mapped bytes out of the memory of the process; they come back when they are touched.
  virtual void Cool(uint8_t* mapped, uint64_t length) = 0;
  int descriptor() const { return fd_; }

 protected:
  int fd_ = -1;
};

// Held until destroyed or the process dies; a forked child does not have it.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class LockMode { kShared, kExclusive };

// A small file that processes use as common memory, with locks on single bytes of it. A lock belongs to this object: two
// objects exclude each other also within a process. It ends with the object or the process, and a forked child
// does not have it. Stores of atomics in the memory are seen by everybody at once; nothing of it is ever durable.
class SharedMemory {
 public:
  virtual ~SharedMemory() = default;
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // Does not wait: false when somebody else's lock is in the way. A lock held already is changed to `mode`.
  virtual absl::StatusOr<bool> TryLock(uint64_t byte, LockMode mode) = 0;
  virtual void Unlock(uint64_t byte) = 0;
  // Whether somebody else holds a lock on the byte.
  virtual absl::StatusOr<bool> IsLocked(uint64_t byte) = 0;

 protected:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

enum class OpenMode { kReadOnly, kReadWrite, kCreate, kCreateNew };  // kCreateNew fails when it exists

class Env {
 public:
  virtual ~Env() = default;
  virtual absl::StatusOr<std::unique_ptr<File>> OpenFile(const std::string& path, OpenMode mode) = 0;
  // A file without a name, empty, for reading and writing; it is gone with its File, also when the process dies. It lies
  // on the file system of `directory`, or where the system keeps temporary files when nothing can be created there.
  virtual absl::StatusOr<std::unique_ptr<File>> OpenTempFile(const std::string& directory) = 0;
  virtual bool FileExists(const std::string& path) = 0;
  virtual bool DirExists(const std::string& path) = 0;
  virtual absl::Status DeleteFile(const std::string& path) = 0;
  virtual absl::Status RenameFile(const std::string& from, const std::string& to) = 0;  // over what is there
  // A second name for a file; fails when it exists. kUnsupported, kIo where the file system has no such thing.
  virtual absl::Status LinkFile(const std::string& from, const std::string& to) = 0;
  virtual absl::Status CreateDir(const std::string& path) = 0;  // fine when it exists; parents too
  virtual absl::Status DeleteDir(const std::string& path) = 0;  // an empty one
  virtual absl::Status SyncDir(const std::string& path) = 0;    // makes creations, renames, unlinks durable
  virtual absl::StatusOr<std::vector<std::string>> ListDir(const std::string& path) = 0;  // names, sorted
  // An identity for a path that two spellings of it share (device and inode for an existing directory).
  virtual absl::StatusOr<std::string> CanonicalPath(const std::string& path) = 0;

  // A spill file on the disk of a directory; null where there is no disk. kReadOnly, kDiskFull, kIo.
  virtual absl::StatusOr<std::unique_ptr<SpillFile>> NewSpillFile(const std::string& directory) {
    return std::unique_ptr<SpillFile>();
  }

  // Takes the exclusive lock of a file (created when absent) and writes this process's id into it. When another
  // process holds it: kBusy that names the holder's pid. Does not wait; callers retry until their timeout.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) = 0;
  // The same, shared with others who call this: writes nothing, and the file must be there.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> LockFileShared(const std::string& path) = 0;
  // Opens the file, filled up with zeros to `size` when it is shorter or absent.
  virtual absl::StatusOr<std::unique_ptr<SharedMemory>> OpenSharedMemory(const std::string& path, size_t size) = 0;
  // True for a directory on a file system that other machines may write, where memory is not shared between all who use it.
  virtual bool IsOnNetwork(const std::string& directory) { return false; }

  // True when nothing here survives the process, so that a log would be for nothing.
  virtual bool IsVolatile() const { return false; }

  virtual uint64_t NowMicros() = 0;        // wall clock
  virtual uint64_t MonotonicMicros() = 0;  // never steps back
  virtual void SleepMicros(uint64_t micros) = 0;
  virtual uint64_t ProcessId() = 0;
};

Env* PosixEnv();                          // one for the process, never destroyed
std::unique_ptr<Env> NewMemoryEnv();      // an empty file system in memory; Sync is free
// fault_env.h adds NewFaultEnv().

}  // namespace turdb::env
