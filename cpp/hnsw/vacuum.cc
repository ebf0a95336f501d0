#include "hnsw/vacuum.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "hnsw/file_edit.h"
#include "hnsw/reach.h"
#include "hnsw/workers.h"

namespace turdb::hnsw {

namespace {

using FileGraph = Graph<PagePointers>;

constexpr uint32_t kNodesAtOnce = 4096;  // between two calls of progress
// Nodes looked at behind a deleted one. A whole deleted region is crossed up to this far.
constexpr size_t kMostReplacements = 256;

class Sweep {
 public:
  Sweep(FileEdit* edit, const vec::Sq8Codec* codec, int threads)
      : edit_(edit), graph_(edit->graph()), workers_(std::max(threads, 1)),
        linker_(&graph_, codec, edit->meta().options.ef_construction, edit->meta().entry, edit, &workers_) {}

  absl::StatusOr<uint32_t> Run(const Progress& progress) {
    TURDB_RETURN_IF_ERROR(FindDeleted());
    for (uint32_t first = 0; first < graph_.node_count(); first += kNodesAtOnce) {
      if (progress) TURDB_RETURN_IF_ERROR(progress(first, graph_.node_count()));
      TURDB_RETURN_IF_ERROR(RepairRange(first, std::min(kNodesAtOnce, graph_.node_count() - first)));
    }
    TURDB_RETURN_IF_ERROR(MoveEntry());
    const auto dropped = static_cast<uint32_t>(deleted_.size());
    TURDB_RETURN_IF_ERROR(Drop());
    uint32_t left;
    TURDB_RETURN_IF_ERROR(EnsureReachable(graph_, &linker_, edit_, &left));
    edit_->meta().unrepaired_count = 0;
    if (progress) TURDB_RETURN_IF_ERROR(progress(graph_.node_count(), graph_.node_count()));
    return dropped;
  }

 private:
  absl::Status FindDeleted() {
    for (uint32_t id = 0; id < graph_.node_count(); ++id) {
      const uint8_t* node = graph_.Node(id);
      if (node == nullptr) return CorruptionError("vector index '", edit_->view().path(), "': node ", id, " cannot be read");
      if (graph_.IsPresent(node) && !graph_.IsAlive(node)) deleted_.push_back(id);
    }
    return absl::OkStatus();
  }
  bool IsAlive(uint32_t id) const {
    const uint8_t* node = id < graph_.node_count() ? graph_.Node(id) : nullptr;
    return node != nullptr && graph_.IsAlive(node);
  }

  // The alive neighbours of a node, and for deleted ones the alive nodes behind them. Nothing when no neighbour
  // is deleted.
  std::optional<std::vector<uint32_t>> Replacements(uint32_t id, uint32_t level) const {
    const Links links = graph_.LinksOf(id, graph_.Node(id), level);
    std::vector<uint32_t> alive, dead;
    for (uint32_t i = 0; i < links.count; ++i) (IsAlive(links[i]) ? alive : dead).push_back(links[i]);
    if (dead.empty()) return std::nullopt;
    for (size_t at = 0; at < dead.size() && alive.size() < kMostReplacements; ++at) {
      const uint8_t* node = dead[at] < graph_.node_count() ? graph_.Node(dead[at]) : nullptr;
      if (node == nullptr) continue;
      const Links behind = graph_.LinksOf(dead[at], node, level);
      for (uint32_t i = 0; i < behind.count; ++i) {
        if (behind[i] == id) continue;
        if (IsAlive(behind[i])) {
          alive.push_back(behind[i]);
        } else if (dead.size() < kMostReplacements && std::find(dead.begin(), dead.end(), behind[i]) == dead.end()) {
          dead.push_back(behind[i]);
        }
      }
    }
    return alive;
  }

  absl::Status RepairRange(uint32_t first, uint32_t count) {
    std::vector<std::vector<LinkList>> lists(count);
    TURDB_RETURN_IF_ERROR(workers_.ForEach(count, 16, [&](uint32_t i, int worker) {
      const uint32_t id = first + i;
      if (!IsAlive(id)) return;
      const uint32_t top = graph_.Level(graph_.Node(id));
      for (uint32_t level = 0; level <= top; ++level) {
        auto candidates = Replacements(id, level);
        if (candidates) lists[i].push_back(linker_.Rebuild(id, level, std::move(*candidates), worker));
      }
    }));
    for (const std::vector<LinkList>& of_node : lists) {
      for (const LinkList& list : of_node) TURDB_RETURN_IF_ERROR(WriteLinks(graph_, list, edit_));
    }
    return absl::OkStatus();
  }

  absl::Status MoveEntry() {
    if (IsAlive(edit_->meta().entry.node)) return absl::OkStatus();
    Entry best;
    for (uint32_t id = 0; id < graph_.node_count(); ++id) {
      if (!IsAlive(id)) continue;
      const uint32_t level = graph_.Level(graph_.Node(id));
      if (best.node == format::kNoNode || level > best.top_level) best = {id, level};
    }
    edit_->meta().entry = best;
    linker_.set_entry(best);
    return absl::OkStatus();
  }

  absl::Status Drop() {
    for (const uint32_t id : deleted_) {
      const uint32_t top = graph_.Level(graph_.Node(id));
      for (uint32_t level = 0; level <= top; ++level) TURDB_RETURN_IF_ERROR(WriteLinks(graph_, LinkList{id, level, {}}, edit_));
      TURDB_ASSIGN_OR_RETURN(uint8_t* node, edit_->Node(id));
      node[edit_->layout().flags_offset()] = 0;
    }
    edit_->meta().present_count -= std::min(edit_->meta().present_count, static_cast<uint32_t>(deleted_.size()));
    edit_->meta().deleted_count = 0;
    return absl::OkStatus();
  }

  FileEdit* edit_;
  FileGraph& graph_;
  Workers workers_;
  Linker<PagePointers> linker_;
  std::vector<uint32_t> deleted_;
};

}  // namespace

absl::StatusOr<uint32_t> Vacuum(int threads, const Progress& progress, pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(const std::unique_ptr<FileEdit> edit, FileEdit::Open(writer));
  if (edit->meta().deleted_count == 0) return 0u;
  TURDB_ASSIGN_OR_RETURN(const vec::Sq8Codec codec, ReadCodec(edit->view(), edit->meta()));
  Sweep sweep(edit.get(), &codec, threads);
  TURDB_ASSIGN_OR_RETURN(const uint32_t dropped, sweep.Run(progress));
  TURDB_RETURN_IF_ERROR(edit->Finish());
  return dropped;
}

}  // namespace turdb::hnsw
