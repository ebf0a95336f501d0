#include "hnsw/reach.h"

#include <algorithm>

#include "base/status_macros.h"

namespace turdb::hnsw {
namespace {

// Nodes to try as the one that links to an island, before all others.
constexpr uint32_t kNeighboursTried = 64;

// What is reached from where it began, and by which links: they are a tree. Who keeps those links loses no node.
template <class Pages>
class Walk {
 public:
  explicit Walk(const Graph<Pages>& graph) : graph_(graph), parent_(graph.node_count(), kNotReached) {}

  // `host` links to `start`; where a walk begins, it is its own host.
  void From(uint32_t start, uint32_t host) {
    if (start >= graph_.node_count() || IsReached(start)) return;
    parent_[start] = host;
    stack_.push_back(start);
    while (!stack_.empty()) {
      const uint32_t id = stack_.back();
      stack_.pop_back();
      const uint8_t* node = graph_.Node(id);
      if (node == nullptr) continue;
      const Links links = graph_.BaseLinks(node);
      for (uint32_t i = 0; i < links.count; ++i) {
        const uint32_t next = links[i];
        if (next >= graph_.node_count() || IsReached(next)) continue;
        parent_[next] = id;
        stack_.push_back(next);
      }
    }
  }
  bool IsReached(uint32_t id) const { return parent_[id] != kNotReached; }
  bool IsReachedBy(uint32_t host, uint32_t id) const { return parent_[id] == host; }

 private:
  static constexpr uint32_t kNotReached = format::kNoNode;

  const Graph<Pages>& graph_;
  std::vector<uint32_t> parent_;
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

// The link of `host` to give up for an island: none by which a node is reached. The farthest neighbour (lists are nearest
// first) that others near by link to as well, or else the farthest.
template <class Pages>
size_t Dispensable(const Graph<Pages>& graph, const Walk<Pages>& walk, uint32_t host, const std::vector<uint32_t>& list) {
  size_t farthest = list.size();
  for (size_t i = list.size(); i-- > 0;) {
    if (walk.IsReachedBy(host, list[i])) continue;
    if (farthest == list.size()) farthest = i;
    for (const uint32_t neighbour : list) {
      const std::vector<uint32_t> theirs = ListOf(graph, neighbour);
      if (std::find(theirs.begin(), theirs.end(), list[i]) != theirs.end()) return i;
    }
  }
  return farthest;
}

template <class Pages>
class Repair {
 public:
  Repair(const Graph<Pages>& graph, Walk<Pages>* walk, Linker<Pages>* linker, PageEdit* edit)
      : graph_(graph), walk_(walk), linker_(linker), edit_(edit) {}

  // Makes one reachable node, close to `island` if one has a link to give away, link to it. Some node has: fewer links
  // than nodes are needed to reach them. False only in a graph whose pages cannot be read.
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
    if (!is_linked) {
      TURDB_ASSIGN_OR_RETURN(is_linked, LinkFromAnywhere(island));
    }
    if (is_linked) {
      if (recent_.size() == kRecent) recent_.erase(recent_.begin());
      recent_.push_back(island);
    }
    return is_linked;
  }

 private:
  static constexpr size_t kRecent = 4;

  absl::StatusOr<bool> LinkFromAnywhere(uint32_t island) {
    for (uint32_t i = 0; i < graph_.node_count(); ++i) {
      next_host_ = (next_host_ + 1) % graph_.node_count();  // those before had none to give away
      TURDB_ASSIGN_OR_RETURN(const bool is_linked, LinkFrom({next_host_}, island, true));
      if (is_linked) return true;
    }
    return false;
  }

  absl::StatusOr<bool> LinkFrom(const std::vector<uint32_t>& hosts, uint32_t island, bool may_replace) {
    for (const uint32_t host : hosts) {
      if (host == island || !walk_->IsReached(host)) continue;
      const bool is_recent = std::find(recent_.begin(), recent_.end(), host) != recent_.end();
      if (is_recent && !linker_->IsAsNearAsLinks(island, host)) continue;
      LinkList list{host, 0, ListOf(graph_, host)};
      if (list.links.size() >= graph_.layout().max_links(0)) {
        if (!may_replace) continue;
        const size_t at = Dispensable(graph_, *walk_, host, list.links);
        if (at == list.links.size()) continue;
        list.links.erase(list.links.begin() + static_cast<ptrdiff_t>(at));
      }
      list.links.push_back(island);
      TURDB_RETURN_IF_ERROR(WriteLinks(graph_, list, edit_));
      walk_->From(island, host);
      return true;
    }
    return false;
  }

  const Graph<Pages>& graph_;
  Walk<Pages>* const walk_;
  Linker<Pages>* linker_;
  PageEdit* edit_;
  std::vector<uint32_t> recent_;  // islands linked in last
  uint32_t next_host_ = 0;
};

}  // namespace

template <class Pages>
std::vector<uint32_t> FindUnreachable(const Graph<Pages>& graph, Entry entry) {
  Walk<Pages> walk(graph);
  if (entry.node != format::kNoNode) walk.From(entry.node, entry.node);
  return NotReached(graph, walk);
}

template <class Pages>
absl::Status EnsureReachable(const Graph<Pages>& graph, Linker<Pages>* linker, PageEdit* edit, uint32_t* left) {
  *left = 0;
  const uint32_t entry = linker->entry().node;
  if (entry == format::kNoNode) return absl::OkStatus();
  Walk<Pages> walk(graph);
  walk.From(entry, entry);
  Repair<Pages> repair(graph, &walk, linker, edit);
  for (const uint32_t island : NotReached(graph, walk)) {
    if (walk.IsReached(island)) continue;  // another island brought it along
    TURDB_ASSIGN_OR_RETURN(const bool is_linked, repair.LinkIn(island));
    *left += !is_linked;
  }
  return absl::OkStatus();
}

template std::vector<uint32_t> FindUnreachable(const Graph<FlatPages>&, Entry);
template std::vector<uint32_t> FindUnreachable(const Graph<PagePointers>&, Entry);
template absl::Status EnsureReachable(const Graph<FlatPages>&, Linker<FlatPages>*, PageEdit*, uint32_t*);
template absl::Status EnsureReachable(const Graph<PagePointers>&, Linker<PagePointers>*, PageEdit*, uint32_t*);

}  // namespace turdb::hnsw
