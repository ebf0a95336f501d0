#include "hnsw/build.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/status_macros.h"
#include "hnsw/linker.h"
#include "hnsw/nodes.h"
#include "hnsw/reach.h"
#include "hnsw/workers.h"

namespace turdb::hnsw {

using format::HnswLayout;
using format::PageKind;

namespace {

constexpr uint32_t kTrainingVectors = 65536;  // the mean is then known to 1/256 of a standard deviation
constexpr uint32_t kPagesAtOnce = 256;        // 4 MiB a write

class ImageEdit final : public PageEdit {
 public:
  explicit ImageEdit(GraphImage* image) : image_(image) {}
  absl::StatusOr<uint8_t*> Page(uint32_t id) override { return image_->Page(id); }

 private:
  GraphImage* image_;
};

class Builder {
 public:
  Builder(const VectorSource& vectors, const GraphOptions& options, int threads, const Progress& progress)
      : vectors_(vectors), options_(options), layout_(options.dim, options.m), progress_(progress),
        workers_(std::max(threads, 1)) {
    // Steps become long as the graph grows: a program that is interrupted does not wait for one to end.
    if (progress_) workers_.set_check([this] { return progress_(linked_, order_.size()); });
  }

  absl::StatusOr<GraphImage> Run(const ImageSpace& space, GraphMeta* meta) {
    TURDB_ASSIGN_OR_RETURN(image_, GraphImage::New(static_cast<uint32_t>(layout_.PageCount(vectors_.slot_count())), space));
    for (uint32_t id = 1; id < image_.page_count(); ++id) format::SetPageKind(image_.Page(id), layout_.KindOfPage(id));
    TURDB_ASSIGN_OR_RETURN(order_, vectors_.LiveSlots(0, vectors_.slot_count()));
    TURDB_ASSIGN_OR_RETURN(const vec::Sq8Codec codec, Train(meta));
    TURDB_RETURN_IF_ERROR(WriteNodes(codec));
    meta->options = options_;
    meta->node_count = vectors_.slot_count();
    meta->present_count = static_cast<uint32_t>(order_.size());
    TURDB_RETURN_IF_ERROR(Link(codec, meta));
    EncodeMeta(*meta, image_.Page(1));
    return std::move(image_);
  }

 private:
  absl::StatusOr<vec::Sq8Codec> Train(GraphMeta* meta) {
    vec::Sq8Trainer trainer(options_.metric, options_.dim);
    std::vector<float> scratch(options_.dim);
    const size_t step = order_.size() / kTrainingVectors + 1;
    for (size_t i = 0; i < order_.size(); i += step) {
      const float* vector = vectors_.Read(NodeId(order_[i]), scratch.data());
      if (vector == nullptr) return vectors_.Damage(NodeId(order_[i]));
      trainer.Add(vector);
    }
    meta->trained_count = trainer.count();
    std::vector<float> mean = trainer.Mean();
    const auto* bytes = reinterpret_cast<const uint8_t*>(mean.data());
    const uint32_t size = options_.dim * 4;
    for (uint32_t at = 0, id = 2; at < size; at += format::kHnswPayloadBytes, ++id) {
      std::memcpy(image_.Page(id) + format::kHnswDataOffset, bytes + at, std::min(size - at, format::kHnswPayloadBytes));
    }
    return vec::Sq8Codec(options_.metric, options_.dim, std::move(mean));
  }

  absl::Status WriteNodes(const vec::Sq8Codec& codec) {
    std::vector<std::pair<uint32_t, uint32_t>> places(order_.size());  // level, first block
    for (size_t i = 0; i < order_.size(); ++i) {
      uint32_t level = LevelOf(order_[i], options_.seed, options_.m);
      uint8_t* upper = image_.Page(layout_.FirstPageOfExtent(layout_.ExtentOf(order_[i])));
      const uint32_t block = TakeBlocks(layout_, upper, &level);
      places[i] = {level, block};
    }
    std::vector<std::vector<float>> scratch(workers_.count(), std::vector<float>(2 * size_t{options_.dim}));
    std::atomic<uint32_t> damaged{format::kNoNode};
    TURDB_RETURN_IF_ERROR(workers_.ForEach(static_cast<uint32_t>(order_.size()), 64, [&](uint32_t i, int worker) {
      float* floats = scratch[worker].data();
      const float* vector = vectors_.Read(NodeId(order_[i]), floats);
      if (vector == nullptr) {
        damaged.store(order_[i], std::memory_order_relaxed);
        return;
      }
      uint32_t offset;
      uint8_t* page = image_.Page(layout_.PageOf(order_[i], &offset));
      WriteNode(layout_, codec, vector, places[i].first, places[i].second, page + offset, floats + options_.dim);
    }));
    if (damaged.load() != format::kNoNode) return vectors_.Damage(NodeId(damaged.load()));
    return absl::OkStatus();
  }

  absl::Status Link(const vec::Sq8Codec& codec, GraphMeta* meta) {
    Shuffle();
    const FlatPages pages{image_.bytes()};
    const Graph<FlatPages> graph(&pages, layout_, vectors_.slot_count());
    ImageEdit edit(&image_);
    Linker<FlatPages> linker(&graph, &codec, options_.ef_construction, Entry(), &edit, &workers_);
    while (linked_ < order_.size()) {
      if (progress_) TURDB_RETURN_IF_ERROR(progress_(linked_, order_.size()));
      const uint32_t size = std::min(Linker<FlatPages>::BatchSize(linked_), static_cast<uint32_t>(order_.size()) - linked_);
      const std::vector<uint32_t> batch(order_.begin() + linked_, order_.begin() + linked_ + size);
      TURDB_RETURN_IF_ERROR(linker.Insert(batch));
      linked_ += size;
    }
    uint32_t left;
    TURDB_RETURN_IF_ERROR(EnsureReachable(graph, &linker, &edit, &left));
    meta->entry = linker.entry();
    if (progress_) TURDB_RETURN_IF_ERROR(progress_(order_.size(), order_.size()));
    return absl::OkStatus();
  }

  // Neighbours often arrive one after another; a graph grown in random order is better connected.
  void Shuffle() {
    uint64_t state = options_.seed ^ 0x5851f42d4c957f2dull;
    for (size_t i = order_.size(); i > 1; --i) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      std::swap(order_[i - 1], order_[static_cast<size_t>(((state >> 32) * i) >> 32)]);
    }
  }

  const VectorSource& vectors_;
  const GraphOptions options_;
  const HnswLayout layout_;
  const Progress& progress_;
  Workers workers_;
  GraphImage image_;
  std::vector<uint32_t> order_;
  uint32_t linked_ = 0;  // of them
};

}  // namespace

void GraphImage::Free::operator()(uint8_t* bytes) const { std::free(bytes); }

absl::StatusOr<GraphImage> GraphImage::New(uint32_t page_count, const ImageSpace& space) {
  GraphImage image;
  image.page_count_ = page_count;
  const uint64_t size = uint64_t{page_count} * format::kPageBytes;
  if (size > space.memory_bytes && space.place.env != nullptr) {
    TURDB_ASSIGN_OR_RETURN(image.file_, space.place.env->NewSpillFile(space.place.directory));
  }
  if (image.file_ != nullptr) {
    TURDB_RETURN_IF_ERROR(image.file_->Reserve(0, size));
    TURDB_ASSIGN_OR_RETURN(image.bytes_, image.file_->Map(0, size));
    return image;
  }
  image.memory_.reset(static_cast<uint8_t*>(std::aligned_alloc(4096, size)));
  image.bytes_ = image.memory_.get();
  if (image.bytes_ == nullptr) return OutOfMemoryError("building a vector index of ", size >> 20, " MiB takes as much memory");
  std::memset(image.bytes_, 0, size);
  return image;
}

absl::StatusOr<GraphImage> BuildImage(const VectorSource& vectors, const GraphOptions& options, int threads,
                                      const Progress& progress, GraphMeta* meta, const ImageSpace& space) {
  TURDB_RETURN_IF_ERROR(CheckOptions(options));
  if (vectors.dim() != options.dim) {
    return InternalError("hnsw build: vectors of ", vectors.dim(), " dimensions for an index of ", options.dim);
  }
  if (vectors.slot_count() > CandidatePool::kExpanded) {
    return TooBigError("hnsw: an index holds at most 2^31 vectors, not ", vectors.slot_count());
  }
  Builder builder(vectors, options, threads, progress);
  return builder.Run(space, meta);
}

absl::StatusOr<GraphMeta> Build(const VectorSource& vectors, const GraphOptions& options, int threads,
                                const Progress& progress, pager::FileWriter* writer, const ImageSpace& space) {
  if (writer->view().page_count() != 1) {
    return InternalError("hnsw build: '", writer->view().path(), "' is not a new file");
  }
  GraphMeta meta;
  TURDB_ASSIGN_OR_RETURN(GraphImage image, BuildImage(vectors, options, threads, progress, &meta, space));
  const uint32_t count = image.page_count() - 1;
  TURDB_ASSIGN_OR_RETURN(const PageId first, writer->ExtendDirect(count));
  if (first != PageId(1)) return InternalError("hnsw build: the file's first new page is ", first.value(), ", not 1");
  for (uint32_t at = 0; at < count; at += kPagesAtOnce) {
    TURDB_RETURN_IF_ERROR(writer->WriteDirect(first + at, std::min(kPagesAtOnce, count - at), image.Page(1 + at)));
  }
  return meta;
}

}  // namespace turdb::hnsw
