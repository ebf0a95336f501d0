// LINKS: table
// turdb._testing.table: tables inside transactions, without SQL: what writers, scans, appends and searches do.
#include <chrono>

#include "table/table_reader.h"
#include "table/table_writer.h"
#include "table/vector_search.h"
#include "testing/database_fixture.h"
#include "testing/python_cells.h"

namespace turdb {
namespace {

namespace py = pybind11;
using testing::Check;
using testing::Database;
using testing::FromPython;
using testing::Transaction;
using Floats = py::array_t<float, py::array::c_style>;
using Ids = py::array_t<int64_t, py::array::c_style | py::array::forcecast>;

// --- values ------------------------------------------------------------------------------------

// Vectors as arrays.
py::object ToPython(const Cell& cell) {
  if (cell.is_vector()) return py::array_t<float>(cell.dim(), reinterpret_cast<const float*>(cell.bytes));
  return testing::ToPython(cell);
}

struct Row {
  explicit Row(const py::sequence& from) {
    for (const auto& each : from) values.push_back(FromPython(each));
    for (const Value& value : values) cells.push_back(value.cell());
  }
  std::vector<Value> values;
  std::vector<Cell> cells;
};

// --- definitions ---------------------------------------------------------------------------------

// A table as a transaction sees it now; keeps the catalog's snapshot.
struct Table {
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;
  const catalog::TableDef* def;

  Table(Transaction& t, const std::string& name) : catalog(t.Catalog()), def(catalog->FindTable("", name)) {
    if (def == nullptr) throw py::key_error(name);
  }
  const catalog::IndexDef* Index(const std::string& name) const {
    if (name.empty()) return nullptr;
    for (const catalog::IndexDef& index : def->indexes) {
      if (index.name == name) return &index;
    }
    throw py::key_error(name);
  }
  // An int is a rowid, bytes are a key.
  table::RowRef Ref(const py::object& object, std::string* key) const {
    if (!def->is_without_rowid) return RowId(object.cast<int64_t>());
    *key = object.cast<std::string>();
    return table::RowRef(std::string_view(*key));
  }
};

void CreateIndex(Transaction& t, const std::string& table, const std::string& name, const std::vector<py::tuple>& columns,
                 bool unique, const std::string& where, const std::string& metric) {
  catalog::IndexDef index;
  index.name = name;
  index.table = table;
  index.is_unique = unique;
  index.where_sql = where;
  for (const py::tuple& column : columns) {
    index.columns.push_back({column[0].cast<int>(), "", static_cast<Collation>(column[2].cast<int>()), column[1].cast<bool>()});
  }
  if (!metric.empty()) {
    index.kind = catalog::IndexKind::kHnsw;
    index.hnsw.metric = metric == "cosine" ? catalog::Metric::kCosine
                        : metric == "ip"   ? catalog::Metric::kInnerProduct
                                           : catalog::Metric::kL2;
  }
  Check(catalog::CreateIndex(t.cache(), t.get(), std::move(index)));
}

// A partial index of the tests holds the rows whose first column is an even integer.
table::IndexExpressions EvenRows() {
  return [](const catalog::IndexDef&, RowId, absl::Span<const Cell> row, Cell*) -> absl::StatusOr<bool> {
    return row[0].is_integer() && row[0].integer % 2 == 0;
  };
}

// --- writing ---------------------------------------------------------------------------------------

class Writer {
 public:
  Writer(Transaction& t, const std::string& name)
      : table_(t, name), writer_(Check(table::NewTableWriter(t.get(), *table_.def, EvenRows()))) {}

  int64_t NextRowId() { return Check(writer_->NextRowId()).value(); }
  // None, or (index name or None, rowid, key).
  py::object TryInsert(int64_t rowid, const py::sequence& values) {
    const Row row(values);
    table::Conflict conflict;
    if (Check(writer_->TryInsert(RowId(rowid), row.cells, &conflict))) return py::none();
    return Describe(conflict);
  }
  py::object FindConflict(int64_t rowid, const py::sequence& values, const py::object& replacing) {
    const Row row(values);
    std::string key;
    std::optional<table::RowRef> old_row;
    if (!replacing.is_none()) old_row = table_.Ref(replacing, &key);
    const std::optional<table::Conflict> conflict = Check(writer_->FindConflict(RowId(rowid), row.cells, old_row));
    return conflict.has_value() ? Describe(*conflict) : py::none();
  }
  void Update(const py::object& ref, int64_t new_rowid, const py::sequence& values, const std::vector<bool>& changed) {
    const Row row(values);
    std::string key;
    Check(writer_->Update(table_.Ref(ref, &key), RowId(new_rowid), row.cells, changed));
  }
  bool Delete(const py::object& ref) {
    std::string key;
    return Check(writer_->Delete(table_.Ref(ref, &key)));
  }
  void DeleteAll() { Check(writer_->DeleteAll()); }
  std::string ErrorOf(const std::string& index) {
    return std::string(FromAbsl(table::ConflictError(*table_.def, table_.Index(index)).message()));
  }
  // Nanoseconds a row: n rows (integer, real, text of 20 bytes) under the next rowids.
  double MeasureInserts(uint32_t n, uint32_t seed) {
    std::vector<Cell> row(table_.def->columns.size());
    const auto begin = std::chrono::steady_clock::now();
    for (uint32_t i = 0; i < n; ++i) {
      seed = seed * 1664525u + 1013904223u;
      char text[21];
      std::snprintf(text, sizeof(text), "name %015u", seed);
      row[0] = Cell::Integer(seed);
      if (row.size() > 1) row[1] = Cell::Real(seed * 0.5);
      if (row.size() > 2) row[2] = Cell::Text({text, 20});
      table::Conflict conflict;
      const RowId rowid = Check(writer_->NextRowId());
      if (!Check(writer_->TryInsert(rowid, row, &conflict))) throw std::runtime_error("conflict");
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    return took.count() / n;
  }

 private:
  static py::object Describe(const table::Conflict& conflict) {
    const py::object index = conflict.index == nullptr ? py::object(py::none()) : py::str(conflict.index->name);
    return py::make_tuple(index, conflict.rowid.value(), py::bytes(conflict.key));
  }

  Table table_;
  std::unique_ptr<table::TableWriter> writer_;
};

ColumnVector ColumnOf(const py::handle& values, uint32_t rows, std::vector<Value>* keep) {
  ColumnVector column;
  if (py::isinstance<py::array>(values)) {
    const auto ints = values.cast<Ids>();
    std::copy(ints.data(), ints.data() + rows, column.ResetInt64(rows));
    return column;
  }
  keep->reserve(rows);
  for (const auto& each : values) keep->push_back(FromPython(each));
  Cell* cells = column.ResetCells(rows);
  for (uint32_t i = 0; i < rows; ++i) cells[i] = (*keep)[i].cell();
  return column;
}

// columns: per table column None, a list, an int64 array, or a float32 matrix (of a vector column; rows may be strided).
void Append(Transaction& t, const std::string& name, uint32_t rows, const py::object& rowids, const py::list& columns) {
  const Table table(t, name);
  const size_t n = columns.size();
  std::vector<std::vector<Value>> keep(n);
  std::vector<ColumnVector> vectors(n);
  table::AppendBlock block;
  block.rows = rows;
  Ids ids;
  if (!rowids.is_none()) {
    ids = rowids.cast<Ids>();
    block.rowids = ids.data();
  }
  block.columns.assign(n, nullptr);
  block.vectors.assign(n, nullptr);
  block.vector_strides.assign(n, 0);
  for (size_t c = 0; c < n; ++c) {
    if (columns[c].is_none()) continue;
    if (table.def->columns[c].type.is_vector()) {
      const auto matrix = columns[c].cast<py::array_t<float>>();
      block.vectors[c] = matrix.data();
      block.vector_strides[c] = static_cast<size_t>(matrix.strides(0)) / sizeof(float);
    } else {
      vectors[c] = ColumnOf(columns[c], rows, &keep[c]);
      block.columns[c] = &vectors[c];
    }
  }
  py::gil_scoped_release release;
  Check(table::AppendRows(t.get(), *table.def, block, EvenRows(), nullptr));
}

// --- reading -----------------------------------------------------------------------------------------

py::list Drain(table::TableScan* scan, uint32_t batch_rows) {
  py::list rows;
  ColumnBatch batch;
  for (Check(scan->Next(batch_rows, &batch)); batch.size > 0; Check(scan->Next(batch_rows, &batch))) {
    for (uint32_t i = 0; i < batch.size; ++i) {
      py::tuple row(batch.columns.size());
      for (size_t c = 0; c < batch.columns.size(); ++c) row[c] = ToPython(batch.columns[c].Get(i));
      rows.append(row);
    }
  }
  return rows;
}

py::list Scan(Transaction& t, const std::string& name, const std::vector<int>& columns, int64_t first, int64_t last,
              bool descending, uint32_t batch_rows) {
  const Table table(t, name);
  return Drain(Check(table::ScanTable(t.get(), *table.def, columns, {first, last}, descending)).get(), batch_rows);
}

py::list ScanIndex(Transaction& t, const std::string& name, const std::string& index, const std::vector<int>& columns,
                   const py::sequence& prefix, const py::object& lower, const py::object& upper, bool lower_inclusive,
                   bool upper_inclusive, bool includes_null, bool descending, uint32_t batch_rows) {
  const Table table(t, name);
  table::IndexRange range;
  for (const auto& each : prefix) range.prefix.push_back(FromPython(each));
  if (!lower.is_none()) range.lower = FromPython(lower);
  if (!upper.is_none()) range.upper = FromPython(upper);
  range.lower_is_inclusive = lower_inclusive;
  range.upper_is_inclusive = upper_inclusive;
  range.includes_null = includes_null;
  return Drain(Check(table::ScanIndex(t.get(), *table.def, table.Index(index), columns, range, descending)).get(), batch_rows);
}

py::object LookUp(Transaction& t, const std::string& name, const std::vector<int>& columns, const py::object& ref) {
  const Table table(t, name);
  Arena arena;
  const auto lookup = Check(table::LookUpRows(t.get(), *table.def, columns, &arena));
  std::string key;
  std::vector<Cell> cells(columns.size());
  if (!Check(lookup->Find(table.Ref(ref, &key), cells.data()))) return py::none();
  py::tuple row(columns.size());
  for (size_t c = 0; c < columns.size(); ++c) row[c] = ToPython(cells[c]);
  return row;
}

// Seconds to scan all rows of some columns; nanoseconds a look-up of random rowids in [1, n].
double MeasureScan(Transaction& t, const std::string& name, const std::vector<int>& columns) {
  const Table table(t, name);
  const auto begin = std::chrono::steady_clock::now();
  const auto scan = Check(table::ScanTable(t.get(), *table.def, columns));
  ColumnBatch batch;
  for (Check(scan->Next(kBatchRows, &batch)); batch.size > 0; Check(scan->Next(kBatchRows, &batch))) {
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}
double MeasureLookUps(Transaction& t, const std::string& name, const std::vector<int>& columns, uint32_t n, uint32_t rounds) {
  const Table table(t, name);
  Arena arena;
  const auto lookup = Check(table::LookUpRows(t.get(), *table.def, columns, &arena));
  std::vector<Cell> cells(columns.size());
  uint32_t seed = 1;
  const auto begin = std::chrono::steady_clock::now();
  for (uint32_t i = 0; i < rounds; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const auto rowid = RowId(static_cast<int64_t>(uint64_t{seed} * n >> 32) + 1);
    if (!Check(lookup->Find(rowid, cells.data()))) throw std::runtime_error("a row is missing");
  }
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / rounds;
}

// --- vectors -------------------------------------------------------------------------------------------

// ([(rowid, distance)], method)
py::tuple Search(Transaction& t, const std::string& name, int column, const std::string& metric, const Floats& query, uint32_t k,
                 const std::string& index, const py::object& slots, uint32_t ef, const py::object& radius, bool inclusive) {
  const Table table(t, name);
  table::SlotBitmap filter;
  table::VectorQuery request;
  request.column = column;
  request.metric = metric == "l2" ? catalog::Metric::kL2 : metric == "ip" ? catalog::Metric::kInnerProduct : catalog::Metric::kCosine;
  request.index = table.Index(index);
  request.k = k;
  request.ef = ef;
  if (!slots.is_none()) {
    for (const auto& slot : slots) filter.Set(slot.cast<uint32_t>());
    request.filter = &filter;
  }
  const auto searcher = Check(table::NewVectorSearcher(t.get(), *table.def, request));
  std::vector<table::VectorHit> hits;
  table::SearchCounters counters;
  const absl::Span<const float> q(query.data(), static_cast<size_t>(query.size()));
  if (radius.is_none()) Check(searcher->Search(q, &hits, &counters));
  else Check(searcher->SearchRadius(q, radius.cast<float>(), inclusive, &hits, &counters));
  py::list out;
  for (const table::VectorHit& hit : hits) out.append(py::make_tuple(hit.rowid, hit.distance));
  return py::make_tuple(out, std::string(table::SearchMethodName(counters.method)), counters.tail);
}

void BindVectors(py::module_& m) {
  m.def("search", &Search, py::arg("txn"), py::arg("table"), py::arg("column"), py::arg("metric"), py::arg("query"), py::arg("k"),
        py::arg("index") = "", py::arg("slots") = py::none(), py::arg("ef") = 0, py::arg("radius") = py::none(),
        py::arg("inclusive") = true);
  m.def("tail_length", [](Transaction& t, const std::string& name, const std::string& index) {
    const Table table(t, name);
    return Check(table::TailLength(t.get(), *table.def, *table.Index(index)));
  });
  m.def("absorb", [](Transaction& t, const std::string& name, const std::string& index, uint64_t limit, int threads) {
    const Table table(t, name);
    return Check(table::AbsorbTail(t.get(), *table.def, *table.Index(index), limit, threads));
  }, py::arg("txn"), py::arg("table"), py::arg("index"), py::arg("limit") = 1000000, py::arg("threads") = 1);
}

void BindReading(py::module_& m) {
  m.def("scan", &Scan, py::arg("txn"), py::arg("table"), py::arg("columns"), py::arg("first") = INT64_MIN,
        py::arg("last") = INT64_MAX, py::arg("descending") = false, py::arg("batch") = kBatchRows);
  m.def("scan_index", &ScanIndex, py::arg("txn"), py::arg("table"), py::arg("index"), py::arg("columns"),
        py::arg("prefix") = py::tuple(), py::arg("lower") = py::none(), py::arg("upper") = py::none(),
        py::arg("lower_inclusive") = true, py::arg("upper_inclusive") = true, py::arg("includes_null") = false,
        py::arg("descending") = false, py::arg("batch") = kBatchRows);
  m.def("look_up", &LookUp);
  m.def("is_covering", [](Transaction& t, const std::string& name, const std::string& index, const std::vector<int>& columns) {
    const Table table(t, name);
    return table::IsCovering(*table.def, *table.Index(index), columns);
  });
  m.def("count", [](Transaction& t, const std::string& name) { return Check(table::CountTableRows(t.get(), *Table(t, name).def)); });
  m.def("estimate", [](Transaction& t, const std::string& name) { return Check(table::EstimateTableRows(t.get(), *Table(t, name).def)); });
  m.def("check", [](Transaction& t, const std::string& name) {
    const Table table(t, name);
    return Check(table::CheckTable(t.get(), *table.def, EvenRows()));
  });
  // {path: (file id, pages)} of everything a table is made of, and a byte of a page changed as a transaction's write.
  m.def("files", [](Transaction& t, const std::string& name) {
    const Table table(t, name);
    std::vector<FileId> ids = {table.def->file};
    for (const auto& index : table.def->indexes) ids.push_back(index.file);
    for (const auto& column : table.def->columns) {
      if (column.type.is_vector()) ids.push_back(column.vector_file);
    }
    py::dict files;
    for (FileId id : ids) {
      const pager::FileView view = Check(t.get()->View(id));
      files[py::str(view.path())] = py::make_tuple(id.value(), view.page_count());
    }
    return files;
  });
  m.def("damage", [](Transaction& t, uint32_t file, uint32_t page, size_t offset, uint8_t value) {
    Check(Check(t.get()->Writer(FileId(file)))->MutablePage(PageId(page)))[offset % format::kPageBytes] = value;
  });
  m.def("measure_scan", &MeasureScan);
  m.def("measure_look_ups", &MeasureLookUps);
}

}  // namespace

PYBIND11_MODULE(table, m) {
  testing::BindDatabase(m);
  BindReading(m);
  BindVectors(m);
  m.attr("ROWID") = catalog::kRowIdColumn;
  m.attr("KEY") = table::kRowKeyColumn;
  m.def("slot_column", &table::VectorSlotColumn);
  m.def("create_table", [](Transaction& t, const std::string& name, const std::vector<py::tuple>& columns, int rowid_alias,
                           const std::vector<int>& primary_key, bool without_rowid, bool autoincrement) {
    Check(catalog::CreateTable(t.cache(), t.get(),
                               testing::MakeTable(name, columns, rowid_alias, primary_key, without_rowid, autoincrement)));
  }, py::arg("txn"), py::arg("name"), py::arg("columns"), py::arg("rowid_alias") = -1,
        py::arg("primary_key") = std::vector<int>(), py::arg("without_rowid") = false, py::arg("autoincrement") = false);
  m.def("add_column", [](Transaction& t, const std::string& name, const std::string& column, const std::string& type,
                         const py::object& added_default) {
    catalog::TableDef def = *Table(t, name).def;
    catalog::ColumnDef added;
    added.name = column;
    added.type = Check(ParseLogicalType(type));
    if (!added_default.is_none()) added.added_default = FromPython(added_default);
    def.columns.push_back(added);
    Check(catalog::ReplaceTable(t.cache(), t.get(), def));
  });
  // columns: [(column, is_descending, collation)]
  m.def("create_index", &CreateIndex, py::arg("txn"), py::arg("table"), py::arg("name"), py::arg("columns"),
        py::arg("unique") = false, py::arg("where") = "", py::arg("metric") = "");
  m.def("build_index", [](Transaction& t, const std::string& name, const std::string& index, int threads) {
    const Table table(t, name);
    py::gil_scoped_release release;
    Check(table::BuildIndex(t.get(), *table.def, *table.Index(index), EvenRows(), threads, nullptr));
  }, py::arg("txn"), py::arg("table"), py::arg("index"), py::arg("threads") = 1);
  m.def("append", &Append, py::arg("txn"), py::arg("table"), py::arg("rows"), py::arg("rowids"), py::arg("columns"));
  m.def("sequence", [](Transaction& t, const std::string& name) { return Check(table::ReadSequence(t.get(), *Table(t, name).def)); });
  py::class_<Writer>(m, "Writer", py::module_local())
      .def(py::init<Transaction&, const std::string&>(), py::keep_alive<1, 2>())
      .def("next_rowid", &Writer::NextRowId)
      .def("try_insert", &Writer::TryInsert)
      .def("find_conflict", &Writer::FindConflict, py::arg("rowid"), py::arg("row"), py::arg("replacing") = py::none())
      .def("update", &Writer::Update)
      .def("delete", &Writer::Delete)
      .def("delete_all", &Writer::DeleteAll)
      .def("error_of", &Writer::ErrorOf)
      .def("measure_inserts", &Writer::MeasureInserts);
}

}  // namespace turdb
