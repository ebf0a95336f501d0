// Inserting, updating and erasing single keys.
#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_structure.h"
#include "btree/key_tree.h"

namespace turdb::btree {
namespace {

struct Place {
  KeyPath path;
  KeySlot slot;
};

absl::Status FindKey(const pager::FileView& view, std::string_view key, Place* place) {
  TURDB_RETURN_IF_ERROR(DescendToKey(view, key, &place->path));
  TURDB_ASSIGN_OR_RETURN(place->slot, SearchKeyPage(view, place->path.leaf_id, place->path.leaf, key));
  return absl::OkStatus();
}

absl::Status FreeBelow(pager::FileWriter* writer, PageId id, int level) {
  const pager::FileView& view = writer->view();
  KeyPage page;
  TURDB_RETURN_IF_ERROR(OpenKeyPage(view, id, level, &page));
  for (uint32_t i = 0; i < page.count(); ++i) {
    KeyCell cell;
    if (!page.CellAt(i, &cell)) return DamagedKeyPage(view, id, "a cell");
    TURDB_RETURN_IF_ERROR(FreeKeyCell(writer, cell));
  }
  for (uint32_t i = 0; page.level() > 0 && i <= page.count(); ++i) {
    PageId child;
    if (!page.ChildAt(i, &child)) return DamagedKeyPage(view, id, "a child");
    TURDB_RETURN_IF_ERROR(FreeBelow(writer, child, static_cast<int>(page.level()) - 1));
    TURDB_RETURN_IF_ERROR(writer->Free(child));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CreateKeyTree(pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(const PageId root, writer->Allocate(format::PageKind::kKeyLeaf));
  if (root != kRootPage) return InternalError("the root of a new tree is not page 1 of its file");
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(root));
  BuildKeyPage({}, 0, PageId(0), page);
  return absl::OkStatus();
}

absl::StatusOr<bool> InsertKey(pager::FileWriter* writer, std::string_view key, std::string_view payload) {
  Place place;
  TURDB_RETURN_IF_ERROR(FindKey(writer->view(), key, &place));
  if (place.slot.is_found) return false;
  SmallCellBytes small;
  std::string large;
  std::string_view cell = SmallKeyCell(key, payload, &small);
  if (cell.empty()) {
    TURDB_ASSIGN_OR_RETURN(large, MakeKeyCell(writer, key, payload));
    cell = large;
  }
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(place.path.leaf_id));
  if (TryInsertCell(page, place.slot.index, cell)) return true;
  TURDB_RETURN_IF_ERROR(InsertKeyCell(writer, key, cell, 0));
  return true;
}

absl::StatusOr<bool> UpdateKey(pager::FileWriter* writer, std::string_view key, std::string_view payload) {
  Place place;
  TURDB_RETURN_IF_ERROR(FindKey(writer->view(), key, &place));
  if (!place.slot.is_found) return false;
  KeyCell old;
  if (!place.path.leaf.CellAt(place.slot.index, &old)) {
    return DamagedKeyPage(writer->view(), place.path.leaf_id, "a cell");
  }
  if (old.payload_chain.value() == 0 && old.payload == payload) return true;
  // The new cell and then the old one's chains: the old bytes stay readable until the page changes.
  TURDB_ASSIGN_OR_RETURN(const std::string cell, MakeKeyCell(writer, key, payload));
  TURDB_RETURN_IF_ERROR(FreeKeyCell(writer, old));
  TURDB_RETURN_IF_ERROR(ReplaceInKeyLeaf(writer, place.path, place.slot.index, key, cell));
  return true;
}

absl::StatusOr<bool> EraseKey(pager::FileWriter* writer, std::string_view key) {
  Place place;
  TURDB_RETURN_IF_ERROR(FindKey(writer->view(), key, &place));
  if (!place.slot.is_found) return false;
  KeyCell old;
  if (!place.path.leaf.CellAt(place.slot.index, &old)) {
    return DamagedKeyPage(writer->view(), place.path.leaf_id, "a cell");
  }
  TURDB_RETURN_IF_ERROR(FreeKeyCell(writer, old));
  TURDB_RETURN_IF_ERROR(EraseFromKeyLeaf(writer, place.path, place.slot.index, key));
  return true;
}

absl::Status ClearKeyTree(pager::FileWriter* writer) {
  TURDB_RETURN_IF_ERROR(FreeBelow(writer, kRootPage, -1));
  TURDB_ASSIGN_OR_RETURN(uint8_t* const page, writer->MutablePage(kRootPage));
  BuildKeyPage({}, 0, PageId(0), page);
  return absl::OkStatus();
}

}  // namespace turdb::btree
