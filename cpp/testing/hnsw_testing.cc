// LINKS: hnsw txn
// turdb._testing.hnsw: graphs in memory and in the files of a store, thinly, for tests/vector/test_hnsw_*.py and benchmarks/dev_hnsw.py.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/errors.h"
#include "hnsw/build.h"
#include "hnsw/check.h"
#include "hnsw/exact.h"
#include "hnsw/insert.h"
#include "hnsw/search.h"
#include "hnsw/vacuum.h"
#include "testing/check.h"
#include "txn/store.h"
#include "vec/kernels.h"

namespace py = pybind11;
using namespace turdb;
using namespace turdb::hnsw;
using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Words = py::array_t<uint64_t, py::array::c_style | py::array::forcecast>;

namespace {

using turdb::testing::Check;

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

Progress ProgressOf(py::object report) {
  if (report.is_none()) return nullptr;
  return [report](uint64_t done, uint64_t total) -> absl::Status {
    py::gil_scoped_acquire gil;
    return report(done, total).cast<bool>() ? absl::OkStatus() : InterruptedError("interrupted");
  };
}

class MemoryIndex {
 public:
  MemoryIndex(Floats matrix, const std::string& metric, uint32_t m, uint32_t efc, uint64_t seed, int threads,
              py::object progress)
      : matrix_(std::move(matrix)),
        vectors_(matrix_.data(), matrix_.strides(0), static_cast<uint32_t>(matrix_.shape(1)),
                 static_cast<uint32_t>(matrix_.shape(0))) {
    GraphOptions options{MetricOf(metric), vectors_.dim(), m, efc, seed};
    const Progress report = ProgressOf(progress);
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

// A .vec and a .hnsw file in a store, in memory or in a directory; every call is a transaction.
class FileIndex {
 public:
  FileIndex(py::object path, uint32_t dim, const std::string& metric, uint32_t m, uint32_t efc, bool is_half)
      : options_{MetricOf(metric), dim, m, efc, 42},
        layout_(dim, is_half ? format::VecElement::kFloat16 : format::VecElement::kFloat32) {
    if (path.is_none()) memory_env_ = env::NewMemoryEnv();
    path_ = path.is_none() ? "db" : path.cast<std::string>();
    Open();
    auto txn = Begin();
    std::string chosen;
    vec_file_ = Check(txn->CreateFile("root/t.vec", &chosen));
    hnsw_file_ = Check(txn->CreateFile("root/t.hnsw", &chosen));
    Check(Check(txn->Writer(vec_file_))->ExtendZeroed(1, format::PageKind::kVectorHeader));
    Commit(txn.get());
  }
  ~FileIndex() {
    if (store_ != nullptr) (void)store_->Close();
  }
  void Reopen() {
    Check(store_->Close());
    store_.reset();
    Open();
  }
  void Checkpoint() { Check(store_->Checkpoint()); }

  // Adds vectors in the next slots; row ids are the slot numbers plus 1000.
  void Append(const Floats& matrix) {
    auto txn = Begin();
    pager::FileWriter* writer = Check(txn->Writer(vec_file_));
    uint8_t* header = Check(writer->MutablePage(PageId(1)));
    const auto first = Load<uint32_t>(header + format::kVecKindSlotCount);
    const auto count = static_cast<uint32_t>(matrix.shape(0));
    const auto pages = static_cast<uint32_t>(layout_.PageCount(first + count));
    if (pages > writer->view().page_count()) {
      Check(writer->ExtendZeroed(pages - writer->view().page_count(), format::PageKind::kVectorData));
    }
    std::vector<uint8_t> bytes(layout_.vector_bytes());
    for (uint32_t i = 0; i < count; ++i) {
      if (layout_.element() == format::VecElement::kFloat16) {
        vec::ActiveKernels().float_to_half(matrix.data(i, 0), reinterpret_cast<uint16_t*>(bytes.data()), layout_.dim());
      } else {
        std::memcpy(bytes.data(), matrix.data(i, 0), bytes.size());
      }
      WriteVector(writer, NodeId(first + i), bytes);
    }
    Store<uint32_t>(header + format::kVecKindSlotCount, first + count);
    Commit(txn.get());
  }
  void Delete(const std::vector<uint32_t>& slots, bool in_graph) {
    auto txn = Begin();
    pager::FileWriter* vectors = Check(txn->Writer(vec_file_));
    pager::FileWriter* graph = Check(txn->Writer(hnsw_file_));
    for (const uint32_t slot : slots) {
      uint8_t* page = Check(vectors->MutablePage(layout_.PageOf(NodeId(slot))));
      Store<int64_t>(page + layout_.RowIdOffset(NodeId(slot)), format::kFreeSlotRowId);
      if (in_graph) Check(MarkDeleted(NodeId(slot), graph));
    }
    Commit(txn.get());
  }
  void Build(int threads, py::object report) {
    auto txn = Begin();
    pager::FileView view = Check(txn->View(vec_file_));
    Check(hnsw::Build(Source(&view), options_, threads, ProgressOf(report), Check(txn->Writer(hnsw_file_))).status());
    Commit(txn.get());
  }
  uint32_t Absorb(uint32_t end, int threads, py::object report) {
    auto txn = Begin();
    pager::FileView view = Check(txn->View(vec_file_));
    const uint32_t n =
        Check(hnsw::Absorb(Source(&view), end, threads, ProgressOf(report), Check(txn->Writer(hnsw_file_))));
    Commit(txn.get());
    return n;
  }
  uint32_t Vacuum(int threads) {
    auto txn = Begin();
    const uint32_t n = Check(hnsw::Vacuum(threads, nullptr, Check(txn->Writer(hnsw_file_))));
    Commit(txn.get());
    return n;
  }
  void Clear() {
    auto txn = Begin();
    Check(hnsw::Clear(Check(txn->Writer(hnsw_file_))));
    Store<uint32_t>(Check(Check(txn->Writer(vec_file_))->MutablePage(PageId(1))) + format::kVecKindSlotCount, 0);
    Commit(txn.get());
  }
  std::vector<std::string> CheckGraph() {
    auto txn = store_->Begin();
    pager::FileView vectors = Check(txn->View(vec_file_)), graph = Check(txn->View(hnsw_file_));
    const VectorSource source = Source(&vectors);
    return Check(hnsw::Check(graph, &source));
  }
  py::dict Meta() {
    auto txn = store_->Begin();
    const pager::FileView view = Check(txn->View(hnsw_file_));
    const GraphMeta meta = Check(ReadMeta(view));
    py::dict d;
    d["node_count"] = meta.node_count;
    d["present_count"] = meta.present_count;
    d["deleted_count"] = meta.deleted_count;
    d["top_level"] = meta.entry.top_level;
    d["page_count"] = view.page_count();
    d["is_flat"] = view.IsFlat();
    return d;
  }
  py::tuple Search(const Floats& query, uint32_t k, uint32_t ef, py::object filter) {
    auto txn = store_->Begin();
    pager::FileView vectors = Check(txn->View(vec_file_)), graph = Check(txn->View(hnsw_file_));
    auto searcher = Check(Searcher::Open(&graph, Source(&vectors)));
    SearchRequest request;
    request.k = k;
    request.ef = ef;
    request.filter = FilterOf(filter);
    SearchCounters counters;
    std::vector<Hit> hits;
    Check(searcher->Search(query.data(), request, &scratch_, &hits, &counters));
    return HitsOf(hits, counters);
  }
  py::tuple Exact(const Floats& query, uint32_t k) {
    auto txn = store_->Begin();
    pager::FileView vectors = Check(txn->View(vec_file_));
    SearchCounters counters;
    std::vector<Hit> hits;
    ExactRequest request;
    request.k = k;
    Check(ExactSearch(Source(&vectors), options_.metric, query.data(), request, &hits, &counters));
    return HitsOf(hits, counters);
  }
  double TimeSearch(const Floats& queries, uint32_t k, uint32_t ef) {
    auto txn = store_->Begin();
    pager::FileView vectors = Check(txn->View(vec_file_)), graph = Check(txn->View(hnsw_file_));
    auto searcher = Check(Searcher::Open(&graph, Source(&vectors)));
    SearchRequest request;
    request.k = k;
    request.ef = ef;
    SearchCounters counters;
    std::vector<Hit> hits;
    const auto start = std::chrono::steady_clock::now();
    for (py::ssize_t i = 0; i < queries.shape(0); ++i) {
      Check(searcher->Search(queries.data(i, 0), request, &scratch_, &hits, &counters));
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / queries.shape(0);
  }
  // Overwrites bytes of a graph page, as damage that a checksum did not catch.
  void Poke(uint32_t page, uint32_t offset, py::bytes bytes) {
    auto txn = Begin();
    const std::string text = bytes;
    std::memcpy(Check(Check(txn->Writer(hnsw_file_))->MutablePage(PageId(page))) + offset, text.data(), text.size());
    Commit(txn.get());
  }

 private:
  void Open() {
    env::Env* env = memory_env_ != nullptr ? memory_env_.get() : env::PosixEnv();
    store_ = Check(txn::Store::Open(env, path_, txn::StoreOptions()));
  }
  std::unique_ptr<txn::Transaction> Begin() {
    auto txn = store_->Begin();
    Check(txn->StartWriting(std::chrono::milliseconds(0)));
    return txn;
  }
  void Commit(txn::Transaction* txn) { Check(txn->Commit(txn::Synchronous::kOff)); }
  VectorSource Source(const pager::FileView* view) {
    const uint8_t* header = view->Page(PageId(1));
    return VectorSource(view, layout_, Load<uint32_t>(header + format::kVecKindSlotCount));
  }
  void WriteVector(pager::FileWriter* writer, NodeId slot, const std::vector<uint8_t>& bytes) {
    const PageId first = layout_.PageOf(slot);
    uint8_t* page = Check(writer->MutablePage(first));
    Store<int64_t>(page + layout_.RowIdOffset(slot), int64_t{slot.value()} + 1000);
    if (!layout_.spans_pages()) {
      std::memcpy(page + layout_.VectorOffset(slot), bytes.data(), bytes.size());
      return;
    }
    for (uint32_t i = 0, at = 0; i < layout_.pages_per_vector(); ++i, at += format::kSpanPayloadBytes) {
      page = Check(writer->MutablePage(first + i));
      std::memcpy(page + format::kSpanDataOffset, bytes.data() + at,
                  std::min<size_t>(format::kSpanPayloadBytes, bytes.size() - at));
    }
  }

  GraphOptions options_;
  format::VecLayout layout_;
  std::unique_ptr<env::Env> memory_env_;
  std::string path_;
  std::unique_ptr<txn::Store> store_;
  FileId vec_file_, hnsw_file_;
  SearchScratch scratch_;
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
  py::class_<FileIndex>(m, "FileIndex")
      .def(py::init<py::object, uint32_t, const std::string&, uint32_t, uint32_t, bool>(), py::arg("path") = py::none(),
           py::arg("dim") = 16, py::arg("metric") = "l2", py::arg("m") = 16, py::arg("ef_construction") = 200,
           py::arg("half") = false)
      .def("append", &FileIndex::Append)
      .def("delete", &FileIndex::Delete, py::arg("slots"), py::arg("in_graph") = true)
      .def("build", &FileIndex::Build, py::arg("threads") = 1, py::arg("progress") = py::none())
      .def("absorb", &FileIndex::Absorb, py::arg("end") = 0xffffffffu, py::arg("threads") = 1,
           py::arg("progress") = py::none())
      .def("vacuum", &FileIndex::Vacuum, py::arg("threads") = 1)
      .def("clear", &FileIndex::Clear)
      .def("check", &FileIndex::CheckGraph)
      .def("meta", &FileIndex::Meta)
      .def("search", &FileIndex::Search, py::arg("query"), py::arg("k") = 10, py::arg("ef") = 64,
           py::arg("filter") = py::none())
      .def("exact", &FileIndex::Exact, py::arg("query"), py::arg("k") = 10)
      .def("time_search", &FileIndex::TimeSearch, py::arg("queries"), py::arg("k") = 10, py::arg("ef") = 64)
      .def("poke", &FileIndex::Poke)
      .def("checkpoint", &FileIndex::Checkpoint)
      .def("reopen", &FileIndex::Reopen);
  // (page, offset) of a node, as docs/format/hnsw.md tells it.
  m.def("node_place", [](uint32_t dim, uint32_t links, uint32_t node) {
    uint32_t offset;
    const uint32_t page = format::HnswLayout(dim, links).PageOf(node, &offset);
    return py::make_tuple(page, offset);
  });
  m.def("vector_place", [](uint32_t dim, uint32_t slot) {
    const format::VecLayout layout(dim);
    return py::make_tuple(layout.PageOf(NodeId(slot)).value(), layout.RowIdOffset(NodeId(slot)),
                          layout.VectorOffset(NodeId(slot)));
  });
  m.def("exact", &Exact, py::arg("vectors"), py::arg("metric"), py::arg("query"), py::arg("k") = 10,
        py::arg("filter") = py::none(), py::arg("first") = 0, py::arg("end") = 0xffffffffu, py::arg("threads") = 1,
        py::arg("radius") = std::numeric_limits<float>::infinity(), py::arg("inclusive") = true);
}
