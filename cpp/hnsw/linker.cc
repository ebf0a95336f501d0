#include "hnsw/linker.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "vec/kernels.h"

namespace turdb::hnsw {

namespace {

constexpr uint32_t kNoBlock = 0xffffffff;
constexpr uint32_t kMatesAtOnce = 128;  // keys of a call, so that the lists stay in L1

void StoreLinks(const std::vector<uint32_t>& links, uint8_t* to) {
  if (!links.empty()) std::memcpy(to, links.data(), links.size() * sizeof(uint32_t));
}

bool IsNearer(const Candidate& a, const Candidate& b) { return a.key < b.key || (a.key == b.key && a.id < b.id); }

}  // namespace

void LinkChooser::Prepare(uint32_t max_links, uint32_t padded_dim) {
  codes_.resize(size_t{max_links} * padded_dim);
  queries_.resize(max_links);
}

template <class Pages>
void LinkChooser::Choose(const Graph<Pages>& graph, const vec::Sq8Codec& codec,
                         const std::vector<Candidate>& candidates, uint32_t max, std::vector<uint32_t>* chosen) {
  const vec::Kernels& kernels = vec::ActiveKernels();
  const uint32_t padded_dim = codec.padded_dim();
  chosen->clear();
  for (const Candidate& candidate : candidates) {
    if (chosen->size() == max) break;
    const uint8_t* node = graph.Node(candidate.id);
    if (node == nullptr) continue;
    bool is_kept = true;
    for (size_t i = 0; i < chosen->size() && is_kept; ++i) is_kept = !(kernels.sq8_key(queries_[i], node) < candidate.key);
    if (!is_kept) continue;
    const size_t at = chosen->size();
    vec::Sq8Terms terms;
    std::memcpy(&terms, node + padded_dim, sizeof(terms));
    queries_[at] = codec.QueryOfCode(terms, node, codes_.data() + at * padded_dim);
    chosen->push_back(candidate.id);
  }
}

template <class Pages>
absl::Status WriteLinks(const Graph<Pages>& graph, const LinkList& list, PageEdit* edit) {
  const format::HnswLayout& layout = graph.layout();
  const auto count = static_cast<uint32_t>(list.links.size());
  uint32_t offset;
  const uint32_t node_page = layout.PageOf(list.node, &offset);
  if (list.level == 0) {
    TURDB_ASSIGN_OR_RETURN(uint8_t* page, edit->Page(node_page));
    uint8_t* node = page + offset;
    Store<uint16_t>(node + layout.count_offset(), static_cast<uint16_t>(count));
    StoreLinks(list.links, node + layout.links_offset());
    return absl::OkStatus();
  }
  const uint8_t* node = graph.Node(list.node);
  const uint32_t block = node == nullptr ? kNoBlock : Load<uint32_t>(node + layout.upper_offset()) + list.level - 1;
  if (block >= layout.blocks_per_extent()) {
    return CorruptionError("vector index: node ", list.node, " has no links on level ", list.level);
  }
  const uint32_t upper_page = layout.PageOfBlock(layout.ExtentOf(list.node), block, &offset);
  TURDB_ASSIGN_OR_RETURN(uint8_t* page, edit->Page(upper_page));
  Store<uint32_t>(page + offset, count);
  StoreLinks(list.links, page + offset + 4);
  return absl::OkStatus();
}

template <class Pages>
Linker<Pages>::Linker(const Graph<Pages>* graph, const vec::Sq8Codec* codec, uint32_t ef_construction, Entry entry,
                      PageEdit* edit, Workers* workers)
    : graph_(graph), codec_(codec), ef_construction_(ef_construction), entry_(entry), edit_(edit), workers_(workers),
      states_(workers->count()) {
  const format::HnswLayout& layout = graph->layout();
  for (WorkerState& state : states_) {
    state.scratch.Prepare(std::max(2 * layout.m(), kMatesAtOnce), layout.dim(), layout.padded_dim());
    state.chooser.Prepare(2 * layout.m(), layout.padded_dim());
    state.node_codes.resize(layout.padded_dim());
  }
}

template <class Pages>
uint32_t Linker<Pages>::BatchSize(uint32_t present) {
  // Keys within a batch are all computed, so a batch costs its square: at 1,024 about a tenth of a search a
  // node. Small graphs take small batches, lest that be most of the work.
  return std::clamp(present / 4, 64u, 1024u);
}

template <class Pages>
vec::Sq8Query Linker<Pages>::QueryOf(const uint8_t* node, WorkerState* state) const {
  vec::Sq8Terms terms;
  std::memcpy(&terms, node + codec_->padded_dim(), sizeof(terms));
  return codec_->QueryOfCode(terms, node, state->node_codes.data());
}

// Offers the other new nodes of a level to the pool.
template <class Pages>
void Linker<Pages>::AddBatchMates(const std::vector<uint32_t>& nodes, uint32_t index, uint32_t level,
                                  const vec::Sq8Query& query, WorkerState* state) {
  SearchScratch& scratch = state->scratch;
  const vec::Kernels& kernels = vec::ActiveKernels();
  NeighbourBatch& batch = scratch.batches[0];
  uint32_t n = 0;
  const auto flush = [&] {
    kernels.sq8_keys(query, batch.nodes.data(), n, batch.keys.data());
    for (uint32_t i = 0; i < n; ++i) scratch.pool.Insert(batch.keys[i], batch.ids[i]);
    n = 0;
  };
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    if (i == index) continue;
    const uint8_t* mate = graph_->Node(nodes[i]);
    if (mate == nullptr || graph_->Level(mate) < level) continue;
    batch.ids[n] = nodes[i];
    batch.nodes[n] = mate;
    if (++n == kMatesAtOnce) flush();
  }
  flush();
}

template <class Pages>
void Linker<Pages>::ChooseFor(uint32_t node, uint32_t level, WorkerState* state, NewNode* result) {
  const CandidatePool& pool = state->scratch.pool;
  state->candidates.clear();
  for (uint32_t i = 0; i < pool.size(); ++i) {
    if (pool.id(i) != node) state->candidates.push_back({pool.key(i), pool.id(i)});
  }
  LinkList& list = result->lists.emplace_back();
  list.node = node;
  list.level = level;
  state->chooser.Choose(*graph_, *codec_, state->candidates, graph_->layout().m(), &list.links);
  size_t at = 0;
  for (const uint32_t target : list.links) {
    while (state->candidates[at].id != target) ++at;
    result->edges.push_back({uint64_t{level} << 32 | target, state->candidates[at].key, node});
  }
}

template <class Pages>
void Linker<Pages>::FindLinks(const std::vector<uint32_t>& nodes, uint32_t index, int worker) {
  WorkerState& state = states_[worker];
  SearchScratch& scratch = state.scratch;
  NewNode& result = results_[index];
  result.lists.clear();
  result.edges.clear();
  const uint8_t* node = graph_->Node(nodes[index]);
  if (node == nullptr) {
    scratch.hit_damage = true;
    return;
  }
  const vec::Sq8Query query = QueryOf(node, &state);
  const uint32_t level = graph_->Level(node);
  Candidate at{0, format::kNoNode};
  if (entry_.node != format::kNoNode) at = Descend(*graph_, query, entry_, level, &scratch);
  for (int l = static_cast<int>(level); l >= 0; --l) {
    scratch.pool.Reset(ef_construction_);
    if (at.id != format::kNoNode && l <= static_cast<int>(entry_.top_level)) {
      scratch.visited.Reset(graph_->node_count());
      scratch.visited.Add(at.id);
      scratch.pool.Insert(at.key, at.id);
      SearchLevel(*graph_, query, l, &scratch);
      if (scratch.pool.size() > 0) at = {scratch.pool.key(0), scratch.pool.id(0)};
    }
    AddBatchMates(nodes, index, l, query, &state);
    ChooseFor(nodes[index], l, &state, &result);
  }
}

template <class Pages>
LinkList Linker<Pages>::ChooseList(uint32_t node, uint32_t level, WorkerState* state) {
  std::sort(state->candidates.begin(), state->candidates.end(), IsNearer);
  LinkList list;
  list.node = node;
  list.level = level;
  state->chooser.Choose(*graph_, *codec_, state->candidates, graph_->layout().max_links(level), &list.links);
  return list;
}

// The list of one target with the edges that point to it from new nodes.
template <class Pages>
LinkList Linker<Pages>::Merge(const Edge* begin, const Edge* end, int worker) {
  WorkerState& state = states_[worker];
  const auto target = static_cast<uint32_t>(begin->list);
  const auto level = static_cast<uint32_t>(begin->list >> 32);
  LinkList list;
  list.node = target;
  list.level = level;
  const uint8_t* node = graph_->Node(target);
  if (node == nullptr) {
    state.scratch.hit_damage = true;
    return list;
  }
  const Links old = graph_->LinksOf(target, node, level);
  for (uint32_t i = 0; i < old.count; ++i) {
    if (old[i] < graph_->node_count()) list.links.push_back(old[i]);
  }
  const size_t old_count = list.links.size();
  state.candidates.clear();
  for (const Edge* edge = begin; edge < end; ++edge) {
    const auto old_end = list.links.begin() + static_cast<ptrdiff_t>(old_count);
    if (std::find(list.links.begin(), old_end, edge->source) != old_end) continue;
    list.links.push_back(edge->source);
    state.candidates.push_back({edge->key, edge->source});
  }
  if (list.links.size() <= graph_->layout().max_links(level)) return list;
  const vec::Sq8Query query = QueryOf(node, &state);
  for (size_t i = 0; i < old_count; ++i) {
    state.candidates.push_back({KeyOf(*graph_, query, list.links[i], &state.scratch), list.links[i]});
  }
  return ChooseList(target, level, &state);
}

template <class Pages>
LinkList Linker<Pages>::Rebuild(uint32_t node, uint32_t level, std::vector<uint32_t> candidates, int worker) {
  WorkerState& state = states_[worker];
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  state.candidates.clear();
  const uint8_t* at = graph_->Node(node);
  if (at == nullptr) return {node, level, {}};
  const vec::Sq8Query query = QueryOf(at, &state);
  for (const uint32_t id : candidates) {
    if (id != node) state.candidates.push_back({KeyOf(*graph_, query, id, &state.scratch), id});
  }
  return ChooseList(node, level, &state);
}

template <class Pages>
std::vector<uint32_t> Linker<Pages>::Nearest(uint32_t node, uint32_t count, int worker) {
  WorkerState& state = states_[worker];
  SearchScratch& scratch = state.scratch;
  std::vector<uint32_t> nearest;
  const uint8_t* bytes = graph_->Node(node);
  if (bytes == nullptr || entry_.node == format::kNoNode) return nearest;
  const vec::Sq8Query query = QueryOf(bytes, &state);
  // From the entry on level 0: the upper levels could lead to where level 0 does not.
  scratch.pool.Reset(std::max(ef_construction_, count));
  scratch.visited.Reset(graph_->node_count());
  scratch.visited.Add(entry_.node);
  scratch.pool.Insert(KeyOf(*graph_, query, entry_.node, &scratch), entry_.node);
  SearchLevel(*graph_, query, 0, &scratch);
  for (uint32_t i = 0; i < scratch.pool.size() && nearest.size() < count; ++i) {
    if (scratch.pool.id(i) != node) nearest.push_back(scratch.pool.id(i));
  }
  return nearest;
}

template <class Pages>
bool Linker<Pages>::IsAsNearAsLinks(uint32_t node, uint32_t other) {
  WorkerState& state = states_[0];
  const uint8_t* bytes = graph_->Node(node);
  if (bytes == nullptr) return false;
  const vec::Sq8Query query = QueryOf(bytes, &state);
  const Links links = graph_->BaseLinks(bytes);
  float farthest = -std::numeric_limits<float>::infinity();
  for (uint32_t i = 0; i < links.count; ++i) farthest = std::max(farthest, KeyOf(*graph_, query, links[i], &state.scratch));
  return KeyOf(*graph_, query, other, &state.scratch) <= farthest;
}

template <class Pages>
absl::Status Linker<Pages>::DamageError() const {
  for (const WorkerState& state : states_) {
    if (state.scratch.hit_damage) return CorruptionError("vector index: a page of the graph cannot be read");
  }
  return absl::OkStatus();
}

template <class Pages>
absl::Status Linker<Pages>::Insert(const std::vector<uint32_t>& nodes) {
  if (results_.size() < nodes.size()) results_.resize(nodes.size());
  TURDB_RETURN_IF_ERROR(workers_->ForEach(static_cast<uint32_t>(nodes.size()), 4,
                                          [&](uint32_t index, int worker) { FindLinks(nodes, index, worker); }));
  TURDB_RETURN_IF_ERROR(DamageError());
  edges_.clear();
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const LinkList& list : results_[i].lists) TURDB_RETURN_IF_ERROR(WriteLinks(*graph_, list, edit_));
    edges_.insert(edges_.end(), results_[i].edges.begin(), results_[i].edges.end());
  }
  std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) {
    return a.list != b.list ? a.list < b.list : a.source < b.source;
  });
  groups_.clear();
  for (uint32_t i = 0; i < edges_.size(); ++i) {
    if (i == 0 || edges_[i].list != edges_[i - 1].list) groups_.push_back(i);
  }
  const auto group_count = static_cast<uint32_t>(groups_.size());
  groups_.push_back(static_cast<uint32_t>(edges_.size()));
  merged_.resize(std::max<size_t>(merged_.size(), group_count));
  TURDB_RETURN_IF_ERROR(workers_->ForEach(group_count, 16, [&](uint32_t i, int worker) {
    merged_[i] = Merge(edges_.data() + groups_[i], edges_.data() + groups_[i + 1], worker);
  }));
  TURDB_RETURN_IF_ERROR(DamageError());
  for (uint32_t i = 0; i < group_count; ++i) TURDB_RETURN_IF_ERROR(WriteLinks(*graph_, merged_[i], edit_));
  for (const uint32_t id : nodes) {
    const uint32_t level = graph_->Level(graph_->Node(id));
    if (entry_.node == format::kNoNode || level > entry_.top_level) entry_ = {id, level};
  }
  return absl::OkStatus();
}

template class Linker<FlatPages>;
template class Linker<PagePointers>;
template absl::Status WriteLinks(const Graph<FlatPages>&, const LinkList&, PageEdit*);
template absl::Status WriteLinks(const Graph<PagePointers>&, const LinkList&, PageEdit*);

}  // namespace turdb::hnsw
