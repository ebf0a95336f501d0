// LINKS: btree txn
// turdb._testing.leaf_layout: column-wise against slotted leaves over the same rows, and a whole row tree, for
// benchmarks/leaf_layout/run.py. Both layouts sit under the same sorted directory of leaves.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <random>

#include "../../benchmarks/leaf_layout/slotted_leaf.h"
#include "btree/row_pieces.h"
#include "btree/row_tree.h"
#include "env/env.h"
#include "record/row_leaf_edit.h"
#include "record/row_leaf_scan.h"
#include "testing/check.h"
#include "txn/store.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;

using btree::LeafBytes;
using record::RowLeaf;
using record::RowRun;

struct Rows {  // id-like int, small int, real, short text, text of few values, nullable int
  std::vector<std::string> names, kinds;
  std::vector<std::array<Cell, 6>> cells;
  explicit Rows(uint32_t n) {
    std::mt19937_64 rng(42);
    names.reserve(n);
    for (int k = 0; k < 30; ++k) kinds.push_back("category-" + std::to_string(k));
    for (uint32_t i = 0; i < n; ++i) {
      names.push_back("customer name " + std::to_string(rng() % 100000));
      cells.push_back({Cell::Integer(1000000 + i), Cell::Integer(rng() % 100), Cell::Real(double(rng() % 100000) / 7),
                       Cell::Text(names.back()), Cell::Text(kinds[rng() % 30]),
                       rng() % 4 ? Cell::Integer(rng() % 5000) : Cell()});
    }
  }
};

// Leaves in key order, found by a binary search over their first keys.
struct Directory {
  std::vector<int64_t> first_keys;
  std::vector<std::unique_ptr<LeafBytes>> pages;
  size_t Find(int64_t key) const {
    const auto at = std::upper_bound(first_keys.begin() + 1, first_keys.end(), key);
    return static_cast<size_t>(at - first_keys.begin()) - 1;
  }
  void Add(size_t at, int64_t key, std::unique_ptr<LeafBytes> page) {
    first_keys.insert(first_keys.begin() + at, key);
    pages.insert(pages.begin() + at, std::move(page));
  }
};

struct Pax {
  Directory leaves;
  Pax() {
    leaves.Add(0, 0, std::make_unique<LeafBytes>());
    record::InitialiseRowLeaf(leaves.pages[0]->bytes);
  }
  void Insert(int64_t key, absl::Span<const Cell> row) {
    const size_t i = leaves.Find(key);
    uint8_t* page = leaves.pages[i]->bytes;
    RowLeaf leaf;
    leaf.Open(page);
    const uint32_t at = leaf.LowerBound(key);
    if (record::TryInsertRow(page, at, key, row)) return;
    std::vector<RowRun> runs;
    if (at > 0) runs.push_back(RowRun::OfLeaf(leaf, 0, at));
    runs.push_back(RowRun::OfRow(key, row));
    if (at < leaf.rows()) runs.push_back(RowRun::OfLeaf(leaf, at, leaf.rows() - at));
    auto fresh = std::make_unique<LeafBytes>();
    RowLeaf built;
    if (!record::IsNearlyFull(leaf) && BuildRowLeaf(runs, false, fresh->bytes) == record::BuildResult::kFits && built.Open(fresh->bytes) &&
        built.capacity() - built.rows() >= built.rows() / 32) {
      leaves.pages[i] = std::move(fresh);
    } else if (at == leaf.rows()) {
      const RowRun run = RowRun::OfRow(key, row);
      BuildRowLeaf({&run, 1}, false, fresh->bytes, &leaf);
      leaves.Add(i + 1, key, std::move(fresh));
    } else {
      auto right = std::make_unique<LeafBytes>();
      std::vector<RowRun> half;
      const uint32_t rows = CountRows(runs);
      SliceRuns(runs, 0, rows / 2, &half);
      BuildRowLeaf(half, false, fresh->bytes);
      SliceRuns(runs, rows / 2, rows - rows / 2, &half);
      BuildRowLeaf(half, false, right->bytes);
      const int64_t first = half.front().KeyAt(0);
      leaves.pages[i] = std::move(fresh);
      leaves.Add(i + 1, first, std::move(right));
    }
  }
  double Read(int64_t key, absl::Span<const uint32_t> columns) const {
    RowLeaf leaf;
    leaf.Open(leaves.pages[leaves.Find(key)]->bytes);
    const uint32_t row = leaf.LowerBound(key);
    double sum = 0;
    for (const uint32_t c : columns) {
      Cell cell;
      if (leaf.Get(c, row, &cell)) sum += cell.is_text() ? cell.length : cell.is_real() ? cell.real : cell.integer;
    }
    return sum;
  }
  void Scan(uint32_t page, uint32_t column, ColumnVector* out, uint32_t* n) const {
    RowLeaf leaf;
    leaf.Open(leaves.pages[page]->bytes);
    *n = leaf.rows();
    bool has_overflow = false;
    AppendLeafColumn(leaf, column, 0, Cell(), {0, *n, *n}, out, &has_overflow);
  }
};

struct Slotted {
  using Leaf = slotted::SlottedLeaf;
  Directory leaves;
  Slotted() {
    leaves.Add(0, 0, std::make_unique<LeafBytes>());
    Leaf::Initialise(leaves.pages[0]->bytes);
  }
  void Insert(int64_t key, absl::Span<const Cell> row) {
    const size_t i = leaves.Find(key);
    Leaf leaf(leaves.pages[i]->bytes);
    const uint32_t at = leaf.LowerBound(key);
    if (leaf.TryInsert(at, key, row)) return;
    auto right = std::make_unique<LeafBytes>();
    Leaf::Initialise(right->bytes);
    Leaf right_leaf(right->bytes);
    if (at == leaf.rows()) {
      right_leaf.TryInsert(0, key, row);
      leaves.Add(i + 1, key, std::move(right));
      return;
    }
    auto left = std::make_unique<LeafBytes>();
    Leaf::Initialise(left->bytes);
    Leaf left_leaf(left->bytes);
    const uint32_t rows = leaf.rows(), half = rows / 2;
    for (uint32_t r = 0; r < rows; ++r) {
      (r < half ? left_leaf : right_leaf).TryInsertCell(r < half ? r : r - half, leaf.CellOf(r), leaf.CellBytes(r));
    }
    if (at <= half) left_leaf.TryInsert(at, key, row); else right_leaf.TryInsert(at - half, key, row);
    leaves.pages[i] = std::move(left);
    leaves.Add(i + 1, right_leaf.KeyAt(0), std::move(right));
  }
  double Read(int64_t key, absl::Span<const uint32_t> columns) const {
    Leaf leaf(leaves.pages[leaves.Find(key)]->bytes);
    Cell cells[8];
    leaf.Read(leaf.LowerBound(key), columns, cells);
    double sum = 0;
    for (size_t i = 0; i < columns.size(); ++i) {
      sum += cells[i].is_text() ? cells[i].length : cells[i].is_real() ? cells[i].real : cells[i].integer;
    }
    return sum;
  }
  void Scan(uint32_t page, uint32_t column, ColumnVector* out, uint32_t* n) const {
    Leaf leaf(leaves.pages[page]->bytes);
    *n = leaf.rows();
    if (column == 0 || column == 2) {  // the caller knows the type: as fast as it can be
      int64_t* to = column == 0 ? out->ResetInt64(*n) : reinterpret_cast<int64_t*>(out->ResetDouble(*n));
      for (uint32_t r = 0; r < *n; ++r) {
        Cell cell;
        leaf.Read(r, {&column, 1}, &cell);
        to[r] = cell.integer;
      }
    } else {
      Cell* to = out->ResetCells(*n);
      for (uint32_t r = 0; r < *n; ++r) leaf.Read(r, {&column, 1}, &to[r]);
    }
  }
};

// CPU time of this thread: what else the machine does counts for little.
double CpuNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

template <typename F>
double Nanoseconds(uint64_t n, F f) {
  const double begin = CpuNanoseconds();
  f();
  return (CpuNanoseconds() - begin) / static_cast<double>(n);
}

double SumOf(const ColumnVector& column, uint32_t n) {
  double sum = 0;
  int64_t total = 0;
  switch (column.layout()) {
    case ColumnVector::Layout::kInt64:
      for (uint32_t i = 0; i < n; ++i) total += column.ints()[i];
      break;
    case ColumnVector::Layout::kDouble:
      for (uint32_t i = 0; i < n; ++i) sum += column.doubles()[i];
      break;
    case ColumnVector::Layout::kCells:
      for (uint32_t i = 0; i < n; ++i) total += column.cells()[i].length;
  }
  return sum + static_cast<double>(total);
}

volatile double sink;

template <typename Table>
py::dict MeasureLayout(uint32_t n, uint32_t rounds) {
  const Rows rows(n);
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  py::dict out;
  Table ascending, random;
  out["append"] = Nanoseconds(n, [&] { for (uint32_t i = 0; i < n; ++i) ascending.Insert(i, rows.cells[i]); });
  out["random insert"] = Nanoseconds(n, [&] { for (const uint32_t i : order) random.Insert(int64_t{i} * 3, rows.cells[i]); });
  out["bytes a row, appended"] = double(ascending.leaves.pages.size()) * format::kPageBytes / n;
  out["bytes a row, random"] = double(random.leaves.pages.size()) * format::kPageBytes / n;
  const uint32_t some[] = {0, 2, 3}, all[] = {0, 1, 2, 3, 4, 5};
  double sum = 0;
  for (uint32_t r = 0; r < 2; ++r) {  // the second round counts
    out["point read, 3 columns"] = Nanoseconds(n, [&] { for (const uint32_t i : order) sum += ascending.Read(i, some); });
    out["point read, 6 columns"] = Nanoseconds(n, [&] { for (const uint32_t i : order) sum += ascending.Read(i, all); });
    out["point read, random keys"] = Nanoseconds(n, [&] { for (const uint32_t i : order) sum += random.Read(int64_t{i} * 3, all); });
  }
  const std::pair<const char*, uint32_t> scans[] = {{"scan int", 0}, {"scan real", 2}, {"scan text", 3}};
  for (const auto& [name, column] : scans) {
    ColumnVector vector;
    double best = 1e9;
    for (uint32_t r = 0; r < rounds; ++r) {
      best = std::min(best, Nanoseconds(n, [&, c = column] {
        for (uint32_t page = 0; page < ascending.leaves.pages.size(); ++page) {
          uint32_t rows_here = 0;
          ascending.Scan(page, c, &vector, &rows_here);
          sum += SumOf(vector, rows_here);
        }
      }));
    }
    out[name] = best;
  }
  sink = sum;
  return out;
}

// The same through RowTree, FileView and a transaction.
py::dict MeasureTree(uint32_t n, uint32_t rounds, const std::string& directory) {
  const Rows rows(n);
  const std::unique_ptr<env::Env> memory = env::NewMemoryEnv();
  env::Env* env = directory.empty() ? memory.get() : env::PosixEnv();
  auto store = *txn::Store::Open(env, directory.empty() ? "db" : directory, {});
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  py::dict out;
  FileId files[3];
  auto txn = store->Begin();
  Check(txn->StartWriting(std::chrono::milliseconds(0)));
  for (FileId& file : files) {
    std::string path;
    file = *txn->CreateFile("root/t.tbd", &path);
    Check(btree::CreateRowTree(*txn->Writer(file)));
  }
  pager::FileWriter* writer = *txn->Writer(files[0]);
  out["append"] = Nanoseconds(n, [&] {
    for (uint32_t i = 0; i < n; ++i) Check(btree::InsertRow(writer, RowId(i), rows.cells[i]).status());
  });
  writer = *txn->Writer(files[1]);
  out["random insert"] = Nanoseconds(n, [&] {
    for (const uint32_t i : order) Check(btree::InsertRow(writer, RowId(int64_t{i} * 3), rows.cells[i]).status());
  });
  writer = *txn->Writer(files[2]);
  std::vector<ColumnVector> columns(6);
  out["bulk append"] = Nanoseconds(n, [&] {
    btree::RowAppender appender(writer);
    for (uint32_t start = 0; start < n; start += kBatchRows) {
      const uint32_t m = std::min(kBatchRows, n - start);
      for (uint32_t c = 0; c < 6; ++c) {
        if (c == 2) columns[c].ResetDouble(m); else if (c == 3 || c == 4) columns[c].ResetCells(m); else columns[c].ResetInt64(m);
        for (uint32_t i = 0; i < m; ++i) {
          const Cell& cell = rows.cells[start + i][c];
          if (cell.is_null()) columns[c].SetNull(i);
          else if (c == 2) columns[c].mutable_doubles()[i] = cell.real;
          else if (c == 3 || c == 4) columns[c].mutable_cells()[i] = cell;
          else columns[c].mutable_ints()[i] = cell.integer;
        }
      }
      btree::RowBlock block;
      block.first_key = start;
      block.rows = m;
      block.columns = columns;
      Check(appender.Append(block));
    }
    Check(appender.Finish());
  });
  const char* sizes[] = {"bytes a row, appended", "bytes a row, random", "bytes a row, bulk"};
  for (int f = 0; f < 3; ++f) out[sizes[f]] = double(txn->View(files[f])->page_count()) * format::kPageBytes / n;
  Check(txn->Commit(txn::Synchronous::kOff));
  txn.reset();
  Check(store->Checkpoint().status());
  txn = store->Begin();
  const pager::FileView view = *txn->View(files[0]);
  double sum = 0;
  Arena arena;
  btree::RowCursor cursor(view, &arena);
  const auto read = [&](btree::RowCursor* from, uint32_t i) {
    if (!*from->Find(RowId(i))) throw std::runtime_error("a row is missing");
    for (const uint32_t c : {0u, 2u, 3u}) {
      const Cell cell = **from->Column(c);
      sum += cell.is_text() ? cell.length : cell.is_real() ? cell.real : cell.integer;
    }
  };
  for (int r = 0; r < 2; ++r) {
    out["point read, 3 columns"] = Nanoseconds(n, [&] { for (const uint32_t i : order) read(&cursor, i); });
    out["nearby reads, 3 columns"] = Nanoseconds(n, [&] { for (uint32_t i = 0; i < n; ++i) read(&cursor, i); });
  }
  const std::pair<const char*, uint32_t> scans[] = {{"scan int", 0}, {"scan real", 2}, {"scan text", 3}};
  std::vector<int64_t> keys(kBatchRows);
  for (const auto& [name, column] : scans) {
    ColumnVector vector;
    const Cell absent;
    double best = 1e9;
    for (uint32_t r = 0; r < rounds; ++r) {
      best = std::min(best, Nanoseconds(n, [&, c = column] {
        Check(cursor.SeekFirst());
        while (const uint32_t m = *cursor.ReadBatch(kBatchRows, RowId(INT64_MAX), {&c, 1}, {&absent, 1}, keys.data(), &vector)) {
          sum += SumOf(vector, m);
        }
      }));
    }
    out[name] = best;
  }
  sink = sum;
  return out;
}

}  // namespace
}  // namespace turdb

PYBIND11_MODULE(leaf_layout, m) {
  using namespace turdb;
  m.def("measure_columns", &MeasureLayout<Pax>, py::arg("n"), py::arg("rounds"));
  m.def("measure_slotted", &MeasureLayout<Slotted>, py::arg("n"), py::arg("rounds"));
  m.def("measure_tree", &MeasureTree, py::arg("n"), py::arg("rounds"), py::arg("directory") = "");
}
