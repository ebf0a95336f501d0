// Vector functions: distances, norms, conversions (sql/exec/functions.h).
//
// A distance over a vector column and one query goes to the batch kernels (vec/kernels.h) in runs of vectors that lie
// at a fixed stride, and to the single kernel otherwise.
#include <cmath>
#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/functions.h"
#include "types/number_text.h"
#include "vec/kernels.h"
#include "vec/metric.h"

namespace turdb::sql {
namespace {

using Args = absl::Span<const Cell>;

const float* Floats(const Cell& vector) { return reinterpret_cast<const float*>(vector.bytes); }

absl::Status TwoVectors(FunctionContext* context, Args args, Cell* a, Cell* b) {
  TURDB_RETURN_IF_ERROR(ToVector(args[0], context->arena, a));
  TURDB_RETURN_IF_ERROR(ToVector(args[1], context->arena, b));
  if (a->dim() != b->dim()) return DimensionError("vectors of ", a->dim(), " and ", b->dim(), " dimensions have no distance");
  return absl::OkStatus();
}

template <vec::Metric kMetric, bool kIsNegated>
absl::Status Distance(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null() || args[1].is_null()) return absl::OkStatus();
  Cell a, b;
  TURDB_RETURN_IF_ERROR(TwoVectors(context, args, &a, &b));
  const double distance = vec::Distance(kMetric, Floats(a), Floats(b), a.dim());
  *result = Cell::Real(kIsNegated ? -distance : distance);
  return absl::OkStatus();
}

// One side a column of vectors, the other a constant vector of as many dimensions.
template <vec::Metric kMetric, bool kIsNegated>
bool DistanceBatch(FunctionContext* context, absl::Span<const ColumnVector* const> args, uint32_t rows, ColumnVector* out) {
  const ColumnVector *column = args[0], *query = args[1];
  if (column->is_constant()) std::swap(column, query);
  if (column->is_constant() || column->layout() != ColumnVector::Layout::kCells || !query->is_constant()) return false;
  Cell q = query->Get(0);
  if (q.is_null() || !ToVector(q, context->arena, &q).ok()) return false;
  const Cell* cells = column->cells();
  for (uint32_t i = 0; i < rows; ++i) {
    if (!cells[i].is_null() && (!cells[i].is_vector() || cells[i].length != q.length)) return false;
  }
  double* to = out->ResetDouble(rows);
  const vec::BatchFn batch = vec::ActiveKernels().batch[static_cast<int>(kMetric)];
  float keys[64];
  for (uint32_t i = 0; i < rows;) {
    if (cells[i].is_null()) {
      out->SetNull(i++);
      continue;
    }
    // A run of vectors that begin at a fixed distance.
    uint32_t n = 1;
    const ptrdiff_t stride = i + 1 < rows && !cells[i + 1].is_null() ? cells[i + 1].bytes - cells[i].bytes : 0;
    while (stride > 0 && n < 64 && i + n < rows && !cells[i + n].is_null() && cells[i + n].bytes - cells[i + n - 1].bytes == stride) ++n;
    batch(Floats(q), cells[i].bytes, n > 1 ? static_cast<size_t>(stride) : q.length, n, q.dim(), keys);
    for (uint32_t k = 0; k < n; ++k) {
      const double distance = vec::DistanceOfKey(kMetric, keys[k]);
      to[i + k] = kIsNegated ? -distance : distance;
      if (distance != distance) out->SetNull(i + k);
    }
    i += n;
  }
  return true;
}

absl::Status Normalize(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Cell v;
  TURDB_RETURN_IF_ERROR(ToVector(args[0], context->arena, &v));
  float* to = context->arena->AllocateArray<float>(v.dim());
  vec::Normalize(Floats(v), to, v.dim());
  *result = Cell::Vector(to, v.dim());
  return absl::OkStatus();
}

absl::Status Dims(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Cell v;
  TURDB_RETURN_IF_ERROR(ToVector(args[0], context->arena, &v));
  *result = Cell::Integer(v.dim());
  return absl::OkStatus();
}

absl::Status Norm(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Cell v;
  TURDB_RETURN_IF_ERROR(ToVector(args[0], context->arena, &v));
  *result = Cell::Real(std::sqrt(static_cast<double>(vec::ActiveKernels().norm_squared(Floats(v), v.dim()))));
  return absl::OkStatus();
}

// float32 offset, float32 scale, then a byte a dimension: x ~ offset + scale * code.
absl::Status Quantize(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  if (args.size() == 2 && !EqualsIgnoreCase(ToText(args[1], context->arena), "sq8")) {
    return BadValueError("vector_quantize: unknown quantization '", ToText(args[1], context->arena), "'; did you mean sq8?");
  }
  Cell v;
  TURDB_RETURN_IF_ERROR(ToVector(args[0], context->arena, &v));
  const float* x = Floats(v);
  const uint32_t dim = v.dim();
  float low = x[0], high = x[0];
  for (uint32_t i = 1; i < dim; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  const float scale = (high - low) / 255.0f;
  char* to = context->arena->Allocate(8 + dim, 4);
  std::memcpy(to, &low, 4);
  std::memcpy(to + 4, &scale, 4);
  for (uint32_t i = 0; i < dim; ++i) {
    const float code = scale == 0 ? 0 : std::nearbyint((x[i] - low) / scale);
    to[8 + i] = static_cast<char>(static_cast<uint8_t>(std::clamp(code, 0.0f, 255.0f)));
  }
  *result = Cell::Blob({to, size_t{8} + dim});
  return absl::OkStatus();
}

absl::Status ToVectorCall(FunctionContext* context, Args args, Cell* result) {
  return args[0].is_null() ? absl::OkStatus() : ToVector(args[0], context->arena, result);
}

absl::Status ToJson(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Cell v;
  TURDB_RETURN_IF_ERROR(ToVector(args[0], context->arena, &v));
  *result = Cell::Text(VectorToJson(v, context->arena));
  return absl::OkStatus();
}

absl::Status ToBlob(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Cell v;
  TURDB_RETURN_IF_ERROR(ToVector(args[0], context->arena, &v));
  *result = Cell::Blob(v.view());
  return absl::OkStatus();
}

template <vec::Metric kMetric, bool kIsNegated = false>
void AddDistance(FunctionRegistry* r, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) r->Add(name, 2, 2, Distance<kMetric, kIsNegated>)->call_batch = DistanceBatch<kMetric, kIsNegated>;
}

}  // namespace

void AddVectorFunctions(FunctionRegistry* r) {
  AddDistance<vec::Metric::kL2>(r, {"vector_distance_l2", "l2_distance", "vec_distance_l2"});
  AddDistance<vec::Metric::kCosine>(r, {"vector_distance_cosine", "cosine_distance", "vec_distance_cosine"});
  AddDistance<vec::Metric::kInnerProduct>(r, {"vector_distance_inner_product", "negative_inner_product"});
  AddDistance<vec::Metric::kInnerProduct, true>(r, {"inner_product"});
  AddDistance<vec::Metric::kL1>(r, {"vector_distance_l1", "l1_distance", "vec_distance_l1"});
  AddDistance<vec::Metric::kHamming>(r, {"vector_distance_hamming", "hamming_distance", "vec_distance_hamming"});
  r->Add("vector_normalize", 1, 1, Normalize);
  r->Alias("l2_normalize", "vector_normalize");
  r->Alias("vec_normalize", "vector_normalize");
  r->Add("vector_dims", 1, 1, Dims);
  r->Alias("vec_length", "vector_dims");
  r->Add("vector_norm", 1, 1, Norm);
  r->Alias("l2_norm", "vector_norm");
  r->Add("vector_quantize", 1, 2, Quantize);
  r->Add("vector", 1, 1, ToVectorCall);
  r->Alias("vec_f32", "vector");
  r->Add("vec_to_json", 1, 1, ToJson);
  r->Add("vector_to_blob", 1, 1, ToBlob);
}

}  // namespace turdb::sql
