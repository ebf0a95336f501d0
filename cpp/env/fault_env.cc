// FaultEnv on top of a MemoryEnv, which holds what programs see; beside it stands what the disk has.
#include "env/fault_env.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "base/errors.h"
#include "base/status_macros.h"
#include "env/fault_inode.h"
#include "env/memory_env.h"
#include "env/posix_spill.h"

namespace turdb::env {
namespace {

constexpr size_t kSector = 512;

std::string Parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

class FaultEnvImpl;

class FaultFile final : public File {
 public:
  FaultFile(FaultEnvImpl* env, std::unique_ptr<File> base, std::shared_ptr<Inode> inode, uint64_t generation)
      : env_(env), base_(std::move(base)), inode_(std::move(inode)), generation_(generation) {}

  absl::Status ReadAt(uint64_t offset, void* to, size_t length) override;
  absl::Status WriteAt(uint64_t offset, const void* from, size_t length) override;
  absl::Status WriteVectorAt(uint64_t offset, const std::vector<std::string_view>& parts) override {
    std::string all;
    for (std::string_view part : parts) all += part;
    return WriteAt(offset, all.data(), all.size());
  }
  absl::Status Sync() override;
  absl::Status Truncate(uint64_t size) override;
  absl::Status Preallocate(uint64_t size) override;
  absl::StatusOr<uint64_t> Size() override { return base_->Size(); }
  absl::StatusOr<std::string> Identity() override { return base_->Identity(); }
  absl::StatusOr<std::unique_ptr<Mapping>> Map(size_t length) override { return base_->Map(length); }
  const std::string& path() const override { return base_->path(); }

 private:
  FaultEnvImpl* const env_;
  const std::unique_ptr<File> base_;
  const std::shared_ptr<Inode> inode_;
  const uint64_t generation_;
};

// Not on any disk, so a loss of power takes it; what it reserves and writes meets the faults of a disk.
class FaultSpillFile final : public SpillFile {
 public:
  FaultSpillFile(FaultEnvImpl* env, std::unique_ptr<SpillFile> base) : env_(env), base_(std::move(base)) {
    fd_ = base_->descriptor();
  }
  absl::Status Reserve(uint64_t offset, uint64_t length) override;
  absl::StatusOr<uint8_t*> Map(uint64_t offset, uint64_t length) override { return base_->Map(offset, length); }
  absl::Status WriteAt(uint64_t offset, const void* from, size_t length) override;
  void Discard(uint64_t offset, uint64_t length) override { base_->Discard(offset, length); }
  void Cool(uint8_t* mapped, uint64_t length) override { base_->Cool(mapped, length); }

 private:
  FaultEnvImpl* const env_;
  const std::unique_ptr<SpillFile> base_;
};

class FaultEnvImpl final : public FaultEnv {
 public:
  // --- FaultEnv ------------------------------------------------------------------------------
  uint64_t calls() const override {
    std::lock_guard<std::mutex> guard(mutex_);
    return calls_;
  }
  void FailAt(uint64_t call, Fault fault, uint64_t n) override {
    std::lock_guard<std::mutex> guard(mutex_);
    fail_from_ = call;
    fail_until_ = call + n;
    fault_ = fault;
  }
  void FailSyncs(bool is_failing) override {
    std::lock_guard<std::mutex> guard(mutex_);
    is_sync_failing_ = is_failing;
  }
  void Watch(Watcher watcher) override {
    std::lock_guard<std::mutex> guard(mutex_);
    watcher_ = std::make_shared<Watcher>(std::move(watcher));
  }
  void CutPower() override {
    std::lock_guard<std::mutex> guard(mutex_);
    is_down_ = true;
  }
  void SetOnNetwork(bool is_on_network) override { is_on_network_.store(is_on_network); }
  bool IsOnNetwork(const std::string&) override { return is_on_network_.load(); }
  void Restart(uint64_t seed) override;
  void KillProcess() override {
    std::lock_guard<std::mutex> guard(mutex_);
    ++generation_;
    is_down_ = false;
    fail_from_ = fail_until_ = 0;
  }

  // --- Env -----------------------------------------------------------------------------------
  absl::StatusOr<std::unique_ptr<File>> OpenFile(const std::string& path, OpenMode mode) override {
    if (mode >= OpenMode::kCreate && !base_->FileExists(path)) Announce("create", path);
    std::lock_guard<std::mutex> guard(mutex_);
    const bool is_new = mode >= OpenMode::kCreate && !base_->FileExists(path);
    if (is_new) {
      TURDB_RETURN_IF_ERROR(FailureLocked("create", path));
    } else {
      TURDB_RETURN_IF_ERROR(DownLocked(path));
    }
    TURDB_ASSIGN_OR_RETURN(auto file, base_->OpenFile(path, mode));
    auto& inode = names_[path];
    if (is_new) {
      inode = std::make_shared<Inode>();
      name_changes_.push_back({path, inode, ""});
    }
    return std::unique_ptr<File>(new FaultFile(this, std::move(file), inode, generation_));
  }
  absl::StatusOr<std::unique_ptr<File>> OpenTempFile(const std::string& directory) override {
    Announce("create a temporary file in", directory);
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(FailureLocked("create a temporary file in", directory));
    TURDB_ASSIGN_OR_RETURN(auto file, base_->OpenTempFile(directory));
    return std::unique_ptr<File>(new FaultFile(this, std::move(file), std::make_shared<Inode>(), generation_));
  }
  bool FileExists(const std::string& path) override { return base_->FileExists(path); }
  bool DirExists(const std::string& path) override { return base_->DirExists(path); }
  absl::Status DeleteFile(const std::string& path) override {
    Announce("delete", path);
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(FailureLocked("delete", path));
    TURDB_RETURN_IF_ERROR(base_->DeleteFile(path));
    names_.erase(path);
    name_changes_.push_back({path, nullptr, ""});
    return absl::OkStatus();
  }
  absl::Status RenameFile(const std::string& from, const std::string& to) override {
    Announce("rename", from);
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(FailureLocked("rename", from));
    TURDB_RETURN_IF_ERROR(base_->RenameFile(from, to));
    auto node = names_.extract(from);
    names_[to] = node.mapped();
    name_changes_.push_back({to, node.mapped(), from});
    return absl::OkStatus();
  }
  absl::Status LinkFile(const std::string& from, const std::string& to) override {
    Announce("make a second name for", from);
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(FailureLocked("make a second name for", from));
    TURDB_RETURN_IF_ERROR(base_->LinkFile(from, to));
    names_[to] = names_.at(from);
    name_changes_.push_back({to, names_.at(from), ""});
    return absl::OkStatus();
  }
  absl::Status CreateDir(const std::string& path) override {
    Announce("create directory", path);
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(FailureLocked("create directory", path));
    return base_->CreateDir(path);
  }
  absl::Status DeleteDir(const std::string& path) override { return base_->DeleteDir(path); }
  absl::Status SyncDir(const std::string& path) override {
    Announce("sync", path);
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(SyncFailureLocked(path));
    std::vector<NameChange> others;
    for (NameChange& change : name_changes_) {
      if (Parent(change.path) == path) {
        ApplyName(change);
      } else {
        others.push_back(std::move(change));
      }
    }
    name_changes_ = std::move(others);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<std::string>> ListDir(const std::string& path) override { return base_->ListDir(path); }
  absl::StatusOr<std::string> CanonicalPath(const std::string& path) override { return path; }
  absl::StatusOr<std::unique_ptr<SpillFile>> NewSpillFile(const std::string& directory) override {
    Announce("create a spill file in", directory);
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(FailureLocked("create a spill file in", directory));
    TURDB_ASSIGN_OR_RETURN(auto base, NewMemorySpillFile());
    return std::unique_ptr<SpillFile>(new FaultSpillFile(this, std::move(base)));
  }
  absl::StatusOr<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    return base_->LockFile(path);
  }
  absl::StatusOr<std::unique_ptr<FileLock>> LockFileShared(const std::string& path) override {
    return base_->LockFileShared(path);
  }
  absl::StatusOr<std::unique_ptr<SharedMemory>> OpenSharedMemory(const std::string& path, size_t size) override {
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(DownLocked(path));
    TURDB_ASSIGN_OR_RETURN(auto memory, base_->OpenSharedMemory(path, size));
    // Nothing of it is durable: after a loss of power anything may be there.
    if (lost_shared_.erase(path) > 0) {
      std::mt19937_64 random(seed_);
      for (size_t at = 0; at + 8 <= memory->size(); at += 8) {
        const uint64_t noise = random() % 2 == 0 ? random() : random() % 65536;  // also numbers that look right
        std::memcpy(memory->data() + at, &noise, sizeof(noise));
      }
    }
    shared_.insert(path);
    return memory;
  }
  uint64_t NowMicros() override { return base_->NowMicros(); }
  uint64_t MonotonicMicros() override { return base_->MonotonicMicros(); }
  void SleepMicros(uint64_t micros) override { base_->SleepMicros(micros); }
  uint64_t ProcessId() override { return base_->ProcessId(); }

 private:
  friend class FaultFile;
  friend class FaultSpillFile;

  absl::Status DownLocked(const std::string& path) const {
    return is_down_ ? IoError("cannot reach '", path, "': the power is off") : absl::OkStatus();
  }
  // Before a call that counts; not within one.
  void Announce(std::string_view operation, const std::string& path) {
    std::shared_ptr<Watcher> watcher;
    {
      std::lock_guard<std::mutex> guard(mutex_);
      watcher = watcher_;
    }
    if (watcher != nullptr && *watcher) (*watcher)(operation, path);
  }
  // Counts a call and says how it fails.
  Fault NextLocked() {
    ++calls_;
    if (is_down_) return Fault::kPowerLoss;
    if (calls_ < fail_from_ || calls_ >= fail_until_) return Fault::kNone;
    if (fault_ == Fault::kPowerLoss) is_down_ = true;
    return fault_;
  }
  static absl::Status Describe(Fault fault, std::string_view operation, const std::string& path) {
    switch (fault) {
      case Fault::kNone: return absl::OkStatus();
      case Fault::kIo: return IoError("cannot ", operation, " '", path, "': injected error");
      case Fault::kShortWrite: return IoError("cannot ", operation, " '", path, "': injected short write");
      case Fault::kDiskFull: return DiskFullError("cannot ", operation, " '", path, "': injected full disk");
      case Fault::kPowerLoss: return IoError("cannot ", operation, " '", path, "': the power is off");
    }
    return absl::OkStatus();
  }
  absl::Status FailureLocked(std::string_view operation, const std::string& path) {
    return Describe(NextLocked(), operation, path);
  }
  absl::Status SyncFailureLocked(const std::string& path) {
    const Fault fault = NextLocked();
    if (fault == Fault::kNone && is_sync_failing_) return Describe(Fault::kIo, "sync", path);
    return Describe(fault, "sync", path);
  }
  void ApplyName(const NameChange& change) {
    if (!change.renamed_from.empty()) durable_names_.erase(change.renamed_from);
    if (change.inode == nullptr) {
      durable_names_.erase(change.path);
    } else {
      durable_names_[change.path] = change.inode;
    }
  }

  std::atomic<bool> is_on_network_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<Watcher> watcher_;
  const std::unique_ptr<Env> base_ = NewRedirectableMemoryEnv();
  std::map<std::string, std::shared_ptr<Inode>> names_;          // as programs see them
  std::map<std::string, std::shared_ptr<Inode>> durable_names_;  // as the disk has them
  std::vector<NameChange> name_changes_;                         // not yet synced
  uint64_t calls_ = 0;
  uint64_t fail_from_ = 0, fail_until_ = 0;
  Fault fault_ = Fault::kNone;
  bool is_sync_failing_ = false;
  bool is_down_ = false;
  uint64_t generation_ = 0;
  uint64_t seed_ = 0;                    // of the last restart
  std::set<std::string> shared_;         // paths of shared memory
  std::set<std::string> lost_shared_;   // those whose content a restart took
};

absl::Status FaultFile::ReadAt(uint64_t offset, void* to, size_t length) {
  {
    std::lock_guard<std::mutex> guard(env_->mutex_);
    TURDB_RETURN_IF_ERROR(env_->DownLocked(path()));
  }
  return base_->ReadAt(offset, to, length);
}

absl::Status FaultFile::WriteAt(uint64_t offset, const void* from, size_t length) {
  env_->Announce("write", path());
  std::lock_guard<std::mutex> guard(env_->mutex_);
  const bool was_down = env_->is_down_ || generation_ != env_->generation_;
  const Fault fault = env_->NextLocked();
  if (was_down) return FaultEnvImpl::Describe(Fault::kPowerLoss, "write", path());
  if (fault == Fault::kIo) return FaultEnvImpl::Describe(fault, "write", path());
  if (fault == Fault::kDiskFull) length /= 2;
  if (fault == Fault::kShortWrite) length = std::mt19937_64(env_->calls_)() % (length + 1);
  TURDB_RETURN_IF_ERROR(base_->WriteAt(offset, from, length));
  inode_->pending.push_back({offset, std::string(static_cast<const char*>(from), length), false});
  return FaultEnvImpl::Describe(fault, "write", path());
}

absl::Status FaultFile::Sync() {
  env_->Announce("sync", path());
  std::lock_guard<std::mutex> guard(env_->mutex_);
  const absl::Status failure = env_->SyncFailureLocked(path());
  if (generation_ != env_->generation_) return FaultEnvImpl::Describe(Fault::kPowerLoss, "sync", path());
  if (!failure.ok() && !env_->is_down_) inode_->FailSync(env_->calls_);
  TURDB_RETURN_IF_ERROR(failure);
  inode_->Sync();
  return absl::OkStatus();
}

absl::Status FaultFile::Truncate(uint64_t size) {
  env_->Announce("truncate", path());
  std::lock_guard<std::mutex> guard(env_->mutex_);
  TURDB_RETURN_IF_ERROR(env_->FailureLocked("truncate", path()));
  if (generation_ != env_->generation_) return FaultEnvImpl::Describe(Fault::kPowerLoss, "truncate", path());
  inode_->pending.push_back({size, "", true});
  return base_->Truncate(size);
}

absl::Status FaultFile::Preallocate(uint64_t) {
  env_->Announce("preallocate", path());
  std::lock_guard<std::mutex> guard(env_->mutex_);
  return env_->FailureLocked("preallocate", path());
}

absl::Status FaultSpillFile::Reserve(uint64_t offset, uint64_t length) {
  env_->Announce("reserve room in", "spill file");
  std::lock_guard<std::mutex> guard(env_->mutex_);
  TURDB_RETURN_IF_ERROR(env_->FailureLocked("reserve room in", "spill file"));
  return base_->Reserve(offset, length);
}

absl::Status FaultSpillFile::WriteAt(uint64_t offset, const void* from, size_t length) {
  env_->Announce("write", "spill file");
  std::lock_guard<std::mutex> guard(env_->mutex_);
  TURDB_RETURN_IF_ERROR(env_->FailureLocked("write", "spill file"));
  return base_->WriteAt(offset, from, length);
}

void FaultEnvImpl::Restart(uint64_t seed) {
  std::lock_guard<std::mutex> guard(mutex_);
  std::mt19937_64 random(seed);
  seed_ = seed;
  lost_shared_ = shared_;
  // Each directory keeps a prefix of its changes.
  std::map<std::string, size_t> n_kept, n_seen;
  for (const NameChange& change : name_changes_) ++n_kept[Parent(change.path)];
  for (auto& [directory, n] : n_kept) n = random() % (n + 1);
  for (const NameChange& change : name_changes_) {
    const std::string directory = Parent(change.path);
    if (n_seen[directory]++ < n_kept[directory]) ApplyName(change);
  }
  name_changes_.clear();
  for (const auto& [path, inode] : names_) base_->DeleteFile(path).IgnoreError();
  names_ = durable_names_;
  for (const auto& [path, inode] : names_) {
    // All, nothing, or some sectors of each unsynced write.
    const uint64_t manner = random() % 4;
    for (const Inode::Change& change : inode->pending) {
      const bool is_whole = manner == 0 || (manner > 1 && random() % 2 == 0);
      if (is_whole) Inode::Apply(change, &inode->durable);
      if (is_whole || manner != 3 || change.is_truncate) continue;
      for (uint64_t begin = 0; begin < change.bytes.size();) {
        const uint64_t n = std::min<uint64_t>(kSector - (change.offset + begin) % kSector, change.bytes.size() - begin);
        if (random() % 2 == 0) {
          Inode::Apply({change.offset + begin, change.bytes.substr(begin, n), false}, &inode->durable);
        }
        begin += n;
      }
    }
    inode->pending.clear();
    auto file = base_->OpenFile(path, OpenMode::kCreate);
    if (file.ok()) (*file)->WriteAt(0, inode->durable.data(), inode->durable.size()).IgnoreError();
  }
  ++generation_;
  is_down_ = false;
  fail_from_ = fail_until_ = 0;
  is_sync_failing_ = false;
}

}  // namespace

std::unique_ptr<FaultEnv> NewFaultEnv() { return std::make_unique<FaultEnvImpl>(); }

}  // namespace turdb::env
