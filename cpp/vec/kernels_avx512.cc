// Kernels for AVX-512 F, BW, DQ, VL and VNNI (Ice Lake, Zen 4 and later).
#include <cstddef>
#include <cstdint>

#include "vec/half.h"
#include "vec/kernels.h"
#include "vec/sq8.h"

#if defined(__AVX512VNNI__)
#include <immintrin.h>

namespace turdb::vec {
namespace {

struct Isa {
  static constexpr uint32_t kWidth = 16;
  using V = __m512;

  static __mmask16 First(uint32_t n) { return static_cast<__mmask16>((1u << n) - 1); }

  static V Load(const float* p) { return _mm512_loadu_ps(p); }
  static V LoadPart(const float* p, uint32_t n) { return _mm512_maskz_loadu_ps(First(n), p); }
  static V Zero() { return _mm512_setzero_ps(); }
  static V Set1(float x) { return _mm512_set1_ps(x); }
  static V Add(V a, V b) { return _mm512_add_ps(a, b); }
  static V Sub(V a, V b) { return _mm512_sub_ps(a, b); }
  static V Mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static V Fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V Abs(V a) { return _mm512_abs_ps(a); }
  static V Min(V a, V b) { return _mm512_min_ps(a, b); }
  static V Max(V a, V b) { return _mm512_max_ps(a, b); }
  static float Sum(V a) { return _mm512_reduce_add_ps(a); }
  static float MinOf(V a) { return _mm512_reduce_min_ps(a); }
  static float MaxOf(V a) { return _mm512_reduce_max_ps(a); }
  static uint32_t CountUnequal(V a, V b) {
    return static_cast<uint32_t>(__builtin_popcount(_mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ)));
  }
  static void StoreU8(V a, uint8_t* to) {
    const __m512i words = _mm512_cvtps_epi32(_mm512_max_ps(a, _mm512_setzero_ps()));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(words));
  }
  static int32_t DotU8S8(const uint8_t* codes, const int8_t* query, uint32_t n) {
    __m512i sum0 = _mm512_setzero_si512(), sum1 = _mm512_setzero_si512();
    uint32_t i = 0;
    for (; i + 128 <= n; i += 128) {
      sum0 = _mm512_dpbusd_epi32(sum0, _mm512_loadu_si512(codes + i), _mm512_loadu_si512(query + i));
      sum1 = _mm512_dpbusd_epi32(sum1, _mm512_loadu_si512(codes + i + 64), _mm512_loadu_si512(query + i + 64));
    }
    if (i + 64 <= n) {
      sum0 = _mm512_dpbusd_epi32(sum0, _mm512_loadu_si512(codes + i), _mm512_loadu_si512(query + i));
      i += 64;
    }
    if (i < n) {
      const __mmask64 first = (uint64_t{1} << (n - i)) - 1;
      sum1 = _mm512_dpbusd_epi32(sum1, _mm512_maskz_loadu_epi8(first, codes + i),
                                 _mm512_maskz_loadu_epi8(first, query + i));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(sum0, sum1));
  }
  static void HalfToFloat(const uint16_t* from, float* to, size_t n) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
      _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i))));
    }
    for (; i < n; ++i) to[i] = HalfToFloatOne(from[i]);
  }
  static void FloatToHalf(const float* from, uint16_t* to, size_t n) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                          _mm512_cvtps_ph(_mm512_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
    }
    for (; i < n; ++i) to[i] = FloatToHalfOne(from[i]);
  }
};

#include "vec/kernels_impl.h"

constexpr Kernels kTable = MakeTable("avx512");

}  // namespace

namespace internal {
const Kernels* const kAvx512Kernels = &kTable;
}  // namespace internal
}  // namespace turdb::vec

#else

namespace turdb::vec::internal {
const Kernels* const kAvx512Kernels = nullptr;
}  // namespace turdb::vec::internal

#endif
