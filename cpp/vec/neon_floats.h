// The float half of the NEON kernels, for kernels_neon.cc and kernels_neon_dot.cc: included inside
// their unnamed namespaces (each is compiled with flags of its own and shares no code).
// No include guard: textual inclusion, once a translation unit.

struct NeonFloats {
  static constexpr uint32_t kWidth = 4;
  using V = float32x4_t;

  static V Load(const float* p) { return vld1q_f32(p); }
  static V LoadPart(const float* p, uint32_t n) {
    float part[4] = {0, 0, 0, 0};
    for (uint32_t i = 0; i < n; ++i) part[i] = p[i];
    return vld1q_f32(part);
  }
  static V Zero() { return vdupq_n_f32(0); }
  static V Set1(float x) { return vdupq_n_f32(x); }
  static V Add(V a, V b) { return vaddq_f32(a, b); }
  static V Sub(V a, V b) { return vsubq_f32(a, b); }
  static V Mul(V a, V b) { return vmulq_f32(a, b); }
  static V Fma(V a, V b, V c) { return vfmaq_f32(c, a, b); }
  static V Abs(V a) { return vabsq_f32(a); }
  static V Min(V a, V b) { return vminnmq_f32(a, b); }
  static V Max(V a, V b) { return vmaxnmq_f32(a, b); }
  static float Sum(V a) { return vaddvq_f32(a); }
  static float MinOf(V a) { return vminnmvq_f32(a); }
  static float MaxOf(V a) { return vmaxnmvq_f32(a); }
  static uint32_t CountUnequal(V a, V b) { return 4 - vaddvq_u32(vshrq_n_u32(vceqq_f32(a, b), 31)); }
  static void StoreU8(V a, uint8_t* to) {
    const uint16x4_t words = vqmovn_u32(vcvtnq_u32_f32(a));  // the conversion clamps below at 0
    const uint8x8_t bytes = vqmovn_u16(vcombine_u16(words, words));
    vst1_lane_u32(reinterpret_cast<uint32_t*>(to), vreinterpret_u32_u8(bytes), 0);
  }
  static void HalfToFloat(const uint16_t* from, float* to, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4) vst1q_f32(to + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i))));
    for (; i < n; ++i) to[i] = HalfToFloatOne(from[i]);
  }
  static void FloatToHalf(const float* from, uint16_t* to, size_t n) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4) vst1_u16(to + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(from + i))));
    for (; i < n; ++i) to[i] = FloatToHalfOne(from[i]);
  }
};

int32_t DotTail(const uint8_t* codes, const int8_t* query, uint32_t from, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = from; i < n; ++i) sum += static_cast<int32_t>(codes[i]) * query[i];
  return sum;
}
