// json_each and json_tree (sql/exec/table_function.h): key, value, type, atom, id, parent, fullkey, path; json, root.
#include <deque>

#include "base/status_macros.h"
#include "base/strings.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/json.h"
#include "sql/exec/table_function.h"

namespace turdb::sql {
namespace {

class JsonRows : public TableFunctionRows {
 public:
  static absl::StatusOr<std::unique_ptr<TableFunctionRows>> Open(absl::Span<const Value> arguments, bool is_tree) {
    auto rows = std::make_unique<JsonRows>();
    if (arguments.empty() || arguments[0].is_null()) return rows;
    rows->text_ = arguments[0];
    rows->root_path_ = arguments.size() > 1 ? Value::Text(std::string(ToText(arguments[1].cell(), &rows->arena_))) : Value::Text("$");
    Json *root = nullptr, *found = nullptr;
    TURDB_RETURN_IF_ERROR(JsonOfText(rows->text_.cell(), &rows->arena_, &root));
    const std::string path(rows->root_path_.cell().view());
    TURDB_RETURN_IF_ERROR(FindJson(root, path, &found));
    if (found == nullptr) return rows;
    const bool is_container = found->kind == JsonKind::kArray || found->kind == JsonKind::kObject;
    if (is_tree || !is_container) {
      rows->Add(*found, Cell(), -1, path, path, is_tree);
    } else {
      rows->AddChildren(*found, rows->next_id_++, path, is_tree);
    }
    return rows;
  }

  absl::StatusOr<bool> Next(Cell* cells, Arena* arena) override {
    if (at_ == rows_.size()) return false;
    const Row& row = rows_[at_++];
    const bool is_container = row.json->kind == JsonKind::kArray || row.json->kind == JsonKind::kObject;
    cells[0] = row.key;
    cells[1] = JsonToValue(*row.json, arena);
    cells[2] = Cell::Text(JsonKindName(row.json->kind));
    cells[3] = is_container ? Cell() : cells[1];
    cells[4] = Cell::Integer(row.id);
    cells[5] = row.parent < 0 ? Cell() : Cell::Integer(row.parent);
    cells[6] = Cell::Text(row.full_key);
    cells[7] = Cell::Text(row.path);
    cells[8] = text_.cell();
    cells[9] = root_path_.cell();
    return true;
  }

 private:
  struct Row {
    const Json* json;
    Cell key;
    int64_t id, parent;
    std::string full_key, path;
  };

  void Add(const Json& json, const Cell& key, int64_t parent, const std::string& full_key, const std::string& path, bool is_tree) {
    const int64_t id = next_id_++;
    rows_.push_back({&json, key, id, is_tree ? parent : -1, full_key, path});
    if (is_tree) AddChildren(json, id, full_key, true);
  }

  void AddChildren(const Json& json, int64_t id, const std::string& path, bool is_tree) {
    int64_t index = 0;
    for (const Json* child = json.first; child != nullptr; child = child->next, ++index) {
      if (json.kind == JsonKind::kObject) {
        const std::string_view key = UnescapeJson(child->key, &arena_);
        Add(*child, Cell::Text(key), id, path + "." + Label(key), path, is_tree);
      } else {
        Add(*child, Cell::Integer(index), id, Cat(path, "[", index, "]"), path, is_tree);
      }
    }
  }

  // A key that is no plain name stands in quotes.
  static std::string Label(std::string_view key) {
    bool is_plain = !key.empty();
    for (size_t i = 0; i < key.size(); ++i) {
      const char c = AsciiLower(key[i]);
      is_plain = is_plain && ((c >= 'a' && c <= 'z') || (i > 0 && c >= '0' && c <= '9'));
    }
    return is_plain ? std::string(key) : Cat("\"", key, "\"");
  }

  Value text_, root_path_;
  Arena arena_;
  std::deque<Row> rows_;
  size_t at_ = 0;
  int64_t next_id_ = 0;
};

}  // namespace

TableFunction JsonEach() {
  return {"json_each", 10, [](ExecContext*, absl::Span<const Value> arguments) { return JsonRows::Open(arguments, false); }};
}
TableFunction JsonTree() {
  return {"json_tree", 10, [](ExecContext*, absl::Span<const Value> arguments) { return JsonRows::Open(arguments, true); }};
}

}  // namespace turdb::sql
