// Kernels for any 64-bit ARM.
#include <cstddef>
#include <cstdint>

#include "vec/half.h"
#include "vec/kernels.h"
#include "vec/sq8.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace turdb::vec {
namespace {

#include "vec/neon_floats.h"

struct Isa : NeonFloats {
  static int32_t DotU8S8(const uint8_t* codes, const int8_t* query, uint32_t n) {
    int32x4_t sum0 = vdupq_n_s32(0), sum1 = vdupq_n_s32(0);
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) {
      const uint8x16_t c = vld1q_u8(codes + i);
      const int8x16_t q = vld1q_s8(query + i);
      const int16x8_t c0 = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(c)));
      const int16x8_t c1 = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(c)));
      const int16x8_t q0 = vmovl_s8(vget_low_s8(q)), q1 = vmovl_s8(vget_high_s8(q));
      sum0 = vmlal_s16(vmlal_s16(sum0, vget_low_s16(c0), vget_low_s16(q0)), vget_high_s16(c0), vget_high_s16(q0));
      sum1 = vmlal_s16(vmlal_s16(sum1, vget_low_s16(c1), vget_low_s16(q1)), vget_high_s16(c1), vget_high_s16(q1));
    }
    return vaddvq_s32(vaddq_s32(sum0, sum1)) + DotTail(codes, query, i, n);
  }
};

#include "vec/kernels_impl.h"

constexpr Kernels kTable = MakeTable("neon");

}  // namespace

namespace internal {
const Kernels* const kNeonKernels = &kTable;
}  // namespace internal
}  // namespace turdb::vec

#else

namespace turdb::vec::internal {
const Kernels* const kNeonKernels = nullptr;
}  // namespace turdb::vec::internal

#endif
