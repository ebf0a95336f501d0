// turdb._core: the extension module. Everything that users call is in turdb's Python files and the two types here.
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "bindings/errors.h"
#include "bindings/objects.h"
#include "bindings/parameters.h"

namespace py = pybind11;
using namespace turdb::bindings;

namespace {

// For the tests that walk every kind: raises what a failure of that kind raises.
void RaiseErrorKind(int kind, int constraint, const std::string& message) {
  const auto which = static_cast<turdb::ErrorKind>(kind);
  RaiseStatus(constraint == 0 ? turdb::MakeError(which, message)
                              : turdb::ConstraintError(static_cast<turdb::ConstraintKind>(constraint), message));
  throw py::error_already_set();
}

std::vector<std::string> ErrorKindNames() {
  std::vector<std::string> names;
  for (int kind = 0; kind < turdb::kErrorKindCount; ++kind) {
    names.emplace_back(turdb::ErrorKindName(static_cast<turdb::ErrorKind>(kind)));
  }
  return names;
}

// A statement is complete when its last token is a semicolon outside strings and comments.
bool IsComplete(const std::string& sql) {
  bool ends_with_semicolon = false;
  for (size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (c == '\'' || c == '"' || c == '`' || c == '[') {
      i = sql.find(c == '[' ? ']' : c, i + 1);
      if (i == std::string::npos) return false;
      ends_with_semicolon = false;
    } else if (c == '-' && i + 1 < sql.size() && sql[i + 1] == '-') {
      i = sql.find('\n', i);
      if (i == std::string::npos) break;
    } else if (c == '/' && i + 1 < sql.size() && sql[i + 1] == '*') {
      i = sql.find("*/", i + 2);
      if (i == std::string::npos) return false;
      ++i;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f') {
      ends_with_semicolon = c == ';';
    }
  }
  return ends_with_semicolon;
}

py::list NamesToList(const std::vector<std::string>& names) {
  py::list list;
  for (const std::string& name : names) list.append(py::str(name));
  return list;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The engine behind turdb. Use the turdb package; names here may change.";
  if (!LoadExceptions() || !MakeConnectionType(m.ptr()) || !MakeCursorType(m.ptr())) throw py::error_already_set();
  m.def("set_cursor_class", [](const py::object& type) { default_cursor_class = type.inc_ref().ptr(); },
        "The class of cursors that connections make; a subclass of Cursor without an __init__ of its own.");
  m.def("set_adapters", [](const py::dict& adapters) { SetAdapters(adapters.ptr()); });
  m.def("mark_base_type_adapted", [] { MarkBaseTypeAdapted(); });
  m.def("complete_statement", IsComplete);
  m.def("error_kinds", [] { return NamesToList(ErrorKindNames()); });
  m.def("raise_error_kind", RaiseErrorKind, py::arg("kind"), py::arg("constraint") = 0, py::arg("message") = "");
}
