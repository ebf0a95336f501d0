// LINKS: table
// Damaged vector files behind intact checksums: a .vec file and the .hnsw graph over it, with nodes deleted and a tail not yet
// absorbed; bytes of either file change, and every way of reading and writing is taken. Calls end with a result or an error.
// The changed pages lie in memory, where AddressSanitizer sees a step past their end, or in the mapped files, where searches
// take the ways of their own that they have for those.
// Kinds: vector header, vector data (of short and of spanning vectors), graph header (with the mean), nodes, upper links.
#include "fuzz/stored_file.h"
#include "hnsw/build.h"
#include "hnsw/check.h"
#include "hnsw/exact.h"
#include "hnsw/insert.h"
#include "hnsw/search.h"
#include "hnsw/vacuum.h"
#include "table/vector_column.h"
#include "table/vector_column_writer.h"

namespace turdb::fuzz {
namespace {

constexpr uint32_t kAbsorbed = 90, kTail = 10;

struct Image {
  std::map<std::string, std::string> files;
  catalog::ColumnDef column;
  FileId graph;
};

std::vector<float> Vectors(uint32_t n, uint32_t dim) {
  std::vector<float> all(size_t{n} * dim);
  uint32_t state = 12345;
  for (float& value : all) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(static_cast<int32_t>(state >> 16) % 64);
  }
  return all;
}

Image MakeImage(uint32_t dim, vec::Metric metric) {
  StoredFile stored;
  Image image;
  image.column.name = "v";
  image.column.type = MustBeOk(ParseLogicalType("VECTOR(" + std::to_string(dim) + ")"));
  image.column.vector_file = stored.AddFile("root/t.vec");
  image.graph = stored.AddFile("root/t.hnsw");
  {
    pager::FileWriter* const file = stored.writer(image.column.vector_file);
    MustBeOk(file->ExtendZeroed(1, format::PageKind::kVectorHeader));
    uint8_t* const header = MustBeOk(file->MutablePage(PageId(1)));
    Store<uint32_t>(header + format::kVecKindDim, dim);
    header[format::kVecKindElement] = static_cast<uint8_t>(format::VecElement::kFloat32);
  }
  const auto column = MustBeOk(table::VectorColumnWriter::Open(stored.txn(), image.column));
  const std::vector<float> vectors = Vectors(kAbsorbed + kTail, dim);
  const auto add = [&](uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; ++i) MustBeOk(column->Add(RowId(i), vectors.data() + size_t{i} * dim));
  };
  add(0, kAbsorbed);
  const hnsw::GraphOptions options{metric, dim, 4, 16, 42};
  {
    const auto opened = MustBeOk(table::VectorColumn::Open(stored.txn(), image.column));
    MustBeOk(hnsw::Build(opened->source(), options, 1, nullptr, stored.writer(image.graph)));
  }
  add(kAbsorbed, kAbsorbed + kTail);
  for (uint32_t slot = 0; slot < kAbsorbed; slot += 9) {
    MustBeOk(column->Remove(NodeId(slot)));
    MustBeOk(hnsw::MarkDeleted(NodeId(slot), stored.writer(image.graph)));
  }
  image.files = stored.Close();
  return image;
}

struct Change {
  explicit Change(Input* input) : is_graph(input->Byte() % 4 != 0), place(input, 200, 8) {}
  bool is_graph;
  PageChange place;
};

void Search(const hnsw::VectorSource& source, const pager::FileView& graph, Input* input) {
  const std::vector<float> queries = Vectors(3, source.dim());
  hnsw::SearchCounters counters;
  std::vector<hnsw::Hit> hits;
  hnsw::ExactRequest exact;
  exact.k = 1 + input->Byte();
  (void)hnsw::ExactSearch(source, vec::Metric::kCosine, queries.data(), exact, &hits, &counters);
  (void)hnsw::ExactSearch(source, vec::Metric::kL1, queries.data(), exact, &hits, &counters);
  const auto searcher = hnsw::Searcher::Open(&graph, source);
  if (!searcher.ok()) return;
  hnsw::SearchScratch scratch;
  hnsw::SearchRequest request;
  const uint64_t some[] = {input->Number<uint64_t>(), 0x5555555555555555};
  for (const bool is_filtered : {false, true}) {
    request.k = 1 + input->Byte() % 120;
    request.ef = input->Byte();
    if (is_filtered) request.filter = {some, 2};
    (void)(*searcher)->Search(queries.data(), request, &scratch, &hits, &counters);
    std::vector<hnsw::Hit> many(size_t{3} * request.k);
    (void)(*searcher)->SearchMany(queries.data(), source.dim(), 3, request, 1, many.data(), &counters);
  }
}

void Use(const Image& image, txn::Transaction* txn, pager::FileWriter* vectors, pager::FileWriter* graph, Input* input) {
  const auto column = table::VectorColumn::Open(vectors->view(), image.column);
  if (!column.ok()) {
    (void)hnsw::Check(graph->view(), nullptr);
    return;
  }
  (void)hnsw::Check(graph->view(), &(*column)->source());
  Search((*column)->source(), graph->view(), input);
  Arena arena;
  for (int i = 0; i < 8; ++i) (void)(*column)->Resolve(Cell::Integer(input->Byte() % 110), &arena);
  const auto writer = table::VectorColumnWriter::Open(txn, image.column);
  const std::vector<float> more = Vectors(2, image.column.type.dim);
  if (writer.ok()) {
    (void)(*writer)->Add(RowId(1000), more.data());
    (void)(*writer)->Remove(NodeId(input->Byte() % 110));
  }
  for (int i = 0; i < 4; ++i) (void)hnsw::MarkDeleted(NodeId(input->Byte() % 100), graph);
  const auto now = table::VectorColumn::Open(vectors->view(), image.column);
  if (now.ok()) (void)hnsw::Absorb((*now)->source(), input->Byte() % 120, 1, nullptr, graph);
  (void)hnsw::Vacuum(1, nullptr, graph);
  if (now.ok()) {
    Search((*now)->source(), graph->view(), input);
    if (hnsw::Clear(graph).ok()) (void)hnsw::Absorb((*now)->source(), 30, 1, nullptr, graph);
  }
  if (writer.ok()) (void)(*writer)->RemoveAll();
}

void Open(const Image& image, bool is_in_memory, Input* input) {
  std::vector<Change> changes;
  for (int n = 1 + input->Byte() % 6; n > 0; --n) changes.emplace_back(input);
  std::map<std::string, std::string> files = image.files;
  for (const Change& change : changes) {
    if (is_in_memory) break;
    if (change.is_graph) DamageFile(change.place, image.graph, &files["db/root/t.hnsw"]);
    else DamageFile(change.place, image.column.vector_file, &files["db/root/t.vec"]);
  }
  const std::unique_ptr<env::Env> env = EnvOf(files);
  auto store = txn::Store::Open(env.get(), kStorePath, {});
  if (!store.ok()) return;
  {
    const auto txn = (*store)->Begin();
    if (!txn->StartWriting(std::chrono::milliseconds(0)).ok()) return;
    const auto vectors = txn->Writer(image.column.vector_file), graph = txn->Writer(image.graph);
    if (!vectors.ok() || !graph.ok()) return;
    for (const Change& change : changes) {
      if (is_in_memory) DamagePage(change.place, change.is_graph ? *graph : *vectors, PageId(1));  // page 0 is the pager's own
    }
    Use(image, txn.get(), *vectors, *graph, input);
    (void)txn->Commit(txn::Synchronous::kOff);
  }
  (void)(*store)->Close();
}

}  // namespace

void FuzzGraphDecode(const uint8_t* data, size_t size) {
  static const Image* const kImages[] = {new Image(MakeImage(12, vec::Metric::kL2)), new Image(MakeImage(70, vec::Metric::kCosine)),
                                         new Image(MakeImage(4200, vec::Metric::kInnerProduct))};
  Input input(data, size);
  const uint8_t mode = input.Byte();
  Open(*kImages[mode / 2 % 3], mode % 2 == 0, &input);
}

}  // namespace turdb::fuzz
