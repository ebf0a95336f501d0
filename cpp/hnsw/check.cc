#include "hnsw/check.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"
#include "hnsw/graph.h"
#include "hnsw/meta.h"
#include "hnsw/reach.h"

namespace turdb::hnsw {

namespace {

constexpr size_t kMostFindings = 100;
constexpr uint32_t kNodesPerCheck = 256;

class Checker {
 public:
  Checker(const pager::FileView& view, const GraphMeta& meta, const VectorSource* vectors)
      : meta_(meta), layout_(meta.options.dim, meta.options.m), pages_(&view, view.page_count()),
        graph_(&pages_, layout_, meta.node_count), view_(view), vectors_(vectors) {}

  absl::StatusOr<std::vector<std::string>> Run(const std::function<absl::Status()>& check) {
    CheckPages();
    for (uint32_t id = 0; id < meta_.node_count && findings_.size() < kMostFindings; ++id) {
      if (check && id % kNodesPerCheck == 0) TURDB_RETURN_IF_ERROR(check());
      CheckNode(id);
    }
    CheckHeader();
    // Nodes that came since may have no link yet, or have taken one that was the last to another.
    if (meta_.unrepaired_count > 0) return std::move(findings_);
    for (const uint32_t id : FindUnreachable(graph_, meta_.entry)) Report("node ", id, " cannot be reached from the entry");
    return std::move(findings_);
  }

 private:
  template <typename... Ts>
  void Report(const Ts&... parts) {
    if (findings_.size() < kMostFindings) findings_.push_back(Cat(parts...));
  }

  void CheckPages() {
    for (uint32_t id = 0; id < view_.page_count(); ++id) {
      const uint8_t* page = view_.Page(PageId(id));
      if (page == nullptr) {
        Report(FromAbsl(view_.PageError(PageId(id)).message()));
      } else if (id > 0 && format::PageKindOf(page) != layout_.KindOfPage(id)) {
        Report("page ", id, " is of kind ", static_cast<int>(format::PageKindOf(page)));
      }
    }
  }

  void CheckNode(uint32_t id) {
    const uint8_t* node = graph_.Node(id);
    if (node == nullptr) return;  // reported with its page
    const bool has_row = vectors_ == nullptr || (id < vectors_->slot_count() &&
                                                 vectors_->RowIdOf(NodeId(id)) != format::kFreeSlotRowId);
    if (!graph_.IsPresent(node)) {
      if (vectors_ != nullptr && has_row) Report("node ", id, " is not in the graph, but its vector has a row");
      return;
    }
    ++present_;
    if (!graph_.IsAlive(node)) ++deleted_;
    if (graph_.IsAlive(node) && !has_row) Report("node ", id, " is alive, but its vector has no row");
    vec::Sq8Terms terms;
    std::memcpy(&terms, node + layout_.terms_offset(), sizeof(terms));
    if (!std::isfinite(terms.scale) || !std::isfinite(terms.offset) || !std::isfinite(terms.sum)) {
      Report("node ", id, " has a code that is not finite");
    }
    const uint32_t level = graph_.Level(node);
    highest_ = std::max(highest_, level);
    if (level != 0 && level != LevelOf(id, meta_.options.seed, meta_.options.m)) {
      Report("node ", id, " is in level ", level, ", not in ", LevelOf(id, meta_.options.seed, meta_.options.m));
    }
    if (level > 0) CheckBlocks(id, node, level);
    const uint32_t count = Load<uint16_t>(node + layout_.count_offset());
    if (count > layout_.max_links(0)) Report("node ", id, " has ", count, " links");
    for (uint32_t l = 0; l <= level; ++l) CheckLinks(id, node, l);
  }

  void CheckBlocks(uint32_t id, const uint8_t* node, uint32_t level) {
    const uint32_t extent = layout_.ExtentOf(id);
    const uint32_t first = Load<uint32_t>(node + layout_.upper_offset());
    const uint8_t* upper = pages_.Page(layout_.FirstPageOfExtent(extent));
    const uint32_t used = upper == nullptr ? 0 : Load<uint32_t>(upper + format::kPageHeaderBytes);
    if (used > layout_.blocks_per_extent() || first + uint64_t{level} > used) {
      Report("node ", id, " has upper blocks from ", first, " of ", used);
      return;
    }
    const uint64_t begin = uint64_t{extent} * layout_.blocks_per_extent() + first;
    if (taken_.size() < begin + level) taken_.resize(begin + level);
    for (uint64_t block = begin; block < begin + level; ++block) {
      if (taken_[block]) Report("node ", id, " shares upper block ", block, " with another node");
      taken_[block] = true;
    }
  }

  void CheckLinks(uint32_t id, const uint8_t* node, uint32_t level) {
    const Links links = graph_.LinksOf(id, node, level);
    std::vector<uint32_t> ids;
    for (uint32_t i = 0; i < links.count; ++i) {
      const uint32_t target = links[i];
      ids.push_back(target);
      if (target == id) {
        Report("node ", id, " links to itself on level ", level);
      } else if (target >= meta_.node_count) {
        Report("node ", id, " links to node ", target, " of ", meta_.node_count, " on level ", level);
      } else if (const uint8_t* other = graph_.Node(target)) {
        if (!graph_.IsPresent(other)) Report("node ", id, " links to free slot ", target, " on level ", level);
        if (graph_.Level(other) < level) Report("node ", id, " links on level ", level, " to node ", target, ", which is not in it");
      }
    }
    std::sort(ids.begin(), ids.end());
    if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) Report("node ", id, " has a link twice on level ", level);
  }

  void CheckHeader() {
    if (present_ != meta_.present_count) Report("the header counts ", meta_.present_count, " nodes, there are ", present_);
    if (deleted_ != meta_.deleted_count) Report("the header counts ", meta_.deleted_count, " deleted nodes, there are ", deleted_);
    if (present_ > 0 && highest_ > meta_.entry.top_level) Report("a node is in level ", highest_, ", above the entry point's");
    if (meta_.entry.node == format::kNoNode) return;
    const uint8_t* entry = graph_.Node(meta_.entry.node);
    if (entry == nullptr) return;
    if (!graph_.IsPresent(entry)) Report("the entry point ", meta_.entry.node, " is a free slot");
    if (graph_.Level(entry) != meta_.entry.top_level) Report("the entry point is in level ", graph_.Level(entry), ", not in ", meta_.entry.top_level);
  }

  const GraphMeta& meta_;
  const format::HnswLayout layout_;
  const PagePointers pages_;
  const Graph<PagePointers> graph_;
  const pager::FileView& view_;
  const VectorSource* vectors_;
  std::vector<std::string> findings_;
  std::vector<bool> taken_;
  uint32_t present_ = 0, deleted_ = 0, highest_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> Check(const pager::FileView& view, const VectorSource* vectors,
                                               const std::function<absl::Status()>& check) {
  TURDB_ASSIGN_OR_RETURN(const GraphMeta meta, ReadMeta(view));
  Checker checker(view, meta, vectors);
  return checker.Run(check);
}

}  // namespace turdb::hnsw
