#include "hnsw/insert.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "hnsw/file_edit.h"
#include "hnsw/linker.h"
#include "hnsw/nodes.h"
#include "hnsw/reach.h"
#include "hnsw/workers.h"

namespace turdb::hnsw {

namespace {

// Walking the whole graph for nodes out of reach pays off once this part of it is new; in a small one it takes a millisecond.
constexpr uint32_t kRepairFraction = 32;
constexpr uint32_t kSmallGraph = 1 << 14;

absl::StatusOr<vec::Sq8Codec> Train(const VectorSource& vectors, const std::vector<uint32_t>& slots, FileEdit* edit) {
  const GraphOptions& options = edit->meta().options;
  vec::Sq8Trainer trainer(options.metric, options.dim);
  std::vector<float> scratch(options.dim);
  for (const uint32_t slot : slots) {
    const float* vector = vectors.Read(NodeId(slot), scratch.data());
    if (vector == nullptr) return vectors.Damage(NodeId(slot));
    trainer.Add(vector);
  }
  edit->meta().trained_count = trainer.count();
  std::vector<float> mean = trainer.Mean();
  TURDB_RETURN_IF_ERROR(edit->WriteMean(mean));
  return vec::Sq8Codec(options.metric, options.dim, std::move(mean));
}

absl::Status WriteNodes(const VectorSource& vectors, const std::vector<uint32_t>& slots, const vec::Sq8Codec& codec,
                        FileEdit* edit) {
  const format::HnswLayout& layout = edit->layout();
  const GraphOptions& options = edit->meta().options;
  std::vector<float> gathered(options.dim), normalised(options.dim);
  for (const uint32_t slot : slots) {
    const float* vector = vectors.Read(NodeId(slot), gathered.data());
    if (vector == nullptr) return vectors.Damage(NodeId(slot));
    uint32_t level = LevelOf(slot, options.seed, options.m);
    uint32_t first_block = 0;
    if (level > 0) {
      TURDB_ASSIGN_OR_RETURN(uint8_t* upper, edit->Page(layout.FirstPageOfExtent(layout.ExtentOf(slot))));
      first_block = TakeBlocks(layout, upper, &level);
    }
    TURDB_ASSIGN_OR_RETURN(uint8_t* node, edit->Node(slot));
    WriteNode(layout, codec, vector, level, first_block, node, normalised.data());
    for (uint32_t l = 1; l <= level; ++l) {
      TURDB_RETURN_IF_ERROR(WriteLinks(edit->graph(), LinkList{slot, l, {}}, edit));
    }
  }
  return absl::OkStatus();
}

absl::Status LinkAll(const std::vector<uint32_t>& slots, const vec::Sq8Codec& codec, int threads,
                     const Progress& progress, FileEdit* edit) {
  GraphMeta& meta = edit->meta();
  Workers workers(std::max(threads, 1));
  Linker<PagePointers> linker(&edit->graph(), &codec, meta.options.ef_construction, meta.entry, edit, &workers);
  const auto total = static_cast<uint32_t>(slots.size());
  uint32_t done = 0;
  if (progress) workers.set_check([&] { return progress(done, total); });
  while (done < total) {
    if (progress) TURDB_RETURN_IF_ERROR(progress(done, total));
    const uint32_t size = std::min(Linker<PagePointers>::BatchSize(meta.present_count), total - done);
    TURDB_RETURN_IF_ERROR(linker.Insert(std::vector<uint32_t>(slots.begin() + done, slots.begin() + done + size)));
    meta.present_count += size;
    done += size;
  }
  meta.entry = linker.entry();
  meta.unrepaired_count += total;
  if (meta.present_count <= kSmallGraph || uint64_t{meta.unrepaired_count} * kRepairFraction > meta.present_count) {
    uint32_t left;
    TURDB_RETURN_IF_ERROR(EnsureReachable(edit->graph(), &linker, edit, &left));
    meta.unrepaired_count = 0;
  }
  if (progress) TURDB_RETURN_IF_ERROR(progress(total, total));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint32_t> Absorb(const VectorSource& vectors, uint32_t end_slot, int threads, const Progress& progress,
                                pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(const std::unique_ptr<FileEdit> edit, FileEdit::Open(writer));
  GraphMeta& meta = edit->meta();
  if (vectors.dim() != meta.options.dim) {
    return InternalError("hnsw: vectors of ", vectors.dim(), " dimensions for an index of ", meta.options.dim);
  }
  const uint32_t first = meta.node_count;
  const uint32_t end = std::min(end_slot, vectors.slot_count());
  if (end <= first) return 0u;
  TURDB_ASSIGN_OR_RETURN(const std::vector<uint32_t> slots, vectors.LiveSlots(first, end));
  TURDB_RETURN_IF_ERROR(edit->GrowTo(end));
  meta.node_count = end;
  if (!slots.empty()) {
    absl::StatusOr<vec::Sq8Codec> codec =
        meta.present_count == 0 ? Train(vectors, slots, edit.get()) : ReadCodec(edit->view(), meta);
    TURDB_RETURN_IF_ERROR(codec.status());
    TURDB_RETURN_IF_ERROR(WriteNodes(vectors, slots, *codec, edit.get()));
    TURDB_RETURN_IF_ERROR(LinkAll(slots, *codec, threads, progress, edit.get()));
  }
  TURDB_RETURN_IF_ERROR(edit->Finish());
  return end - first;
}

absl::Status MarkDeleted(NodeId slot, pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(GraphMeta meta, ReadMeta(writer->view()));
  if (slot.value() >= meta.node_count) return absl::OkStatus();
  const format::HnswLayout layout(meta.options.dim, meta.options.m);
  uint32_t offset;
  const PageId page_id(layout.PageOf(slot.value(), &offset));
  const uint8_t* old = writer->view().Page(page_id);
  if (old == nullptr) return writer->view().PageError(page_id);
  const uint32_t flags_at = offset + layout.flags_offset();
  if ((old[flags_at] & (format::kHnswNodePresent | format::kHnswNodeDeleted)) != format::kHnswNodePresent) {
    return absl::OkStatus();
  }
  TURDB_ASSIGN_OR_RETURN(uint8_t* page, writer->MutablePage(page_id));
  page[flags_at] |= format::kHnswNodeDeleted;
  ++meta.deleted_count;
  if (meta.deleted_count > meta.present_count) {
    return CorruptionError("vector index '", writer->view().path(), "', page 1: counts disagree");
  }
  TURDB_ASSIGN_OR_RETURN(uint8_t* header, writer->MutablePage(PageId(1)));
  EncodeMeta(meta, header);
  return absl::OkStatus();
}

absl::Status Clear(pager::FileWriter* writer) {
  TURDB_ASSIGN_OR_RETURN(const std::unique_ptr<FileEdit> edit, FileEdit::Open(writer));
  GraphMeta& meta = edit->meta();
  const format::HnswLayout& layout = edit->layout();
  for (uint32_t extent = 0; layout.FirstPageOfExtent(extent) < writer->view().page_count(); ++extent) {
    TURDB_ASSIGN_OR_RETURN(uint8_t* page, edit->Page(layout.FirstPageOfExtent(extent)));
    Store<uint32_t>(page + format::kPageHeaderBytes, 0);
  }
  // Every flag too: absorbed free slots must read as free.
  for (uint32_t id = 0; id < meta.node_count; ++id) {
    const uint8_t* node = edit->graph().Node(id);
    if (node == nullptr || edit->graph().Flags(node) == 0) continue;
    TURDB_ASSIGN_OR_RETURN(uint8_t* writable, edit->Node(id));
    writable[layout.flags_offset()] = 0;
  }
  const GraphOptions options = meta.options;
  meta = GraphMeta();
  meta.options = options;
  return edit->Finish();
}

}  // namespace turdb::hnsw
