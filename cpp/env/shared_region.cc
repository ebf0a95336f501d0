#include "env/shared_region.h"

#include <map>
#include <mutex>
#include <vector>

namespace turdb::env {

struct SharedRegion {
  explicit SharedRegion(size_t size) : words((size + 7) / 8), size(size) {}
  std::vector<uint64_t> words;  // aligned for atomics
  const size_t size;
  std::mutex mutex;  // guards the locks
  std::map<uint64_t, std::map<const void*, LockMode>> locks;  // byte -> owner -> mode
};

namespace {

class RegionHandle final : public SharedMemory {
 public:
  explicit RegionHandle(std::shared_ptr<SharedRegion> region) : region_(std::move(region)) {
    data_ = reinterpret_cast<uint8_t*>(region_->words.data());
    size_ = region_->size;
  }
  ~RegionHandle() override {
    std::lock_guard<std::mutex> guard(region_->mutex);
    for (auto& [byte, owners] : region_->locks) owners.erase(this);
  }

  absl::StatusOr<bool> TryLock(uint64_t byte, LockMode mode) override {
    std::lock_guard<std::mutex> guard(region_->mutex);
    auto& owners = region_->locks[byte];
    for (const auto& [owner, held] : owners) {
      if (owner != this && (mode == LockMode::kExclusive || held == LockMode::kExclusive)) return false;
    }
    owners[this] = mode;
    return true;
  }
  void Unlock(uint64_t byte) override {
    std::lock_guard<std::mutex> guard(region_->mutex);
    region_->locks[byte].erase(this);
  }
  absl::StatusOr<bool> IsLocked(uint64_t byte) override {
    std::lock_guard<std::mutex> guard(region_->mutex);
    const auto& owners = region_->locks[byte];
    return owners.size() > owners.count(this);
  }

 private:
  const std::shared_ptr<SharedRegion> region_;
};

}  // namespace

std::shared_ptr<SharedRegion> NewSharedRegion(size_t size) { return std::make_shared<SharedRegion>(size); }

std::unique_ptr<SharedMemory> OpenSharedRegion(std::shared_ptr<SharedRegion> region) {
  return std::make_unique<RegionHandle>(std::move(region));
}

}  // namespace turdb::env
