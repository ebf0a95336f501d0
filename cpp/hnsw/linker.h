// Linker: puts batches of nodes into a graph, in parallel and with the same result for any number of threads.
//
// A batch is linked in two steps (as ParlayANN does, PPoPP 2024), each of which only reads the graph:
//   1. for every new node, search the graph as it was before the batch, add the other new nodes by
//      computing all keys within the batch, and choose its links by the heuristic;
//   2. group the edges by target, and for every target choose its links anew from its old and new ones.
// After each step the lists are written, by one thread. So no node is locked, a reader of the pages before
// a step is never disturbed, and near-duplicates that arrive together find each other.
// REQUIRES of a new node: its codes, terms, level and flags are written and its lists are empty.
// One Linker works at a time on a graph.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hnsw/graph.h"
#include "hnsw/scratch.h"
#include "hnsw/traverse.h"
#include "hnsw/workers.h"
#include "vec/sq8.h"

namespace turdb::hnsw {

// Where changed pages are written.
class PageEdit {
 public:
  virtual ~PageEdit() = default;
  // Writable bytes of a page; what Pages::Page(id) gives shows the change.
  virtual absl::StatusOr<uint8_t*> Page(uint32_t id) = 0;
};

// What chooses a node's links; a worker's own memory.
class LinkChooser {
 public:
  void Prepare(uint32_t max_links, uint32_t padded_dim);
  // Of candidates, nearest first, keeps those that are nearer to the node than to any kept before
  // (Malkov & Yashunin 2016, algorithm 4), at most `max`.
  template <class Pages>
  void Choose(const Graph<Pages>& graph, const vec::Sq8Codec& codec, const std::vector<Candidate>& candidates,
              uint32_t max, std::vector<uint32_t>* chosen);

 private:
  std::vector<int8_t> codes_;
  std::vector<vec::Sq8Query> queries_;
};

// New links of one list.
struct LinkList {
  uint32_t node = 0;
  uint32_t level = 0;
  std::vector<uint32_t> links;
};

template <class Pages>
absl::Status WriteLinks(const Graph<Pages>& graph, const LinkList& list, PageEdit* edit);

template <class Pages>
class Linker {
 public:
  Linker(const Graph<Pages>* graph, const vec::Sq8Codec* codec, uint32_t ef_construction, Entry entry, PageEdit* edit,
         Workers* workers);

  // Links new nodes in. CorruptionError when a page of the graph cannot be read.
  absl::Status Insert(const std::vector<uint32_t>& nodes);
  // Given a node and candidates for its list, chooses and returns the list. For vacuum and repair. Worker-safe.
  LinkList Rebuild(uint32_t node, uint32_t level, std::vector<uint32_t> candidates, int worker);
  // The `count` nodes nearest to a node that a walk over level 0 from the entry finds, nearest first.
  std::vector<uint32_t> Nearest(uint32_t node, uint32_t count, int worker);
  // Whether `other` is no farther from a node than the farthest of its links on level 0.
  bool IsAsNearAsLinks(uint32_t node, uint32_t other);

  Entry entry() const { return entry_; }
  void set_entry(Entry entry) { entry_ = entry; }
  // How large a batch may be when the graph has this many nodes.
  static uint32_t BatchSize(uint32_t present);

 private:
  struct WorkerState {
    SearchScratch scratch;
    LinkChooser chooser;
    std::vector<Candidate> candidates;
    std::vector<int8_t> node_codes;
  };
  struct Edge {
    uint64_t list;  // level << 32 | target
    float key;
    uint32_t source;
  };
  struct NewNode {
    std::vector<LinkList> lists;
    std::vector<Edge> edges;
  };

  vec::Sq8Query QueryOf(const uint8_t* node, WorkerState* state) const;
  void FindLinks(const std::vector<uint32_t>& nodes, uint32_t index, int worker);
  void AddBatchMates(const std::vector<uint32_t>& nodes, uint32_t index, uint32_t level, const vec::Sq8Query& query,
                     WorkerState* state);
  void ChooseFor(uint32_t node, uint32_t level, WorkerState* state, NewNode* result);
  LinkList Merge(const Edge* begin, const Edge* end, int worker);
  LinkList ChooseList(uint32_t node, uint32_t level, WorkerState* state);
  absl::Status DamageError() const;

  const Graph<Pages>* graph_;
  const vec::Sq8Codec* codec_;
  uint32_t ef_construction_;
  Entry entry_;
  PageEdit* edit_;
  Workers* workers_;
  std::vector<WorkerState> states_;
  std::vector<NewNode> results_;
  std::vector<Edge> edges_;
  std::vector<uint32_t> groups_;
  std::vector<LinkList> merged_;
};

}  // namespace turdb::hnsw
