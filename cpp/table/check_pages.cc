#include "table/check_pages.h"

#include "base/errors.h"
#include "format/file_header.h"

namespace turdb::table {
namespace {

constexpr size_t kMaxFindings = 100;  // a file: one lost trunk leaves many pages unused

class PageUse {
 public:
  PageUse(const pager::FileView& view, bool is_changing, std::vector<std::string>* findings)
      : view_(view), is_changing_(is_changing), findings_(findings), uses_(view.page_count()) {}

  void Run(const std::vector<PageId>& used) {
    const uint8_t* const header = view_.Page(PageId(0));
    if (header == nullptr) return Add(FromAbsl(view_.PageError(PageId(0)).message()));
    CheckHeader(header);
    for (const PageId page : used) Use(page);
    WalkFreeList(header);
    for (uint32_t page = 1; page < uses_.size(); ++page) {
      if (uses_[page] == Mark::kNone) Add("page ", page, " is neither used nor free");
    }
  }

 private:
  enum class Mark : uint8_t { kNone, kUsed, kFree };

  void CheckHeader(const uint8_t* header) {
    if (format::PageKindOf(header) != format::PageKind::kFileHeader || !format::HasFileMagic(header)) Add("page 0 is not a file header");
    const uint32_t file = Load<uint32_t>(header + format::kHeaderFileIdOffset);
    if (file != view_.file_id().value()) Add("page 0 is of file ", file, ", not ", view_.file_id().value());
    const uint32_t pages = Load<uint32_t>(header + format::kHeaderPageCountOffset);
    // A transaction writes the number down when it commits.
    if (pages != view_.page_count() && !is_changing_) Add("the header counts ", pages, " pages, there are ", view_.page_count());
  }

  template <typename... Ts>
  void Add(const Ts&... parts) {
    if (added_++ < kMaxFindings) findings_->push_back(Cat(view_.path(), ": ", parts...));
  }
  void Use(PageId page) {
    if (page.value() >= uses_.size()) return Add("page ", page.value(), " of ", uses_.size(), " is used");
    if (uses_[page.value()] == Mark::kUsed) Add("page ", page.value(), " is used twice");
    uses_[page.value()] = Mark::kUsed;
  }
  // False where it may not be followed.
  bool Free(uint32_t page, uint32_t trunk) {
    if (page == 0 || page >= uses_.size()) {
      Add("free-list page ", trunk, " names page ", page, " of ", uses_.size());
      return false;
    }
    const bool is_new = uses_[page] == Mark::kNone;
    if (uses_[page] == Mark::kUsed) Add("page ", page, " is used and in the free list");
    if (uses_[page] == Mark::kFree) Add("page ", page, " is in the free list twice");
    if (is_new) uses_[page] = Mark::kFree;
    return is_new;
  }

  void WalkFreeList(const uint8_t* header) {
    uint32_t trunk = Load<uint32_t>(header + format::kHeaderFreeTrunkOffset);
    uint32_t from = 0, free = 0;
    while (trunk != 0 && Free(trunk, from)) {
      ++free;
      const uint8_t* const page = view_.Page(PageId(trunk));
      if (page == nullptr) return Add(FromAbsl(view_.PageError(PageId(trunk)).message()));
      if (format::PageKindOf(page) != format::PageKind::kFreeListTrunk) {
        return Add("free-list page ", trunk, " is of kind ", static_cast<int>(format::PageKindOf(page)));
      }
      const uint32_t count = Load<uint32_t>(page + format::kTrunkCountOffset);
      if (count > format::kTrunkCapacity) return Add("free-list page ", trunk, " claims ", count, " entries");
      for (uint32_t i = 0; i < count; ++i) Free(Load<uint32_t>(page + format::kTrunkEntriesOffset + 4 * i), trunk);
      free += count;
      from = trunk;
      trunk = Load<uint32_t>(page + format::kTrunkNextOffset);
    }
    const uint32_t counted = Load<uint32_t>(header + format::kHeaderFreeCountOffset);
    if (counted != free) Add("the header counts ", counted, " free pages, there are ", free);
  }

  const pager::FileView& view_;
  const bool is_changing_;
  std::vector<std::string>* findings_;
  std::vector<Mark> uses_;
  size_t added_ = 0;
};

}  // namespace

void CheckPageUse(const pager::FileView& view, const std::vector<PageId>& used, bool is_changing,
                  std::vector<std::string>* findings) {
  PageUse(view, is_changing, findings).Run(used);
}

void CheckFixedPages(const pager::FileView& view, bool is_changing, std::vector<std::string>* findings) {
  std::vector<PageId> used;
  for (uint32_t page = 1; page < view.page_count(); ++page) {
    used.push_back(PageId(page));
    if (view.Page(PageId(page)) == nullptr && findings->size() < kMaxFindings) {
      findings->push_back(std::string(FromAbsl(view.PageError(PageId(page)).message())));
    }
  }
  CheckPageUse(view, used, is_changing, findings);
}

}  // namespace turdb::table
