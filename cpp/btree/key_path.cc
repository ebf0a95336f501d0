// Ways through a key tree.
#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/key_structure.h"

namespace turdb::btree {
namespace {

// From page `id` of the level (-1: any) down to a leaf; choose(id, page) -> StatusOr<child index>.
template <typename Choose>
absl::Status DescendFrom(const pager::FileView& view, PageId id, int level, KeyPath* path, Choose choose) {
  for (;;) {
    KeyPage page;
    TURDB_RETURN_IF_ERROR(OpenKeyPage(view, id, level, &page));
    if (page.level() == 0) {
      path->leaf_id = id;
      path->leaf = page;
      return absl::OkStatus();
    }
    if (path->depth == format::kMaxTreeLevel) return DamagedKeyPage(view, id, "the tree is too high");
    TURDB_ASSIGN_OR_RETURN(const uint32_t child, choose(id, page));
    path->steps[path->depth++] = {id, child, page.count()};
    level = static_cast<int>(page.level()) - 1;
    PageId child_id;
    if (!page.ChildAt(child, &child_id)) return DamagedKeyPage(view, id, "a child");
    id = child_id;
  }
}

absl::Status StepTo(const pager::FileView& view, uint32_t step, uint32_t child, bool is_forward, KeyPath* path) {
  path->depth = step;
  bool is_first = true;
  const auto choose = [&](PageId, const KeyPage& page) -> absl::StatusOr<uint32_t> {
    if (is_first) {
      is_first = false;
      return child;
    }
    return is_forward ? 0 : page.count();
  };
  return DescendFrom(view, path->steps[step].page, -1, path, choose);
}

}  // namespace

absl::Status DescendToKey(const pager::FileView& view, std::string_view key, KeyPath* path) {
  path->depth = 0;
  return DescendFrom(view, kRootPage, -1, path,
                     [&](PageId id, const KeyPage& page) { return ChildForKey(view, id, page, key); });
}

absl::Status DescendToEdge(const pager::FileView& view, bool to_first, KeyPath* path) {
  path->depth = 0;
  return DescendFrom(view, kRootPage, -1, path, [&](PageId, const KeyPage& page) -> absl::StatusOr<uint32_t> {
    return to_first ? 0 : page.count();
  });
}

absl::StatusOr<bool> NextKeyLeaf(const pager::FileView& view, KeyPath* path) {
  for (uint32_t i = path->depth; i-- > 0;) {
    if (path->steps[i].child >= path->steps[i].count) continue;
    TURDB_RETURN_IF_ERROR(StepTo(view, i, path->steps[i].child + 1, true, path));
    return true;
  }
  return false;
}

absl::StatusOr<bool> PreviousKeyLeaf(const pager::FileView& view, KeyPath* path) {
  for (uint32_t i = path->depth; i-- > 0;) {
    if (path->steps[i].child == 0) continue;
    TURDB_RETURN_IF_ERROR(StepTo(view, i, path->steps[i].child - 1, false, path));
    return true;
  }
  return false;
}

absl::StatusOr<uint32_t> KeyRootLevel(const pager::FileView& view) {
  KeyPage root;
  TURDB_RETURN_IF_ERROR(OpenKeyPage(view, kRootPage, -1, &root));
  return root.level();
}

}  // namespace turdb::btree
