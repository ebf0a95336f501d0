#include "btree/row_path.h"

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::btree {
namespace {

using format::PageKind;

int64_t KeyBefore(int64_t key) { return static_cast<int64_t>(static_cast<uint64_t>(key) - 1); }

// From interior page `id` of the level down to a leaf, by choose(interior) -> child index.
template <typename Choose>
absl::Status DescendFrom(const pager::FileView& view, PageId id, uint32_t level, RowPath* path, Choose choose) {
  for (;;) {
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, id, level));
    const RowInterior interior(page);
    level = interior.level();
    const uint32_t child = choose(interior);
    path->steps[path->depth++] = {id, child, interior.count()};
    if (child > 0) path->low = interior.KeyAt(child - 1);
    if (child < interior.count()) path->high = KeyBefore(interior.KeyAt(child));
    id = interior.ChildAt(child);
    if (--level == 0) break;
  }
  path->leaf_id = id;
  return OpenLeaf(view, id, &path->leaf);
}

// The bounds that the first `depth` steps give.
absl::Status BoundsAbove(const pager::FileView& view, RowPath* path) {
  path->low = std::numeric_limits<int64_t>::min();
  path->high = std::numeric_limits<int64_t>::max();
  for (uint32_t i = 0; i < path->depth; ++i) {
    const RowStep& step = path->steps[i];
    TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, step.page, 0));
    const RowInterior interior(page);
    if (step.child > 0) path->low = interior.KeyAt(step.child - 1);
    if (step.child < step.count) path->high = KeyBefore(interior.KeyAt(step.child));
  }
  return absl::OkStatus();
}

absl::Status StepTo(const pager::FileView& view, uint32_t step, uint32_t child, bool is_forward, RowPath* path) {
  path->depth = step;
  TURDB_RETURN_IF_ERROR(BoundsAbove(view, path));
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, InteriorPage(view, path->steps[step].page, 0));
  bool is_first = true;
  return DescendFrom(view, path->steps[step].page, RowInterior(page).level(), path, [&](const RowInterior& interior) {
    if (is_first) {
      is_first = false;
      return child;
    }
    return is_forward ? 0 : interior.count();
  });
}

}  // namespace

absl::Status DamagedPage(const pager::FileView& view, PageId id, std::string_view what) {
  return CorruptionError("file '", view.path(), "': page ", id.value(), " is damaged: ", what);
}

absl::StatusOr<const uint8_t*> InteriorPage(const pager::FileView& view, PageId id, uint32_t level) {
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, view.PageOfKind(id, PageKind::kRowInterior));
  if (!RowInterior::IsSound(page)) return DamagedPage(view, id, "more separators than a page holds");
  const uint32_t own = RowInterior(page).level();
  if (own == 0 || own > format::kMaxTreeLevel || (level != 0 && own != level)) {
    return DamagedPage(view, id, "it is not of the level that its place in the tree asks for");
  }
  return page;
}

absl::Status OpenLeaf(const pager::FileView& view, PageId id, record::RowLeaf* leaf) {
  TURDB_ASSIGN_OR_RETURN(const uint8_t* page, view.PageOfKind(id, PageKind::kRowLeaf));
  if (!leaf->Open(page)) return DamagedPage(view, id, "the header of the leaf contradicts itself");
  return absl::OkStatus();
}

absl::Status DescendTo(const pager::FileView& view, int64_t key, RowPath* path) {
  path->depth = 0;
  path->low = std::numeric_limits<int64_t>::min();
  path->high = std::numeric_limits<int64_t>::max();
  path->leaf_id = kRootPage;
  const uint8_t* root = view.Page(kRootPage);
  if (root == nullptr) return view.PageError(kRootPage);
  if (format::PageKindOf(root) != PageKind::kRowInterior) return OpenLeaf(view, kRootPage, &path->leaf);
  return DescendFrom(view, kRootPage, 0, path, [key](const RowInterior& interior) { return interior.ChildFor(key); });
}

absl::StatusOr<bool> NextLeaf(const pager::FileView& view, RowPath* path) {
  for (uint32_t i = path->depth; i-- > 0;) {
    const RowStep& step = path->steps[i];
    if (step.child >= step.count) continue;
    TURDB_RETURN_IF_ERROR(StepTo(view, i, step.child + 1, true, path));
    return true;
  }
  return false;
}

absl::StatusOr<bool> PreviousLeaf(const pager::FileView& view, RowPath* path) {
  for (uint32_t i = path->depth; i-- > 0;) {
    const RowStep& step = path->steps[i];
    if (step.child == 0) continue;
    TURDB_RETURN_IF_ERROR(StepTo(view, i, step.child - 1, false, path));
    return true;
  }
  return false;
}

}  // namespace turdb::btree
