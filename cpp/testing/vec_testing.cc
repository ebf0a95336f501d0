// LINKS: vec
// turdb._testing.vec: the kernels and the quantiser, thinly, for tests/vector/test_kernels.py.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <string>

#include "base/cpu.h"
#include "vec/kernels.h"
#include "vec/sq8.h"

namespace py = pybind11;
using namespace turdb::vec;
using Floats = py::array_t<float, py::array::forcecast>;

namespace {

const Kernels& Table(const std::string& name) {
  const Kernels* kernels = KernelsByName(name);
  if (kernels == nullptr) throw py::value_error("no kernels " + name);
  return *kernels;
}
Metric MetricOf(const std::string& name) {
  auto metric = MetricByName(name);
  if (!metric) throw py::value_error("no metric " + name);
  return *metric;
}
uint32_t Size(const py::array& a) { return static_cast<uint32_t>(a.size()); }

// Rows of a 2-d array may lie any number of bytes apart; elements of a row are dense.
py::array_t<float> Batch(const std::string& isa, const std::string& metric, const Floats& query, py::array rows) {
  py::array_t<float> keys(rows.shape(0));
  Table(isa).batch[static_cast<int>(MetricOf(metric))](query.data(), rows.data(), rows.strides(0),
                                                       static_cast<uint32_t>(rows.shape(0)), Size(query),
                                                       keys.mutable_data());
  return keys;
}

py::array_t<float> Gather(const std::string& isa, const std::string& metric, const Floats& query, py::array rows) {
  std::vector<const float*> vectors;
  for (py::ssize_t i = rows.shape(0); i-- > 0;) vectors.push_back(static_cast<const float*>(rows.data(i, 0)));
  py::array_t<float> keys(rows.shape(0));
  Table(isa).gather[static_cast<int>(MetricOf(metric))](query.data(), vectors.data(), static_cast<uint32_t>(vectors.size()),
                                                        Size(query), keys.mutable_data());
  return keys;
}

// Two vectors at given byte shifts of an aligned buffer, to meet every alignment.
float KeyShifted(const std::string& isa, const std::string& metric, const Floats& a, const Floats& b, size_t shift) {
  std::vector<char> buffer_a(Size(a) * 4 + 64), buffer_b(Size(b) * 4 + 64);
  std::memcpy(buffer_a.data() + shift, a.data(), Size(a) * 4);
  std::memcpy(buffer_b.data() + shift / 2, b.data(), Size(b) * 4);
  return Table(isa).distance[static_cast<int>(MetricOf(metric))](
      reinterpret_cast<const float*>(buffer_a.data() + shift),
      reinterpret_cast<const float*>(buffer_b.data() + shift / 2), Size(a));
}

struct PyCodec {
  PyCodec(const std::string& metric, const Floats& mean)
      : codec(MetricOf(metric), Size(mean), std::vector<float>(mean.data(), mean.data() + mean.size())) {}
  py::tuple Encode(const Floats& x) const {
    std::vector<float> scratch(codec.dim());
    py::array_t<uint8_t> codes(codec.padded_dim());
    const Sq8Terms t = codec.Encode(x.data(), codes.mutable_data(), scratch.data());
    return py::make_tuple(codes, py::make_tuple(t.scale, t.offset, t.sum, t.bias));
  }
  py::array_t<float> Decode(const Floats& x) const {
    std::vector<float> scratch(codec.dim());
    std::vector<uint8_t> codes(codec.padded_dim());
    const Sq8Terms t = codec.Encode(x.data(), codes.data(), scratch.data());
    py::array_t<float> y(codec.dim());
    codec.Decode(t, codes.data(), y.mutable_data());
    return y;
  }
  // Keys of every query to every row, through the codes of both.
  py::array_t<float> Keys(const std::string& isa, const Floats& queries, const Floats& rows) const {
    const uint32_t stride = 16 + codec.padded_dim(), n = static_cast<uint32_t>(rows.shape(0));
    std::vector<uint8_t> nodes(size_t{stride} * n);
    std::vector<const uint8_t*> pointers(n);
    std::vector<float> scratch(codec.dim());
    for (uint32_t i = 0; i < n; ++i) {
      uint8_t* node = nodes.data() + size_t{stride} * i;
      const Sq8Terms t = codec.Encode(rows.data(i, 0), node, scratch.data());
      std::memcpy(node + codec.padded_dim(), &t, 16);
      pointers[i] = node;
    }
    py::array_t<float> keys({queries.shape(0), rows.shape(0)});
    std::vector<int8_t> codes(codec.padded_dim());
    for (py::ssize_t q = 0; q < queries.shape(0); ++q) {
      const Sq8Query query = codec.EncodeQuery(queries.data(q, 0), codes.data(), scratch.data());
      Table(isa).sq8_keys(query, pointers.data(), n, keys.mutable_data(q, 0));
    }
    return keys;
  }
  Sq8Codec codec;
};

// Nanoseconds a call, for benchmarks/dev_hnsw.py.
double TimeKernel(const std::string& isa, const std::string& what, uint32_t dim, uint32_t rounds) {
  const Kernels& k = Table(isa);
  std::vector<float> a(dim, 0.5f), b(dim, 0.25f);
  std::vector<uint8_t> codes(dim, 7);
  std::vector<int8_t> query(dim, -3);
  volatile float sink = 0;
  const auto start = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < rounds; ++i) {
    sink = what == "sq8" ? static_cast<float>(k.dot_u8s8(codes.data(), query.data(), dim))
                         : k.distance[static_cast<int>(MetricOf(what))](a.data(), b.data(), dim);
  }
  (void)sink;
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / rounds;
}

}  // namespace

PYBIND11_MODULE(vec, m) {
  m.def("available", [] {
    std::vector<std::string> names;
    for (auto name : AvailableKernels()) names.emplace_back(name);
    return names;
  });
  m.def("active", [] { return std::string(ActiveKernels().name); });
  m.def("set_active", [](const std::string& name) { return SetActiveKernels(name); });
  m.def("key", &KeyShifted, py::arg("isa"), py::arg("metric"), py::arg("a"), py::arg("b"), py::arg("shift") = 0);
  m.def("batch", &Batch);
  m.def("gather", &Gather);  // the rows last to first
  m.def("distance", [](const std::string& metric, const Floats& a, const Floats& b) {
    return Distance(MetricOf(metric), a.data(), b.data(), Size(a));
  });
  m.def("inner_product", [](const std::string& isa, const Floats& a, const Floats& b) {
    return Table(isa).inner_product(a.data(), b.data(), Size(a));
  });
  m.def("norm_squared", [](const std::string& isa, const Floats& a) { return Table(isa).norm_squared(a.data(), Size(a)); });
  m.def("normalize", [](const Floats& a) {
    py::array_t<float> to(a.size());
    const float norm = Normalize(a.data(), to.mutable_data(), Size(a));
    return py::make_tuple(to, norm);
  });
  m.def("is_all_finite", [](const std::string& isa, const Floats& a) { return Table(isa).is_all_finite(a.data(), a.size()); });
  m.def("hamming_bits", [](const std::string& isa, py::array_t<uint8_t> a, py::array_t<uint8_t> b) {
    return Table(isa).hamming_bits(a.data(), b.data(), a.size());
  });
  m.def("half_to_float", [](const std::string& isa, py::array_t<uint16_t> a) {
    py::array_t<float> to(a.size());
    Table(isa).half_to_float(a.data(), to.mutable_data(), a.size());
    return to;
  });
  m.def("float_to_half", [](const std::string& isa, const Floats& a) {
    py::array_t<uint16_t> to(a.size());
    Table(isa).float_to_half(a.data(), to.mutable_data(), a.size());
    return to;
  });
  m.def("double_to_float", [](const std::string& isa, py::array_t<double> a) {
    py::array_t<float> to(a.size());
    Table(isa).double_to_float(a.data(), to.mutable_data(), a.size());
    return to;
  });
  m.def("dot_u8s8", [](const std::string& isa, py::array_t<uint8_t> a, py::array_t<int8_t> b) {
    return Table(isa).dot_u8s8(a.data(), b.data(), Size(a));
  });
  m.def("min_max", [](const std::string& isa, const Floats& x, const Floats& mean) {
    float low, high;
    Table(isa).min_max(x.data(), mean.data(), Size(x), &low, &high);
    return py::make_tuple(low, high);
  });
  m.def("encode_u8", [](const std::string& isa, const Floats& x, const Floats& mean, float offset, float inverse) {
    py::array_t<uint8_t> codes(x.size());
    Table(isa).encode_u8(x.data(), mean.data(), offset, inverse, Size(x), codes.mutable_data());
    return codes;
  });
  m.def("time_kernel", &TimeKernel);
  py::class_<PyCodec>(m, "Codec")
      .def(py::init<const std::string&, const Floats&>())
      .def("encode", &PyCodec::Encode)
      .def("decode", &PyCodec::Decode)
      .def("keys", &PyCodec::Keys);
}
