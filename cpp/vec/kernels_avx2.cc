// Kernels for AVX2 with FMA and F16C (Haswell, Zen and later).
#include <cstddef>
#include <cstdint>

#include "vec/half.h"
#include "vec/kernels.h"
#include "vec/sq8.h"

#if defined(__AVX2__)
#include <immintrin.h>

namespace turdb::vec {
namespace {

struct Isa {
  static constexpr uint32_t kWidth = 8;
  using V = __m256;

  static V Load(const float* p) { return _mm256_loadu_ps(p); }
  static V LoadPart(const float* p, uint32_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
  }
  static V Zero() { return _mm256_setzero_ps(); }
  static V Set1(float x) { return _mm256_set1_ps(x); }
  static V Add(V a, V b) { return _mm256_add_ps(a, b); }
  static V Sub(V a, V b) { return _mm256_sub_ps(a, b); }
  static V Mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static V Fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V Abs(V a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
  static V Min(V a, V b) { return _mm256_min_ps(a, b); }
  static V Max(V a, V b) { return _mm256_max_ps(a, b); }
  static float Sum(V a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  static float MinOf(V a) {
    __m128 s = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_min_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
  }
  static float MaxOf(V a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
  }
  static uint32_t CountUnequal(V a, V b) {
    const int mask = _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NEQ_UQ));
    return static_cast<uint32_t>(__builtin_popcount(static_cast<unsigned>(mask)));
  }
  static void StoreU8(V a, uint8_t* to) {
    a = _mm256_min_ps(_mm256_max_ps(a, _mm256_setzero_ps()), _mm256_set1_ps(255.0f));
    const __m256i words = _mm256_cvtps_epi32(a);
    const __m128i halves =
        _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(halves, halves));
  }
  // Sixteen at a time through int16: maddubs would saturate at 255 * -128 * 2.
  static __m256i Step(__m256i sum, const uint8_t* codes, const int8_t* query) {
    const __m256i c = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
    const __m256i q = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(query)));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(c, q));
  }
  static int32_t DotU8S8(const uint8_t* codes, const int8_t* query, uint32_t n) {
    __m256i sum0 = _mm256_setzero_si256(), sum1 = _mm256_setzero_si256();
    uint32_t i = 0;
    for (; i + 32 <= n; i += 32) {
      sum0 = Step(sum0, codes + i, query + i);
      sum1 = Step(sum1, codes + i + 16, query + i + 16);
    }
    const __m256i both = _mm256_add_epi32(sum0, sum1);
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    int32_t sum = _mm_cvtsi128_si32(s);
    for (; i < n; ++i) sum += static_cast<int32_t>(codes[i]) * query[i];
    return sum;
  }
  static void HalfToFloat(const uint16_t* from, float* to, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
      _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
    }
    for (; i < n; ++i) to[i] = HalfToFloatOne(from[i]);
  }
  static void FloatToHalf(const float* from, uint16_t* to, size_t n) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                       _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
    }
    for (; i < n; ++i) to[i] = FloatToHalfOne(from[i]);
  }
};

#include "vec/kernels_impl.h"

constexpr Kernels kTable = MakeTable("avx2");

}  // namespace

namespace internal {
const Kernels* const kAvx2Kernels = &kTable;
}  // namespace internal
}  // namespace turdb::vec

#else

namespace turdb::vec::internal {
const Kernels* const kAvx2Kernels = nullptr;
}  // namespace turdb::vec::internal

#endif
