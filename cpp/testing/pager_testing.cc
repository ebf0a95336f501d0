// LINKS: pager
// turdb._testing.pager: page tables, page deltas, data files with their maps.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <vector>

#include "env/env.h"
#include "format/page_delta.h"
#include "format/page_moves.h"
#include "pager/data_file.h"
#include "pager/page_table.h"
#include "testing/check.h"

namespace py = pybind11;

namespace turdb {
namespace {

using testing::Check;

std::string PageOf(const py::bytes& data) {
  std::string page = data;
  if (page.size() != format::kPageBytes) throw std::runtime_error("not a page");
  return page;
}
const uint8_t* Bytes(const std::string& s) { return reinterpret_cast<const uint8_t*>(s.data()); }

struct Table {
  pager::PageTable table;
};

struct Map {
  IntrusivePtr<pager::SharedMapping> mapping;
  uint64_t Value(uint32_t page) const {
    return Load<uint64_t>(mapping->data() + size_t{page} * format::kPageBytes + format::kPageBytes / 2);
  }
};

// A data file whose page i holds a number in its middle.
class Data {
 public:
  explicit Data(const std::string& directory)
      : space_(MakeIntrusive<pager::PreservedSpace>(env::PosixEnv(), directory)),
        file_(MakeIntrusive<pager::DataFile>(env::PosixEnv(), directory, "data.tbd", FileId(7), pager::OnDisk::kNo, false)) {
    Check(file_->EnsureOnDisk().status());
  }
  void Write(uint32_t page, uint64_t value) {
    auto bytes = std::make_unique<pager::PageBytes>();
    turdb::Store<uint64_t>(bytes->bytes + format::kPageBytes / 2, value);
    format::SealPage(FileId(7), PageId(page), bytes->bytes);
    Check(file_->WritePages(PageId(page), 1, bytes->bytes));
  }
  Map NewMap(uint32_t pages) { return {Check(file_->MappingFor(pages))}; }
  Map Lengthened(const Map& map, uint32_t pages) { return {Check(file_->Lengthened(map.mapping, pages))}; }
  void Preserve(const std::vector<uint32_t>& pages, uint64_t newest_reader, uint32_t limit, uint64_t written) {
    std::vector<PageId> ids;
    for (uint32_t page : pages) ids.push_back(PageId(page));
    Check(file_->Preserve(ids, {Lsn(newest_reader), limit}, Lsn(written), space_.get()));
  }
  uint64_t n_preserved() const { return space_->n_pages(); }
  uint32_t n_ranges() const { return space_->n_ranges(); }

 private:
  IntrusivePtr<pager::PreservedSpace> space_;
  IntrusivePtr<pager::DataFile> file_;
};

}  // namespace

PYBIND11_MODULE(pager, m) {
  m.attr("PAGE_BYTES") = format::kPageBytes;
  m.def("delta", [](const py::object& base, const py::bytes& page) {
    const std::string now = PageOf(page);
    const std::string before = base.is_none() ? "" : PageOf(base);
    std::string out;
    format::AppendPageDelta(before.empty() ? nullptr : Bytes(before), Bytes(now), &out);
    return py::bytes(out);
  });
  m.def("apply", [](const py::bytes& delta, const py::bytes& page) -> py::object {  // None: no delta
    const std::string d = delta;
    std::string p = PageOf(page);
    const uint8_t* end = Bytes(d) + d.size();
    if (format::SkipPageDelta(Bytes(d), end) != end) return py::none();
    if (format::ApplyPageDelta(Bytes(d), end, reinterpret_cast<uint8_t*>(p.data())) != end) return py::none();
    return py::bytes(p);
  });
  m.def("moves", [](const py::bytes& base, const py::bytes& page) -> py::object {  // None: none; else what they make of it
    const std::string before = PageOf(base), now = PageOf(page);
    std::string out, moved(format::kPageBytes, '\0');
    if (!format::AppendPageMoves(Bytes(before), Bytes(now), &out, reinterpret_cast<uint8_t*>(moved.data()))) return py::none();
    return py::make_tuple(py::bytes(out), py::bytes(moved));
  });
  m.def("move", [](const py::bytes& moves, const py::bytes& page) -> py::object {  // None: no moves
    const std::string bytes = moves;
    std::string p = PageOf(page);
    const uint8_t* end = Bytes(bytes) + bytes.size();
    if (format::SkipPageMoves(Bytes(bytes), end) != end) return py::none();
    if (format::ApplyPageMoves(Bytes(bytes), end, reinterpret_cast<uint8_t*>(p.data())) != end) return py::none();
    return py::bytes(p);
  });
  m.def("next_epoch", &pager::NextEpoch);
  py::class_<Map>(m, "Map", py::module_local())
      .def("value", &Map::Value)
      .def_property_readonly("pages", [](const Map& map) { return map.mapping->size() / format::kPageBytes; });
  py::class_<Data>(m, "DataFile", py::module_local())
      .def(py::init<const std::string&>())
      .def("write", &Data::Write)
      .def("map", &Data::NewMap)
      .def("lengthened", &Data::Lengthened)
      .def("preserve", &Data::Preserve)
      .def_property_readonly("n_preserved", &Data::n_preserved)
      .def_property_readonly("n_ranges", &Data::n_ranges);
  py::class_<Table>(m, "PageTable", py::module_local())
      .def(py::init<>())
      .def("copy", [](const Table& t) { return Table{t.table}; })
      .def("set", [](Table& t, uint32_t page, uint64_t mark, uint64_t epoch) {
        auto version = pager::PageVersion::New(epoch);
        turdb::Store<uint64_t>(version->bytes(), mark);
        t.table.Set(PageId(page), std::move(version), epoch);
      })
      .def("erase", [](Table& t, uint32_t page, uint64_t epoch) { t.table.Erase(PageId(page), epoch); })
      .def("find", [](const Table& t, uint32_t page) -> py::object {
        const uint8_t* bytes = t.table.Find(PageId(page));
        return bytes == nullptr ? py::object(py::none()) : py::object(py::int_(Load<uint64_t>(bytes)));
      })
      .def("items", [](const Table& t) {
        py::list out;
        t.table.ForEach([&](PageId id, pager::PageVersion* v) {
          out.append(py::make_tuple(id.value(), Load<uint64_t>(v->bytes())));
        });
        return out;
      })
      .def("changed_since", [](const Table& t, const Table& base) {
        py::list out;
        t.table.ForEachChanged(base.table, [&](PageId id, pager::PageVersion*) { out.append(id.value()); });
        return out;
      })
      .def_property_readonly("is_empty", [](const Table& t) { return t.table.root() == nullptr; });
}

}  // namespace turdb
