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

using format::kKeyHints;
using format::kKeySlotBytes;
using format::kPageBytes;

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
  std::string bytes;               // the cells of the leaf in progress, one after another
  std::vector<uint32_t> ends;      // where each ends
  std::string separator;           // before the leaf in progress
  std::deque<std::string> separators;
  LeafRun run;

  absl::Status Open();
  absl::Status Emit();
};

absl::Status KeyAppender::State::Open() {
  KeyPath path;
  TURDB_RETURN_IF_ERROR(DescendToEdge(writer->view(), false, &path));
  std::vector<std::string_view> cells;
  if (!ListCells(path.leaf, &cells)) return DamagedKeyPage(writer->view(), path.leaf_id, "a cell");
  for (const std::string_view cell : cells) {
    bytes.append(cell);
    ends.push_back(static_cast<uint32_t>(bytes.size()));
  }
  if (!cells.empty()) {
    KeyCell last;
    path.leaf.CellAt(path.leaf.count() - 1, &last);
    TURDB_RETURN_IF_ERROR(ReadFullKey(writer->view(), last, &last_key));
    has_last_key = true;
  }
  tree_leaf = path.leaf_id;
  is_in_tree = true;
  is_open = true;
  return absl::OkStatus();
}

absl::Status KeyAppender::State::Emit() {
  std::vector<std::string_view> cells;
  uint32_t begin = 0;
  for (const uint32_t end : ends) {
    cells.push_back(std::string_view(bytes).substr(begin, end - begin));
    begin = end;
  }
  const auto page = std::make_unique<LeafBytes>();
  if (!BuildKeyPage(cells, 0, PageId(0), page->bytes)) return InternalError("a leaf of appended keys is too full");
  bytes.clear();
  ends.clear();
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
  TURDB_ASSIGN_OR_RETURN(const std::string cell, MakeKeyCell(s.writer, key, payload));
  if (kKeyHints + kKeySlotBytes * (s.ends.size() + 1) + s.bytes.size() + cell.size() > kPageBytes) {
    TURDB_RETURN_IF_ERROR(s.Emit());
    s.separator = std::string(Separator(s.last_key, key));
  }
  s.bytes.append(cell);
  s.ends.push_back(static_cast<uint32_t>(s.bytes.size()));
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
