// LINKS: hnsw
// turdb._testing.hnsw: the graph in memory, thinly, for tests/vector/test_hnsw_*.py and benchmarks/dev_hnsw.py.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/errors.h"
#include "hnsw/build.h"
#include "hnsw/exact.h"
#include "hnsw/search.h"
#include "vec/kernels.h"

namespace py = pybind11;
using namespace turdb;
using namespace turdb::hnsw;
using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Words = py::array_t<uint64_t, py::array::c_style | py::array::forcecast>;

namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  throw std::runtime_error(std::string(ErrorKindName(KindOf(status))) + ": " + std::string(status.message()));
}
vec::Metric MetricOf(const std::string& name) {
  auto metric = vec::MetricByName(name);
  if (!metric) throw py::value_error("no metric " + name);
  return *metric;
}
Filter FilterOf(const py::object& words) {
  Filter filter;
  if (words.is_none()) return filter;
  auto array = words.cast<Words>();
  filter.words = array.data();
  filter.word_count = static_cast<size_t>(array.size());
  return filter;
}
py::dict CountersDict(const SearchCounters& c) {
  py::dict d;
  d["method"] = std::string(MethodName(c.method));
  d["visited"] = c.visited;
  d["computed"] = c.computed;
  d["reranked"] = c.reranked;
  d["tail"] = c.tail;
  return d;
}
py::tuple HitsOf(const std::vector<Hit>& hits, const SearchCounters& counters) {
  py::array_t<int64_t> ids(hits.size());
  py::array_t<float> distances(hits.size());
  for (size_t i = 0; i < hits.size(); ++i) {
    ids.mutable_at(i) = hits[i].rowid.value();
    distances.mutable_at(i) = hits[i].distance;
  }
  return py::make_tuple(ids, distances, CountersDict(counters));
}

class MemoryIndex {
 public:
  MemoryIndex(Floats matrix, const std::string& metric, uint32_t m, uint32_t efc, uint64_t seed, int threads,
              py::object progress)
      : matrix_(std::move(matrix)),
        vectors_(matrix_.data(), matrix_.strides(0), static_cast<uint32_t>(matrix_.shape(1)),
                 static_cast<uint32_t>(matrix_.shape(0))) {
    GraphOptions options{MetricOf(metric), vectors_.dim(), m, efc, seed};
    Progress report;
    if (!progress.is_none()) {
      report = [&](uint64_t done, uint64_t total) -> absl::Status {
        py::gil_scoped_acquire gil;
        if (!progress(done, total).cast<bool>()) return InterruptedError("interrupted");
        return absl::OkStatus();
      };
    }
    GraphMeta meta;
    absl::StatusOr<GraphImage> image = [&] {
      py::gil_scoped_release release;
      return BuildImage(vectors_, options, threads, report, &meta);
    }();
    Check(image.status());
    image_ = std::make_unique<GraphImage>(std::move(*image));
    std::vector<float> mean(meta.options.dim);
    const uint32_t bytes = meta.options.dim * 4;
    for (uint32_t at = 0, id = 2; at < bytes; at += format::kHnswPayloadBytes, ++id) {
      std::memcpy(reinterpret_cast<char*>(mean.data()) + at, image_->Page(id) + format::kHnswDataOffset,
                  std::min(bytes - at, format::kHnswPayloadBytes));
    }
    searcher_ = std::make_unique<Searcher>(meta, vec::Sq8Codec(meta.options.metric, meta.options.dim, mean),
                                           image_->bytes(), vectors_);
  }
  py::tuple Search(const Floats& query, uint32_t k, uint32_t ef, py::object filter) {
    SearchRequest request;
    request.k = k;
    request.ef = ef;
    request.filter = FilterOf(filter);
    SearchCounters counters;
    Check(searcher_->Search(query.data(), request, &scratch_, &hits_, &counters));
    return HitsOf(hits_, counters);
  }
  py::tuple SearchMany(const Floats& queries, uint32_t k, uint32_t ef, int threads, py::object filter) {
    SearchRequest request;
    request.k = k;
    request.ef = ef;
    request.filter = FilterOf(filter);
    const auto n = static_cast<uint32_t>(queries.shape(0));
    std::vector<Hit> hits(size_t{n} * k);
    SearchCounters counters;
    {
      py::gil_scoped_release release;
      Check(searcher_->SearchMany(queries.data(), queries.shape(1), n, request, threads, hits.data(), &counters));
    }
    py::array_t<int64_t> ids({py::ssize_t{n}, py::ssize_t{k}});
    py::array_t<float> distances({py::ssize_t{n}, py::ssize_t{k}});
    for (size_t i = 0; i < hits.size(); ++i) {
      ids.mutable_data()[i] = hits[i].rowid.value();
      distances.mutable_data()[i] = hits[i].distance;
    }
    return py::make_tuple(ids, distances, CountersDict(counters));
  }
  // Seconds a query, one thread, inside C++.
  double TimeSearch(const Floats& queries, uint32_t k, uint32_t ef, py::object filter) {
    SearchRequest request;
    request.k = k;
    request.ef = ef;
    request.filter = FilterOf(filter);
    SearchCounters counters;
    const auto start = std::chrono::steady_clock::now();
    for (py::ssize_t i = 0; i < queries.shape(0); ++i) {
      Check(searcher_->Search(queries.data(i, 0), request, &scratch_, &hits_, &counters));
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / queries.shape(0);
  }
  py::bytes Image() const {
    return py::bytes(reinterpret_cast<const char*>(image_->bytes()), size_t{image_->page_count()} * format::kPageBytes);
  }

 private:
  Floats matrix_;
  VectorSource vectors_;
  std::unique_ptr<GraphImage> image_;
  std::unique_ptr<Searcher> searcher_;
  SearchScratch scratch_;
  std::vector<Hit> hits_;
};

py::tuple Exact(const Floats& matrix, const std::string& metric, const Floats& query, uint32_t k, py::object filter,
                uint32_t first, uint32_t end, int threads, float radius, bool inclusive) {
  VectorSource vectors(matrix.data(), matrix.strides(0), static_cast<uint32_t>(matrix.shape(1)),
                       static_cast<uint32_t>(matrix.shape(0)));
  ExactRequest request{k, FilterOf(filter), first, end, threads, radius, inclusive};
  std::vector<Hit> hits;
  SearchCounters counters;
  Check(ExactSearch(vectors, MetricOf(metric), query.data(), request, &hits, &counters));
  return HitsOf(hits, counters);
}

}  // namespace

PYBIND11_MODULE(hnsw, m) {
  py::class_<MemoryIndex>(m, "MemoryIndex")
      .def(py::init<Floats, const std::string&, uint32_t, uint32_t, uint64_t, int, py::object>(), py::arg("vectors"),
           py::arg("metric") = "cosine", py::arg("m") = 16, py::arg("ef_construction") = 200, py::arg("seed") = 42,
           py::arg("threads") = 1, py::arg("progress") = py::none())
      .def("search", &MemoryIndex::Search, py::arg("query"), py::arg("k") = 10, py::arg("ef") = 64,
           py::arg("filter") = py::none())
      .def("search_many", &MemoryIndex::SearchMany, py::arg("queries"), py::arg("k") = 10, py::arg("ef") = 64,
           py::arg("threads") = 1, py::arg("filter") = py::none())
      .def("time_search", &MemoryIndex::TimeSearch, py::arg("queries"), py::arg("k") = 10, py::arg("ef") = 64,
           py::arg("filter") = py::none())
      .def("image", &MemoryIndex::Image);
  m.def("exact", &Exact, py::arg("vectors"), py::arg("metric"), py::arg("query"), py::arg("k") = 10,
        py::arg("filter") = py::none(), py::arg("first") = 0, py::arg("end") = 0xffffffffu, py::arg("threads") = 1,
        py::arg("radius") = std::numeric_limits<float>::infinity(), py::arg("inclusive") = true);
}
