// LINKS: sql/exec
// turdb._testing.spill: what operators do past their memory, on a file system in memory that can fail, for
// tests/sql/test_spill_units.py.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <deque>
#include <tuple>

#include "env/fault_env.h"
#include "sql/exec/kept_rows.h"
#include "sql/exec/key_groups.h"
#include "sql/exec/key_set.h"
#include "sql/exec/row_block.h"
#include "sql/exec/row_queue.h"
#include "sql/exec/row_sorter.h"
#include "table/entry_runs.h"
#include "testing/check.h"
#include "testing/python_cells.h"

namespace py = pybind11;
using namespace turdb;
using namespace turdb::sql;

namespace {

using turdb::testing::Check;
using turdb::testing::FromPython;
using turdb::testing::ToPython;

// Rows as batches of `at_once`, through a store, so that columns have the layouts that operators see.
class Batches {
 public:
  Batches(const py::list& rows, size_t width, uint32_t at_once) : at_once_(at_once) {
    store_.Reset(width);
    std::vector<Cell> cells(width);
    std::deque<Value> kept;
    for (const auto& row : rows) {
      size_t i = 0;
      for (const auto& value : row.cast<py::tuple>()) cells[i++] = kept.emplace_back(FromPython(value)).cell();
      store_.AppendRow(cells.data());
    }
  }
  bool Next(ColumnBatch* batch) {
    batch->size = static_cast<uint32_t>(std::min<uint64_t>(at_once_, store_.size() - at_));
    batch->columns.resize(store_.columns());
    store_.Read(at_, batch->size, batch);
    at_ += batch->size;
    return batch->size > 0;
  }

 private:
  uint32_t at_once_;
  RowStore store_;
  uint64_t at_ = 0;
};

void Append(const ColumnBatch& batch, py::list* rows) {
  for (uint32_t i = 0; i < batch.size; ++i) {
    py::tuple row(batch.columns.size());
    for (size_t c = 0; c < batch.columns.size(); ++c) row[c] = ToPython(batch.columns[c].Get(i));
    rows->append(row);
  }
}

struct World {
  std::unique_ptr<env::FaultEnv> env = env::NewFaultEnv();
  ExecContext context;
  World(uint64_t memory, uint64_t fail_at, const std::string& fault) {
    context.temp_place = {env.get(), "/db"};
    context.memory.set_limit(memory);
    if (fail_at > 0) env->FailAt(fail_at, fault == "full" ? env::Fault::kDiskFull : env::Fault::kIo);
  }
};

using Key = std::tuple<size_t, bool, bool, int>;  // column, is_descending, nulls_first, collation

py::tuple Sort(const py::list& rows, size_t width, const std::vector<Key>& keys, uint64_t memory, uint64_t most, uint32_t at_once,
               uint64_t fail_at, const std::string& fault) {
  World world(memory, fail_at, fault);
  std::vector<OrderColumn> order;
  for (const auto& [column, is_descending, nulls_first, collation] : keys) {
    order.push_back({column, is_descending, nulls_first, static_cast<Collation>(collation)});
  }
  RowSorter sorter(&world.context, RowSpill::kNoNode, order);
  sorter.Reset(width, most == 0 ? RowSorter::kAll : most);
  Batches batches(rows, width, at_once);
  ColumnBatch batch;
  while (batches.Next(&batch)) Check(sorter.Add(batch.columns.data(), nullptr, batch.size));
  Check(sorter.Finish());
  py::list sorted;
  for (;;) {
    Check(sorter.Next(width, &batch));
    if (batch.size == 0) break;
    Append(batch, &sorted);
  }
  const bool has_spilled = sorter.has_spilled();
  sorter.Close();
  if (world.context.memory.used() != 0) throw std::logic_error("memory is still accounted for");
  return py::make_tuple(sorted, has_spilled, world.env->calls());
}

py::list Keep(const py::list& rows, size_t width, uint64_t memory, uint32_t at_once, const std::vector<std::pair<uint64_t, uint32_t>>& reads) {
  World world(memory, 0, "");
  KeptRows kept(&world.context, RowSpill::kNoNode);
  kept.Reset(width);
  Batches batches(rows, width, at_once);
  ColumnBatch batch;
  while (batches.Next(&batch)) Check(kept.Append(batch));
  py::list answers;
  for (const auto& [first, most] : reads) {
    Check(kept.Read(first, &batch, most));
    py::list read;
    Append(batch, &read);
    answers.append(read);
  }
  return answers;
}

// Rows with their keys' starts: [(row, number, is_start)].
py::list Group(const py::list& rows, size_t width, const std::vector<int>& collations, uint64_t memory, uint32_t at_once) {
  World world(memory, 0, "");
  std::vector<Collation> of_keys;
  for (int collation : collations) of_keys.push_back(static_cast<Collation>(collation));
  KeyGroups groups(&world.context, RowSpill::kNoNode, width - of_keys.size(), of_keys);
  Batches batches(rows, width, at_once);
  ColumnBatch batch;
  int64_t number = 0;
  while (batches.Next(&batch)) {
    std::vector<int64_t> numbers(batch.size);
    for (int64_t& n : numbers) n = number++;
    Check(groups.Add(batch.columns.data(), batch.columns.data() + width - of_keys.size(), nullptr, batch.size, numbers));
  }
  Check(groups.Finish());
  py::list answer;
  for (;;) {
    Check(groups.Next(&batch));
    if (batch.size == 0) return answer;
    py::list read;
    Append(batch, &read);
    for (uint32_t i = 0; i < batch.size; ++i) answer.append(py::make_tuple(read[i], static_cast<bool>(groups.starts()[i])));
  }
}

// Which rows had not come before, then which of `asked` are there, and how often each row is in the set; and the calls made.
py::tuple AskSet(const py::list& rows, const py::list& asked, size_t width, const std::vector<int>& collations, uint64_t memory,
                 uint32_t at_once, uint64_t fail_at) {
  World world(memory, fail_at, "io");
  std::vector<Collation> of_columns;
  for (int collation : collations) of_columns.push_back(static_cast<Collation>(collation));
  KeySet set(&world.context, RowSpill::kNoNode);
  set.Reset(of_columns);
  py::list is_new, is_there, all;
  ColumnBatch batch;
  bool flags[kBatchRows];
  Batches given(rows, width, at_once), others(asked, width, at_once);
  while (given.Next(&batch)) {
    Check(set.AddNew(batch.columns.data(), batch.size, flags));
    for (uint32_t i = 0; i < batch.size; ++i) is_new.append(flags[i]);
  }
  while (others.Next(&batch)) {
    Check(set.Find(batch.columns.data(), batch.size, flags));
    for (uint32_t i = 0; i < batch.size; ++i) is_there.append(flags[i]);
  }
  KeySet::Place place;
  for (;;) {
    Check(set.Next(&place, &batch));
    if (batch.size == 0) break;
    batch.columns.resize(width);  // without the hash
    Append(batch, &all);
  }
  set.Close();
  if (world.context.memory.used() != 0) throw std::logic_error("memory is still accounted for");
  return py::make_tuple(is_new, is_there, all, world.env->calls());
}

// What leaves a queue: an operation is a list of rows to add, or a number of rows to take.
py::tuple Queue(const py::list& operations, size_t width, const std::vector<Key>& keys, uint64_t memory, uint64_t fail_at) {
  World world(memory, fail_at, "io");
  std::vector<OrderColumn> order;
  for (const auto& [column, is_descending, nulls_first, collation] : keys) {
    order.push_back({column, is_descending, nulls_first, static_cast<Collation>(collation)});
  }
  RowQueue queue(&world.context, RowSpill::kNoNode, width, order);
  queue.Reset();
  py::list taken;
  std::vector<Cell> cells(width);
  for (const auto& operation : operations) {
    if (py::isinstance<py::list>(operation)) {
      Batches batches(operation.cast<py::list>(), width, kBatchRows);
      ColumnBatch batch;
      while (batches.Next(&batch)) Check(queue.Add(batch.columns.data(), nullptr, batch.size));
      continue;
    }
    for (int left = operation.cast<int>(); left > 0 && !queue.empty(); --left) {
      Check(queue.Pop(cells.data()));
      py::tuple row(width);
      for (size_t c = 0; c < width; ++c) row[c] = ToPython(cells[c]);
      taken.append(row);
    }
  }
  queue.Close();
  if (world.context.memory.used() != 0) throw std::logic_error("memory is still accounted for");
  return py::make_tuple(taken, world.env->calls());
}

py::bytes Encode(const py::list& rows, size_t width) {
  Batches batches(rows, width, kBatchRows);
  ColumnBatch batch;
  batches.Next(&batch);
  std::string bytes;
  EncodeRowBlock(batch.columns.data(), width, 0, batch.size, &bytes);
  return bytes;
}

py::list Decode(const std::string& bytes, size_t width) {
  std::vector<uint64_t> aligned(bytes.size() / 8 + 1);
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  ColumnBatch batch;
  Check(DecodeRowBlock(reinterpret_cast<char*>(aligned.data()), bytes.size(), width, &batch));
  py::list rows;
  Append(batch, &rows);
  return rows;
}

// Runs of (key, payload, is_distinct), each sorted, merged.
py::list MergeEntries(const std::vector<std::vector<std::tuple<py::bytes, py::bytes, bool>>>& runs, uint64_t fail_at) {
  World world(0, fail_at, "io");
  table::EntryRuns entries(world.context.temp_place);
  for (const auto& run : runs) {
    entries.BeginRun();
    for (const auto& [key, payload, is_distinct] : run) {
      const std::string k = key, p = payload;
      Check(entries.Add({k, p, is_distinct}));
    }
    Check(entries.EndRun());
  }
  py::list merged;
  if (entries.empty()) return merged;
  Check(entries.Merge([&](const table::SortedEntry& entry) {
    merged.append(py::make_tuple(py::bytes(entry.key.data(), entry.key.size()), py::bytes(entry.payload.data(), entry.payload.size()),
                                 entry.is_distinct));
    return absl::OkStatus();
  }));
  return merged;
}

// A block whose bytes changed on the disk.
void ReadDamaged(const std::string& bytes) {
  World world(0, 0, "");
  env::TempSpace space(world.context.temp_place);
  auto block = space.Append(bytes);
  Check(block.status());
  block->checksum ^= 1;
  std::string to(bytes.size(), '\0');
  Check(space.Read(*block, to.data()));
}

}  // namespace

PYBIND11_MODULE(spill, m) {
  m.def("sort", &Sort, py::arg("rows"), py::arg("width"), py::arg("keys"), py::arg("memory"), py::arg("most") = 0,
        py::arg("at_once") = 2048, py::arg("fail_at") = 0, py::arg("fault") = "io");
  m.def("keep", &Keep);
  m.def("group", &Group);
  m.def("ask_set", &AskSet, py::arg("rows"), py::arg("asked"), py::arg("width"), py::arg("collations"), py::arg("memory"),
        py::arg("at_once") = 2048, py::arg("fail_at") = 0);
  m.def("queue", &Queue, py::arg("operations"), py::arg("width"), py::arg("keys"), py::arg("memory"), py::arg("fail_at") = 0);
  m.def("encode", &Encode);
  m.def("decode", &Decode);
  m.def("merge_entries", &MergeEntries, py::arg("runs"), py::arg("fail_at") = 0);
  m.def("read_damaged", &ReadDamaged);
}
