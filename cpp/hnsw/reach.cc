#include "hnsw/reach.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::hnsw {
namespace {

// Nodes to try as the one that links to an island, before the next pass.
constexpr uint32_t kNeighboursTried = 64;
constexpr int kPasses = 4;

template <class Pages>
class Walk {
 public:
  explicit Walk(const Graph<Pages>& graph) : graph_(graph), is_reached_(graph.node_count()) {}

  void From(uint32_t start) {
    if (start >= graph_.node_count() || is_reached_[start]) return;
    is_reached_[start] = true;
    stack_.push_back(start);
    while (!stack_.empty()) {
      const uint32_t id = stack_.back();
      stack_.pop_back();
      const uint8_t* node = graph_.Node(id);
      if (node == nullptr) continue;
      const Links links = graph_.BaseLinks(node);
      for (uint32_t i = 0; i < links.count; ++i) {
        const uint32_t next = links[i];
        if (next >= graph_.node_count() || is_reached_[next]) continue;
        is_reached_[next] = true;
        stack_.push_back(next);
      }
    }
  }
  bool IsReached(uint32_t id) const { return is_reached_[id]; }

 private:
  const Graph<Pages>& graph_;
  std::vector<bool> is_reached_;
  std::vector<uint32_t> stack_;
};

template <class Pages>
std::vector<uint32_t> NotReached(const Graph<Pages>& graph, const Walk<Pages>& walk) {
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < graph.node_count(); ++id) {
    if (walk.IsReached(id)) continue;
    const uint8_t* node = graph.Node(id);
    if (node != nullptr && graph.IsPresent(node)) ids.push_back(id);
  }
  return ids;
}

template <class Pages>
std::vector<uint32_t> ListOf(const Graph<Pages>& graph, uint32_t id) {
  std::vector<uint32_t> list;
  const uint8_t* node = graph.Node(id);
  if (node == nullptr) return list;
  const Links links = graph.BaseLinks(node);
  for (uint32_t i = 0; i < links.count; ++i) {
    if (links[i] < graph.node_count()) list.push_back(links[i]);
  }
  return list;
}

// The link of `host` to give up for an island: the farthest neighbour (lists are nearest first) that other
// reachable nodes near by link to as well; past the last pass's scruples, simply the last.
template <class Pages>
size_t Dispensable(const Graph<Pages>& graph, uint32_t host, const std::vector<uint32_t>& list, bool is_scrupulous) {
  for (size_t i = list.size(); i-- > 0;) {
    uint32_t others = 0;
    for (const uint32_t neighbour : list) {
      const std::vector<uint32_t> theirs = ListOf(graph, neighbour);
      others += std::find(theirs.begin(), theirs.end(), list[i]) != theirs.end();
    }
    if (others > 0) return i;
  }
  return is_scrupulous || list.empty() ? list.size() : list.size() - 1;
}

template <class Pages>
class Repair {
 public:
  Repair(const Graph<Pages>& graph, const Walk<Pages>& walk, int pass, Linker<Pages>* linker, PageEdit* edit)
      : graph_(graph), walk_(walk), pass_(pass), linker_(linker), edit_(edit) {}

  // Makes one reachable node close to `island` link to it. False when none could.
  absl::StatusOr<bool> LinkIn(uint32_t island) {
    // Cheap places first. Where many vectors are the same, the islands are, and one linked in before has room.
    std::vector<uint32_t> hosts = ListOf(graph_, island);
    hosts.insert(hosts.end(), recent_.rbegin(), recent_.rend());
    TURDB_ASSIGN_OR_RETURN(bool is_linked, LinkFrom(hosts, island, false));
    if (!is_linked) {
      hosts = linker_->Nearest(island, kNeighboursTried, 0);
      TURDB_ASSIGN_OR_RETURN(is_linked, LinkFrom(hosts, island, false));
    }
    if (!is_linked) {
      TURDB_ASSIGN_OR_RETURN(is_linked, LinkFrom(hosts, island, true));
    }
    if (is_linked) {
      if (recent_.size() == kRecent) recent_.erase(recent_.begin());
      recent_.push_back(island);
    }
    return is_linked;
  }

 private:
  static constexpr size_t kRecent = 4;

  absl::StatusOr<bool> LinkFrom(const std::vector<uint32_t>& hosts, uint32_t island, bool may_replace) {
    for (const uint32_t host : hosts) {
      if (host == island || !walk_.IsReached(host)) continue;
      const bool is_recent = std::find(recent_.begin(), recent_.end(), host) != recent_.end();
      if (is_recent && !linker_->IsAsNearAsLinks(island, host)) continue;
      LinkList list{host, 0, ListOf(graph_, host)};
      if (list.links.size() >= graph_.layout().max_links(0)) {
        if (!may_replace) continue;
        const size_t at = Dispensable(graph_, host, list.links, pass_ + 1 < kPasses);
        if (at == list.links.size()) continue;
        list.links.erase(list.links.begin() + static_cast<ptrdiff_t>(at));
      }
      list.links.push_back(island);
      TURDB_RETURN_IF_ERROR(WriteLinks(graph_, list, edit_));
      return true;
    }
    return false;
  }

  const Graph<Pages>& graph_;
  const Walk<Pages>& walk_;
  const int pass_;
  Linker<Pages>* linker_;
  PageEdit* edit_;
  std::vector<uint32_t> recent_;  // islands linked in last
};

}  // namespace

template <class Pages>
std::vector<uint32_t> FindUnreachable(const Graph<Pages>& graph, Entry entry) {
  Walk<Pages> walk(graph);
  if (entry.node != format::kNoNode) walk.From(entry.node);
  return NotReached(graph, walk);
}

template <class Pages>
absl::Status EnsureReachable(const Graph<Pages>& graph, Linker<Pages>* linker, PageEdit* edit, uint32_t* left) {
  *left = 0;
  if (linker->entry().node == format::kNoNode) return absl::OkStatus();
  for (int pass = 0; pass <= kPasses; ++pass) {
    Walk<Pages> walk(graph);
    walk.From(linker->entry().node);
    const std::vector<uint32_t> islands = NotReached(graph, walk);
    *left = static_cast<uint32_t>(islands.size());
    if (islands.empty() || pass == kPasses) break;
    Repair<Pages> repair(graph, walk, pass, linker, edit);
    for (const uint32_t island : islands) {
      if (walk.IsReached(island)) continue;  // another island brought it along
      TURDB_ASSIGN_OR_RETURN(const bool is_linked, repair.LinkIn(island));
      if (is_linked) walk.From(island);
    }
  }
  return absl::OkStatus();
}

template std::vector<uint32_t> FindUnreachable(const Graph<FlatPages>&, Entry);
template std::vector<uint32_t> FindUnreachable(const Graph<PagePointers>&, Entry);
template absl::Status EnsureReachable(const Graph<FlatPages>&, Linker<FlatPages>*, PageEdit*, uint32_t*);
template absl::Status EnsureReachable(const Graph<PagePointers>&, Linker<PagePointers>*, PageEdit*, uint32_t*);

}  // namespace turdb::hnsw
