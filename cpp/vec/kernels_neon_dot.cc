// Kernels for 64-bit ARM with SDOT (Cortex-A76, Neoverse N1, Apple M and later).
#include <cstddef>
#include <cstdint>

#include "vec/half.h"
#include "vec/kernels.h"
#include "vec/sq8.h"

#if defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>

namespace turdb::vec {
namespace {

#include "vec/neon_floats.h"

struct Isa : NeonFloats {
  // SDOT is signed by signed: codes - 128, and 128 * sum(query) added back by a second product.
  static int32_t DotU8S8(const uint8_t* codes, const int8_t* query, uint32_t n) {
    int32x4_t sum = vdupq_n_s32(0), query_sum = vdupq_n_s32(0);
    const int8x16_t ones = vdupq_n_s8(1);
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) {
      const int8x16_t c = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(codes + i), vdupq_n_u8(0x80)));
      const int8x16_t q = vld1q_s8(query + i);
      sum = vdotq_s32(sum, c, q);
      query_sum = vdotq_s32(query_sum, q, ones);
    }
    return vaddvq_s32(sum) + 128 * vaddvq_s32(query_sum) + DotTail(codes, query, i, n);
  }
};

#include "vec/kernels_impl.h"

constexpr Kernels kTable = MakeTable("neon_dot");

}  // namespace

namespace internal {
const Kernels* const kNeonDotKernels = &kTable;
}  // namespace internal
}  // namespace turdb::vec

#else

namespace turdb::vec::internal {
const Kernels* const kNeonDotKernels = nullptr;
}  // namespace turdb::vec::internal

#endif
