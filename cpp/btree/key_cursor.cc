// Reading a key tree in order.
#include <utility>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_structure.h"
#include "btree/key_tree.h"
#include "btree/overflow.h"

namespace turdb::btree {

struct KeyCursor::Position {
  pager::FileView view;
  Arena* arena = nullptr;
  KeyPath path;
  uint32_t at = 0;
  KeyCell cell;
  const uint8_t* cell_page = nullptr;  // where `cell` was read
  uint32_t cell_at = 0;

  absl::StatusOr<KeySlot> GoTo(std::string_view key) {
    cell_page = nullptr;
    TURDB_RETURN_IF_ERROR(DescendToKey(view, key, &path));
    TURDB_ASSIGN_OR_RETURN(const KeySlot slot, SearchKeyPage(view, path.leaf_id, path.leaf, key));
    at = slot.index;
    return slot;
  }
  absl::StatusOr<bool> SettleForward() {
    while (at >= path.leaf.count()) {
      TURDB_ASSIGN_OR_RETURN(const bool moved, NextKeyLeaf(view, &path));
      if (!moved) return false;
      at = 0;
    }
    return true;
  }
  absl::StatusOr<bool> SettleBackward() {  // to the cell before `at`
    while (at == 0) {
      TURDB_ASSIGN_OR_RETURN(const bool moved, PreviousKeyLeaf(view, &path));
      if (!moved) return false;
      at = path.leaf.count();
    }
    --at;
    return true;
  }
  // Of the place where the cursor is; read once, as the pages of a view stay as they are between two calls to find a place.
  absl::StatusOr<const KeyCell*> CurrentCell() {
    if (cell_page == path.leaf.page() && cell_at == at) return &cell;
    if (!path.leaf.CellAt(at, &cell)) return DamagedKeyPage(view, path.leaf_id, "a cell");
    cell_page = path.leaf.page();
    cell_at = at;
    return &cell;
  }
};

KeyCursor::KeyCursor(pager::FileView view, Arena* arena) : position_(new Position) {
  position_->view = std::move(view);
  position_->arena = arena;
}
KeyCursor::KeyCursor(KeyCursor&& other) noexcept
    : position_(std::exchange(other.position_, nullptr)), valid_(std::exchange(other.valid_, false)) {}
KeyCursor& KeyCursor::operator=(KeyCursor&& other) noexcept {
  std::swap(position_, other.position_);
  std::swap(valid_, other.valid_);
  return *this;
}
KeyCursor::~KeyCursor() { delete position_; }

void KeyCursor::Restart(pager::FileView view, Arena* arena) {
  position_->view = std::move(view);
  position_->arena = arena;
  position_->cell_page = nullptr;
  valid_ = false;
}

absl::Status KeyCursor::SeekFirst() {
  valid_ = false;
  position_->cell_page = nullptr;
  TURDB_RETURN_IF_ERROR(DescendToEdge(position_->view, true, &position_->path));
  position_->at = 0;
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleForward());
  return absl::OkStatus();
}

absl::Status KeyCursor::SeekLast() {
  valid_ = false;
  position_->cell_page = nullptr;
  TURDB_RETURN_IF_ERROR(DescendToEdge(position_->view, false, &position_->path));
  position_->at = position_->path.leaf.count();
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleBackward());
  return absl::OkStatus();
}

absl::Status KeyCursor::SeekAtLeast(std::string_view key) {
  valid_ = false;
  TURDB_RETURN_IF_ERROR(position_->GoTo(key).status());
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleForward());
  return absl::OkStatus();
}

absl::Status KeyCursor::SeekAtMost(std::string_view key) {
  valid_ = false;
  TURDB_ASSIGN_OR_RETURN(const KeySlot slot, position_->GoTo(key));
  if (slot.is_found) {
    valid_ = true;
    return absl::OkStatus();
  }
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleBackward());
  return absl::OkStatus();
}

absl::StatusOr<bool> KeyCursor::Find(std::string_view key) {
  valid_ = false;
  TURDB_ASSIGN_OR_RETURN(const KeySlot slot, position_->GoTo(key));
  valid_ = slot.is_found;
  return valid_;
}

absl::Status KeyCursor::Next() {
  if (!valid_) return absl::OkStatus();
  valid_ = false;
  ++position_->at;
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleForward());
  return absl::OkStatus();
}

absl::Status KeyCursor::Prev() {
  if (!valid_) return absl::OkStatus();
  valid_ = false;
  TURDB_ASSIGN_OR_RETURN(valid_, position_->SettleBackward());
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> KeyCursor::Key() {
  if (!valid_) return InternalError("a key was asked of a cursor that is on none");
  TURDB_ASSIGN_OR_RETURN(const KeyCell* const cell, position_->CurrentCell());
  if (cell->prefix.empty() && cell->head_bytes == 0 && cell->key_chain.value() == 0) return cell->tail;
  if (cell->key_chain.value() == 0) {
    const size_t bytes = cell->KeyBytesHere();
    char* const to = position_->arena->Allocate(bytes + format::kKeyHeadBytes, 1);
    cell->CopyKeyHere(to);
    return std::string_view(to, bytes);
  }
  std::string key;
  TURDB_RETURN_IF_ERROR(ReadFullKey(position_->view, *cell, &key));
  return position_->arena->Copy(key);
}

absl::StatusOr<std::string_view> KeyCursor::Payload() {
  if (!valid_) return InternalError("a payload was asked of a cursor that is on no key");
  TURDB_ASSIGN_OR_RETURN(const KeyCell* const cell, position_->CurrentCell());
  if (cell->payload_chain.value() == 0) return cell->payload;
  return ReadOverflow(position_->view, cell->payload_chain, cell->payload_bytes, position_->arena);
}

}  // namespace turdb::btree
