// The kernels, written once over a small set of vector operations; each kernels_<isa>.cc defines
// those (struct Isa) in an unnamed namespace and includes this file in the same one.
//
// Everything here has internal linkage and nothing is called that the compiler could emit as a shared
// inline function: a copy compiled for AVX-512 must never be linked into the rest of the program.
// Isa: kWidth, V, Load, LoadPart (the first n < kWidth elements, then zeros), Zero, Set1, Add, Sub,
// Fma(a, b, c) = a * b + c, Mul, Abs, Min, Max, Sum, MinOf, MaxOf, Store, CountUnequal,
// StoreU8(V, to) (rounded to nearest even, clamped), DotU8S8.
// No include guard: textual inclusion, once a translation unit.

constexpr uint32_t kUnroll = 4;
constexpr uint32_t kBlock = kUnroll * Isa::kWidth;
using V = Isa::V;

inline float FiniteKey(float key) { return key == key ? key : __builtin_inff(); }

// Sums step(acc, a, b) over all elements; zero-filled tails must add nothing.
template <typename Step>
inline float Accumulate(const float* a, const float* b, uint32_t n, Step step) {
  V acc0 = Isa::Zero(), acc1 = Isa::Zero(), acc2 = Isa::Zero(), acc3 = Isa::Zero();
  uint32_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    acc0 = step(acc0, Isa::Load(a + i), Isa::Load(b + i));
    acc1 = step(acc1, Isa::Load(a + i + Isa::kWidth), Isa::Load(b + i + Isa::kWidth));
    acc2 = step(acc2, Isa::Load(a + i + 2 * Isa::kWidth), Isa::Load(b + i + 2 * Isa::kWidth));
    acc3 = step(acc3, Isa::Load(a + i + 3 * Isa::kWidth), Isa::Load(b + i + 3 * Isa::kWidth));
  }
  for (; i + Isa::kWidth <= n; i += Isa::kWidth) acc0 = step(acc0, Isa::Load(a + i), Isa::Load(b + i));
  if (i < n) acc1 = step(acc1, Isa::LoadPart(a + i, n - i), Isa::LoadPart(b + i, n - i));
  return Isa::Sum(Isa::Add(Isa::Add(acc0, acc1), Isa::Add(acc2, acc3)));
}

float InnerProduct(const float* a, const float* b, uint32_t n) {
  return Accumulate(a, b, n, [](V acc, V x, V y) { return Isa::Fma(x, y, acc); });
}

float NormSquared(const float* a, uint32_t n) { return InnerProduct(a, a, n); }

float L2Key(const float* a, const float* b, uint32_t n) {
  return FiniteKey(Accumulate(a, b, n, [](V acc, V x, V y) {
    const V d = Isa::Sub(x, y);
    return Isa::Fma(d, d, acc);
  }));
}

float L1Key(const float* a, const float* b, uint32_t n) {
  return FiniteKey(Accumulate(
      a, b, n, [](V acc, V x, V y) { return Isa::Add(acc, Isa::Abs(Isa::Sub(x, y))); }));
}

float InnerProductKey(const float* a, const float* b, uint32_t n) {
  return FiniteKey(-InnerProduct(a, b, n));
}

// The product and the squared norm of b in one pass over b.
inline void DotAndNorm(const float* a, const float* b, uint32_t n, float* dot, float* norm) {
  V d0 = Isa::Zero(), d1 = Isa::Zero(), n0 = Isa::Zero(), n1 = Isa::Zero();
  uint32_t i = 0;
  for (; i + 2 * Isa::kWidth <= n; i += 2 * Isa::kWidth) {
    const V b0 = Isa::Load(b + i), b1 = Isa::Load(b + i + Isa::kWidth);
    d0 = Isa::Fma(Isa::Load(a + i), b0, d0);
    d1 = Isa::Fma(Isa::Load(a + i + Isa::kWidth), b1, d1);
    n0 = Isa::Fma(b0, b0, n0);
    n1 = Isa::Fma(b1, b1, n1);
  }
  while (i < n) {
    const uint32_t rest = n - i < Isa::kWidth ? n - i : Isa::kWidth;
    const V bt = rest == Isa::kWidth ? Isa::Load(b + i) : Isa::LoadPart(b + i, rest);
    const V at = rest == Isa::kWidth ? Isa::Load(a + i) : Isa::LoadPart(a + i, rest);
    d0 = Isa::Fma(at, bt, d0);
    n0 = Isa::Fma(bt, bt, n0);
    i += rest;
  }
  *dot = Isa::Sum(Isa::Add(d0, d1));
  *norm = Isa::Sum(Isa::Add(n0, n1));
}

inline float CosineOf(float dot, float norm_a, float norm_b) {
  // Rooted one by one: the product of two squared norms leaves the range of a float early.
  return FiniteKey(1.0f - dot / (__builtin_sqrtf(norm_a) * __builtin_sqrtf(norm_b)));
}

float CosineKey(const float* a, const float* b, uint32_t n) {
  float dot, norm_b;
  DotAndNorm(a, b, n, &dot, &norm_b);
  return CosineOf(dot, NormSquared(a, n), norm_b);
}

float HammingKey(const float* a, const float* b, uint32_t n) {
  uint32_t count = 0, i = 0;
  for (; i + Isa::kWidth <= n; i += Isa::kWidth) count += Isa::CountUnequal(Isa::Load(a + i), Isa::Load(b + i));
  if (i < n) count += Isa::CountUnequal(Isa::LoadPart(a + i, n - i), Isa::LoadPart(b + i, n - i));
  return static_cast<float>(count);
}

uint64_t HammingBits(const uint8_t* a, const uint8_t* b, size_t bytes) {
  uint64_t count = 0;
  size_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    uint64_t x, y;
    __builtin_memcpy(&x, a + i, 8);
    __builtin_memcpy(&y, b + i, 8);
    count += static_cast<uint64_t>(__builtin_popcountll(x ^ y));
  }
  for (; i < bytes; ++i) count += static_cast<uint64_t>(__builtin_popcount(a[i] ^ b[i]));
  return count;
}

// Far enough ahead for a page boundary not to stall the scan, near enough to stay in L1.
constexpr size_t kPrefetchBytes = 2048;

inline void PrefetchFloats(const void* at, uint32_t dim) {
  const size_t bytes = static_cast<size_t>(dim) * sizeof(float);
  const size_t reach = bytes < kPrefetchBytes ? bytes : kPrefetchBytes;
  for (size_t line = 0; line < reach; line += 64) __builtin_prefetch(static_cast<const char*>(at) + line);
}

template <typename Key>
inline void ForEachVector(const void* base, size_t stride, uint32_t n, uint32_t dim, float* keys, Key key) {
  const auto* at = static_cast<const uint8_t*>(base);
  for (uint32_t i = 0; i < n; ++i, at += stride) {
    if (i + 1 < n) PrefetchFloats(at + stride, dim);
    keys[i] = key(reinterpret_cast<const float*>(at));
  }
}

template <typename Key>
inline void ForEachPointer(const float* const* vectors, uint32_t n, uint32_t dim, float* keys, Key key) {
  constexpr uint32_t kAhead = 2;
  for (uint32_t i = 0; i < n && i < kAhead; ++i) PrefetchFloats(vectors[i], dim);
  for (uint32_t i = 0; i < n; ++i) {
    if (i + kAhead < n) PrefetchFloats(vectors[i + kAhead], dim);
    keys[i] = key(vectors[i]);
  }
}

template <DistanceFn kKey>
void BatchKeys(const float* query, const void* base, size_t stride, uint32_t n, uint32_t dim, float* keys) {
  ForEachVector(base, stride, n, dim, keys, [&](const float* x) { return kKey(query, x, dim); });
}

template <DistanceFn kKey>
void GatherKeys(const float* query, const float* const* vectors, uint32_t n, uint32_t dim, float* keys) {
  ForEachPointer(vectors, n, dim, keys, [&](const float* x) { return kKey(query, x, dim); });
}

inline float CosineTo(const float* query, float query_norm, const float* x, uint32_t dim) {
  float dot, norm;
  DotAndNorm(query, x, dim, &dot, &norm);
  return CosineOf(dot, query_norm, norm);
}

void CosineBatch(const float* query, const void* base, size_t stride, uint32_t n, uint32_t dim, float* keys) {
  const float query_norm = NormSquared(query, dim);
  ForEachVector(base, stride, n, dim, keys, [&](const float* x) { return CosineTo(query, query_norm, x, dim); });
}

void CosineGather(const float* query, const float* const* vectors, uint32_t n, uint32_t dim, float* keys) {
  const float query_norm = NormSquared(query, dim);
  ForEachPointer(vectors, n, dim, keys, [&](const float* x) { return CosineTo(query, query_norm, x, dim); });
}

void Scale(const float* from, float factor, float* to, uint32_t n) {
  for (uint32_t i = 0; i < n; ++i) to[i] = from[i] * factor;
}

bool IsAllFinite(const float* a, size_t n) {
  constexpr size_t kChunk = 1024;  // an early way out for long arrays, no branch inside a chunk
  for (size_t begin = 0; begin < n; begin += kChunk) {
    const size_t end = n - begin < kChunk ? n : begin + kChunk;
    uint32_t bad = 0;
    for (size_t i = begin; i < end; ++i) {
      uint32_t bits;
      __builtin_memcpy(&bits, a + i, 4);
      bad |= static_cast<uint32_t>((bits & 0x7fffffffu) >= 0x7f800000u);
    }
    if (bad != 0) return false;
  }
  return true;
}

void DoubleToFloat(const double* from, float* to, size_t n) {
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<float>(from[i]);
}

float Sq8Key(const Sq8Query& query, const uint8_t* node) {
  Sq8Terms terms;
  __builtin_memcpy(&terms, node + query.padded_dim, sizeof(terms));
  const auto dot = static_cast<float>(Isa::DotU8S8(node, query.codes, query.padded_dim));
  return FiniteKey((query.bias + terms.bias) + query.scale_weight * terms.scale * dot +
                   (query.offset_weight * terms.offset + query.sum_weight * terms.sum));
}

inline void PrefetchNode(const Sq8Query& query, const uint8_t* node) {
  for (uint32_t line = 0; line <= query.padded_dim; line += 64) __builtin_prefetch(node + line);
}

void Sq8Keys(const Sq8Query& query, const uint8_t* const* nodes, uint32_t n, float* keys) {
  constexpr uint32_t kAhead = 2;  // the searches have fetched further ahead into L2
  for (uint32_t i = 0; i < n && i < kAhead; ++i) PrefetchNode(query, nodes[i]);
  for (uint32_t i = 0; i < n; ++i) {
    if (i + kAhead < n) PrefetchNode(query, nodes[i + kAhead]);
    keys[i] = Sq8Key(query, nodes[i]);
  }
}

int32_t DotU8S8(const uint8_t* codes, const int8_t* query, uint32_t n) { return Isa::DotU8S8(codes, query, n); }

void MinMax(const float* x, const float* mean, uint32_t n, float* low, float* high) {
  float lo = __builtin_inff(), hi = -__builtin_inff();
  uint32_t i = 0;
  if (n >= Isa::kWidth) {
    V vlo = Isa::Set1(lo), vhi = Isa::Set1(hi);
    for (; i + Isa::kWidth <= n; i += Isa::kWidth) {
      const V d = Isa::Sub(Isa::Load(x + i), Isa::Load(mean + i));
      vlo = Isa::Min(vlo, d);
      vhi = Isa::Max(vhi, d);
    }
    lo = Isa::MinOf(vlo);
    hi = Isa::MaxOf(vhi);
  }
  for (; i < n; ++i) {
    const float d = x[i] - mean[i];
    lo = d < lo ? d : lo;
    hi = d > hi ? d : hi;
  }
  *low = lo;
  *high = hi;
}

void EncodeU8(const float* x, const float* mean, float offset, float inverse_scale, uint32_t n, uint8_t* codes) {
  const V voffset = Isa::Set1(offset), vscale = Isa::Set1(inverse_scale);
  uint32_t i = 0;
  for (; i + Isa::kWidth <= n; i += Isa::kWidth) {
    const V d = Isa::Sub(Isa::Sub(Isa::Load(x + i), Isa::Load(mean + i)), voffset);
    Isa::StoreU8(Isa::Mul(d, vscale), codes + i);
  }
  if (i < n) {
    uint8_t part[Isa::kWidth];
    const V d = Isa::Sub(Isa::Sub(Isa::LoadPart(x + i, n - i), Isa::LoadPart(mean + i, n - i)), voffset);
    Isa::StoreU8(Isa::Mul(d, vscale), part);
    for (uint32_t j = 0; i < n; ++i, ++j) codes[i] = part[j];
  }
}

CodeSums SumCodes(const uint8_t* codes, uint32_t n) {
  CodeSums sums = {0, 0};
  constexpr uint32_t kChunk = 32768;  // whose squares still fit 32 bits
  for (uint32_t begin = 0; begin < n; begin += kChunk) {
    const uint32_t end = n - begin < kChunk ? n : begin + kChunk;
    uint32_t sum = 0, squares = 0;
    for (uint32_t i = begin; i < end; ++i) {
      sum += codes[i];
      squares += static_cast<uint32_t>(codes[i]) * codes[i];
    }
    sums.sum += sum;
    sums.squares += squares;
  }
  return sums;
}

int32_t FlipCodes(const uint8_t* codes, int8_t* to, uint32_t n) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const auto code = static_cast<int8_t>(codes[i] ^ 0x80);
    to[i] = code;
    sum += code;
  }
  return sum;
}

constexpr Kernels MakeTable(std::string_view name) {
  Kernels k{};
  k.name = name;
  const DistanceFn distance[kMetricCount] = {L2Key, CosineKey, InnerProductKey, L1Key, HammingKey};
  const BatchFn batch[kMetricCount] = {BatchKeys<L2Key>, CosineBatch, BatchKeys<InnerProductKey>,
                                       BatchKeys<L1Key>, BatchKeys<HammingKey>};
  const GatherFn gather[kMetricCount] = {GatherKeys<L2Key>, CosineGather, GatherKeys<InnerProductKey>,
                                         GatherKeys<L1Key>, GatherKeys<HammingKey>};
  for (int i = 0; i < kMetricCount; ++i) {
    k.distance[i] = distance[i];
    k.batch[i] = batch[i];
    k.gather[i] = gather[i];
  }
  k.inner_product = InnerProduct;
  k.norm_squared = NormSquared;
  k.scale = Scale;
  k.is_all_finite = IsAllFinite;
  k.hamming_bits = HammingBits;
  k.half_to_float = Isa::HalfToFloat;
  k.float_to_half = Isa::FloatToHalf;
  k.double_to_float = DoubleToFloat;
  k.dot_u8s8 = DotU8S8;
  k.sq8_keys = Sq8Keys;
  k.sq8_key = Sq8Key;
  k.min_max = MinMax;
  k.encode_u8 = EncodeU8;
  k.sum_codes = SumCodes;
  k.flip_codes = FlipCodes;
  return k;
}
