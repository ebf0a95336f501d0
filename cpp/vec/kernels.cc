// Which kernels run: the table is chosen once, at first use, by what the CPU offers.
#include "vec/kernels.h"

#include <atomic>

#include "base/cpu.h"

namespace turdb::vec {
namespace {

// Fastest first. A table is usable when it was built and the CPU has its instructions.
const Kernels* Usable(int rank) {
  const CpuFeatures& cpu = Cpu();
  switch (rank) {
    case 0: return cpu.avx512 ? internal::kAvx512Kernels : nullptr;
    case 1: return cpu.avx2 ? internal::kAvx2Kernels : nullptr;
    case 2: return cpu.neon_dot ? internal::kNeonDotKernels : nullptr;
    case 3: return cpu.neon ? internal::kNeonKernels : nullptr;
    default: return internal::kScalarKernels;
  }
}
constexpr int kRanks = 5;

std::atomic<const Kernels*> active{nullptr};

const Kernels* Fastest() {
  for (int rank = 0; rank < kRanks; ++rank) {
    if (const Kernels* kernels = Usable(rank)) return kernels;
  }
  return internal::kScalarKernels;
}

}  // namespace

const Kernels& ActiveKernels() {
  const Kernels* kernels = active.load(std::memory_order_acquire);
  if (kernels == nullptr) {
    kernels = Fastest();
    active.store(kernels, std::memory_order_release);
  }
  return *kernels;
}

const Kernels* KernelsByName(std::string_view name) {
  for (int rank = 0; rank < kRanks; ++rank) {
    const Kernels* kernels = Usable(rank);
    if (kernels != nullptr && kernels->name == name) return kernels;
  }
  return nullptr;
}

std::vector<std::string_view> AvailableKernels() {
  std::vector<std::string_view> names;
  for (int rank = 0; rank < kRanks; ++rank) {
    if (const Kernels* kernels = Usable(rank)) names.push_back(kernels->name);
  }
  return names;
}

bool SetActiveKernels(std::string_view name) {
  const Kernels* kernels = KernelsByName(name);
  if (kernels == nullptr) return false;
  active.store(kernels, std::memory_order_release);
  return true;
}

float Normalize(const float* from, float* to, uint32_t dim) {
  const Kernels& kernels = ActiveKernels();
  const float norm = std::sqrt(kernels.norm_squared(from, dim));
  kernels.scale(from, norm > 0 ? 1.0f / norm : 0.0f, to, dim);
  return norm;
}

}  // namespace turdb::vec
