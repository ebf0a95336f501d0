// FaultEnv: a file system in memory that can lose power and fail on command, for tests.
//
// It knows what was made durable: a file's bytes by Sync, names by SyncDir. Restart() after a crash keeps that, and of what
// came later a random part, as a disk may: any subset of the unsynced writes, torn at 512-byte sectors, and any
// prefix of each directory's unsynced changes. A sync that fails settles what it was asked for at random, as kernels
// do: some writes are on the disk, the others will never be, whatever later syncs say. Calls that change something are
// counted, so that a test can fail or cut the power at each in turn, or do something else before it (Watch). Directories
// themselves are durable at once.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "env/env.h"

namespace turdb::env {

enum class Fault : uint8_t {
  kNone,
  kIo,          // the call fails, nothing is changed
  kDiskFull,    // a write is cut short at its half and fails; so do creations
  kShortWrite,  // a write is cut short anywhere and fails; other calls fail and change nothing
  kPowerLoss,   // a write may be partly done; this and every later call fails until Restart
};

class FaultEnv : public Env {
 public:
  // Calls that change something, since the beginning.
  virtual uint64_t calls() const = 0;
  // The call number `call` (counted as calls() does, from 1) meets the fault; `n` calls in a row do.
  virtual void FailAt(uint64_t call, Fault fault, uint64_t n = 1) = 0;
  // Called before each call that changes something, on its thread, with what it does ("write", "rename", ...) and the path that
  // it was given. May call the environment itself, and is called again then; must not throw. An empty one ends it.
  using Watcher = std::function<void(std::string_view operation, const std::string& path)>;
  virtual void Watch(Watcher watcher) = 0;
  // Only syncs fail from now on (or no more).
  virtual void FailSyncs(bool is_failing) = 0;
  virtual void CutPower() = 0;
  // Comes back after a loss of power with what a disk might have kept, chosen by the seed. Files opened before stay dead.
  virtual void Restart(uint64_t seed) = 0;
  // Whether this looks like a file system that other machines write.
  virtual void SetOnNetwork(bool is_on_network) = 0;
  // The process died, the machine did not: everything written is there, but no more durable than before.
  virtual void KillProcess() = 0;
};

std::unique_ptr<FaultEnv> NewFaultEnv();

}  // namespace turdb::env
