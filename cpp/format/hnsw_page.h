// Layout of a .hnsw file: the HNSW graph over the vectors of one column, with their SQ8 codes.
//
// Page 0 is the file header, page 1 (kHnswHeader) holds kHnsw* below, the mean that codes are centred by
// takes the mean_pages() from page 2 (kHnswHeader too), then extents follow. An extent is upper_pages()
// pages of upper-level links (kHnswUpper) and then 128 pages of nodes (kHnswNodes); the last may be cut
// short behind any node page. So a node is found from its id by a multiplication and a shift.
//
// A node page: page header, nodes_per_page() nodes from offset 64, each node_stride() bytes (a multiple
// of 64), the node of slot s being the (s % nodes_per_page)th of its page:
//   [0, P)       codes, zero-padded to P = padded dimensions, a multiple of 64
//   [P, P + 16)  Sq8Terms: scale, offset, sum, bias (float32)
//   P + 16  u16  links in use, at most 2m
//   P + 18  u8   level, the highest the node is in
//   P + 19  u8   flags: 1 in the graph, 2 deleted (traversed, never returned). 0: a free slot.
//   P + 20  u32  its first block among the upper blocks of its extent, when level > 0
//   P + 24       2m links, u32 node ids
// A distance reads P + 16 consecutive bytes, an expansion the rest, mostly of lines read already.
// An upper page: page header, then from offset 64 blocks of 4 + 4m bytes: u32 count, m links. Block
// first + l - 1 has the links of level l. At 16 of the extent's first upper page: u32 blocks in use.
// Levels come from a hash of the slot id, so that a slot keeps its level and blocks when it is reused.
// Pure arithmetic, immutable, any thread.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/strong_id.h"
#include "format/page.h"
#include "format/vec_page.h"

namespace turdb::format {

inline constexpr uint32_t kHnswDataOffset = 64;  // of nodes, upper blocks and the mean in their pages
inline constexpr uint32_t kHnswPayloadBytes = kPageBytes - kHnswDataOffset;
inline constexpr uint32_t kHnswMinM = 2;
inline constexpr uint32_t kHnswMaxM = 100;
inline constexpr uint32_t kHnswMaxLevel = 15;

// Page 1, after the page header.
inline constexpr uint32_t kHnswCodeKind = 16;        // u8: 1 = SQ8
inline constexpr uint32_t kHnswMetric = 17;          // u8: vec::Metric
inline constexpr uint32_t kHnswM = 18;               // u16
inline constexpr uint32_t kHnswDim = 20;             // u32
inline constexpr uint32_t kHnswEfConstruction = 24;  // u32
inline constexpr uint32_t kHnswNodeCount = 28;       // u32: slots [0, count) are absorbed
inline constexpr uint32_t kHnswPresentCount = 32;    // u32: of these in the graph, deleted ones too
inline constexpr uint32_t kHnswDeletedCount = 36;    // u32: of the present ones deleted
inline constexpr uint32_t kHnswEntry = 40;           // u32 node, kNoNode in an empty graph
inline constexpr uint32_t kHnswTopLevel = 44;        // u32: the entry's level
inline constexpr uint32_t kHnswSeed = 48;            // u64: of the levels
inline constexpr uint32_t kHnswTrainedCount = 56;    // u64: vectors the mean was taken over
inline constexpr uint32_t kHnswUnrepaired = 64;      // u32: inserted since reachability was last ensured
inline constexpr uint32_t kNoNode = 0xffffffff;
inline constexpr uint8_t kHnswCodeSq8 = 1;

inline constexpr uint8_t kHnswNodePresent = 1;
inline constexpr uint8_t kHnswNodeDeleted = 2;

class HnswLayout {
 public:
  static constexpr uint32_t kExtentNodePages = 128;
  static constexpr uint32_t kExtentShift = 7;

  HnswLayout() = default;
  // REQUIRES Fits(dim, m).
  HnswLayout(uint32_t dim, uint32_t m) : dim_(dim), m_(m), padded_dim_((dim + 63) & ~uint32_t{63}) {
    node_stride_ = NodeStride(dim, m);
    nodes_per_page_ = kHnswPayloadBytes / node_stride_;
    divider_ = FastDivider(nodes_per_page_);
    block_stride_ = 4 + 4 * m;
    blocks_per_page_ = kHnswPayloadBytes / block_stride_;
    mean_pages_ = (dim * 4 + kHnswPayloadBytes - 1) / kHnswPayloadBytes;
    // A node has 1 / (m - 1) upper blocks on average; six standard deviations of room. A node that finds
    // none left stays on level 0.
    const double expected = double{kExtentNodePages} * nodes_per_page_ / (m - 1);
    const double room = expected + 6 * std::sqrt(2 * expected) + 16;
    upper_pages_ = static_cast<uint32_t>(room / blocks_per_page_) + 1;
  }

  static bool Fits(uint32_t dim, uint32_t m) {
    return dim >= 1 && dim < kPageBytes && m >= kHnswMinM && m <= kHnswMaxM && NodeStride(dim, m) <= kHnswPayloadBytes;
  }
  // The most dimensions an index with this m can have.
  static uint32_t MaxDim(uint32_t m) { return (kHnswPayloadBytes - 24 - 8 * m) & ~uint32_t{63}; }

  uint32_t dim() const { return dim_; }
  uint32_t m() const { return m_; }
  uint32_t padded_dim() const { return padded_dim_; }
  uint32_t node_stride() const { return node_stride_; }
  uint32_t nodes_per_page() const { return nodes_per_page_; }
  uint32_t mean_pages() const { return mean_pages_; }
  uint32_t upper_pages() const { return upper_pages_; }
  uint32_t blocks_per_extent() const { return upper_pages_ * blocks_per_page_; }
  uint32_t max_links(uint32_t level) const { return level == 0 ? 2 * m_ : m_; }

  // Offsets in a node.
  uint32_t terms_offset() const { return padded_dim_; }
  uint32_t count_offset() const { return padded_dim_ + 16; }
  uint32_t level_offset() const { return padded_dim_ + 18; }
  uint32_t flags_offset() const { return padded_dim_ + 19; }
  uint32_t upper_offset() const { return padded_dim_ + 20; }
  uint32_t links_offset() const { return padded_dim_ + 24; }

  uint32_t ExtentOf(uint32_t node) const { return divider_.Quotient(node) >> kExtentShift; }
  uint32_t FirstPageOfExtent(uint32_t extent) const {
    return 2 + mean_pages_ + extent * (upper_pages_ + kExtentNodePages);
  }
  // The page of a node, and where in it the node begins.
  uint32_t PageOf(uint32_t node, uint32_t* offset) const {
    const uint32_t page = divider_.Quotient(node);
    *offset = kHnswDataOffset + (node - page * nodes_per_page_) * node_stride_;
    return 2 + mean_pages_ + page + ((page >> kExtentShift) + 1) * upper_pages_;
  }
  // The page of an upper block of an extent. REQUIRES block < blocks_per_extent().
  uint32_t PageOfBlock(uint32_t extent, uint32_t block, uint32_t* offset) const {
    *offset = kHnswDataOffset + block % blocks_per_page_ * block_stride_;
    return FirstPageOfExtent(extent) + block / blocks_per_page_;
  }
  // Pages of a file with this many nodes, all headers included.
  uint64_t PageCount(uint64_t nodes) const {
    const uint64_t node_pages = (nodes + nodes_per_page_ - 1) / nodes_per_page_;
    const uint64_t extents = (node_pages + kExtentNodePages - 1) / kExtentNodePages;
    return 2 + mean_pages_ + node_pages + extents * upper_pages_;
  }
  PageKind KindOfPage(uint32_t page) const {
    if (page < 2 + mean_pages_) return PageKind::kHnswHeader;
    const uint32_t in_extent = (page - 2 - mean_pages_) % (upper_pages_ + kExtentNodePages);
    return in_extent < upper_pages_ ? PageKind::kHnswUpper : PageKind::kHnswNodes;
  }

 private:
  static uint32_t NodeStride(uint32_t dim, uint32_t m) {
    return ((((dim + 63) & ~uint32_t{63}) + 24 + 8 * m) + 63) & ~uint32_t{63};
  }

  uint32_t dim_ = 0;
  uint32_t m_ = 0;
  uint32_t padded_dim_ = 0;
  uint32_t node_stride_ = 0;
  uint32_t nodes_per_page_ = 1;
  uint32_t block_stride_ = 0;
  uint32_t blocks_per_page_ = 1;
  uint32_t mean_pages_ = 0;
  uint32_t upper_pages_ = 0;
  FastDivider divider_{1};
};

}  // namespace turdb::format
