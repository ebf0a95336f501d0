// KeyAppender: keys behind the last one, packed into full leaves: cells are gathered until a leaf is full and laid out
// at once. The first leaf takes the place of the tree's last one, the others go through a LeafRun.
#include <cstring>
#include <deque>
#include <memory>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_structure.h"
#include "btree/key_tree.h"
#include "btree/leaf_run.h"
#include "btree/row_pieces.h"

namespace turdb::btree {

struct KeyAppender::State {
  explicit State(pager::FileWriter* w)
      : writer(w), run(w, format::PageKind::kKeyLeaf, [this](uint64_t, PageId id) {
          const std::string separator = std::move(separators.front());
          separators.pop_front();
          return InsertKeySeparator(writer, separator, id, 1);
        }) {}

  pager::FileWriter* const writer;
  bool is_open = false;
  bool is_in_tree = false;
  PageId tree_leaf;
  std::string last_key;
  bool has_last_key = false;
  Arena arena;                     // of the loose cells of the leaf in progress
  std::vector<std::string_view> cells;
  KeyPageSize size;                // of them
  std::string separator;           // before the leaf in progress
  std::deque<std::string> separators;
  LeafRun run;

  absl::Status Open();
  absl::Status Add(std::string_view cell, std::string_view key);
  absl::Status Emit();
};

absl::Status KeyAppender::State::Open() {
  KeyPath path;
  TURDB_RETURN_IF_ERROR(DescendToEdge(writer->view(), false, &path));
  tree_leaf = path.leaf_id;
  is_in_tree = true;
  is_open = true;
  Arena of_leaf;
  std::vector<std::string_view> old;
  if (!ListCells(path.leaf, &of_leaf, &old)) return DamagedKeyPage(writer->view(), path.leaf_id, "a cell");
  for (const std::string_view cell : old) {
    KeyCell parsed;
    std::string key;
    if (!ParseKeyCell(cell, &parsed)) return InternalError("a cell just listed is none");
    TURDB_RETURN_IF_ERROR(ReadFullKey(writer->view(), parsed, &key));
    TURDB_RETURN_IF_ERROR(Add(cell, key));
    last_key = std::move(key);
    has_last_key = true;
  }
  return absl::OkStatus();
}

absl::Status KeyAppender::State::Add(std::string_view cell, std::string_view key) {
  KeyCell parsed;
  if (!ParseKeyCell(cell, &parsed)) return InternalError("a cell to append is none");
  if (!size.FitsWith(cells, parsed)) {
    if (cells.empty()) return InternalError("a cell to append does not fit a page");
    TURDB_RETURN_IF_ERROR(Emit());
    separator = std::string(Separator(last_key, key));
    size.FitsWith(cells, parsed);
  }
  size.Take();
  cells.push_back(arena.Copy(cell));
  return absl::OkStatus();
}

absl::Status KeyAppender::State::Emit() {
  const auto page = std::make_unique<LeafBytes>();
  if (!BuildKeyPage(cells, 0, PageId(0), page->bytes)) return InternalError("a leaf of appended keys is too full");
  cells.clear();
  arena.Reset();
  size.Reset();
  if (is_in_tree) {
    is_in_tree = false;
    return CopyIntoKeyPage(writer, tree_leaf, page->bytes);
  }
  separators.push_back(std::move(separator));
  return run.Add(page->bytes);
}

KeyAppender::KeyAppender(pager::FileWriter* writer) : state_(new State(writer)) {}
KeyAppender::~KeyAppender() { delete state_; }

absl::Status KeyAppender::Append(std::string_view key, std::string_view payload) {
  State& s = *state_;
  if (!s.is_open) TURDB_RETURN_IF_ERROR(s.Open());
  if (s.has_last_key && key <= s.last_key) return InternalError("keys to append are not in ascending order");
  SmallCellBytes small;
  std::string large;
  std::string_view cell = SmallKeyCell(key, payload, &small);
  if (cell.empty()) {
    TURDB_ASSIGN_OR_RETURN(large, MakeKeyCell(s.writer, key, payload));
    cell = large;
  }
  TURDB_RETURN_IF_ERROR(s.Add(cell, key));
  s.last_key.assign(key);
  s.has_last_key = true;
  return absl::OkStatus();
}

absl::Status KeyAppender::Finish() {
  State& s = *state_;
  if (!s.is_open) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(s.Emit());
  TURDB_RETURN_IF_ERROR(s.run.Finish());
  s.is_open = false;
  return absl::OkStatus();
}

}  // namespace turdb::btree
