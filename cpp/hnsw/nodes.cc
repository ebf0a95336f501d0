#include "hnsw/nodes.h"

#include <cstring>

#include "base/coding.h"

namespace turdb::hnsw {

void WriteNode(const format::HnswLayout& layout, const vec::Sq8Codec& codec, const float* vector, uint32_t level,
               uint32_t first_block, uint8_t* node, float* scratch) {
  std::memset(node, 0, layout.node_stride());
  const vec::Sq8Terms terms = codec.Encode(vector, node, scratch);
  std::memcpy(node + layout.terms_offset(), &terms, sizeof(terms));
  node[layout.level_offset()] = static_cast<uint8_t>(level);
  node[layout.flags_offset()] = format::kHnswNodePresent;
  Store<uint32_t>(node + layout.upper_offset(), first_block);
}

uint32_t TakeBlocks(const format::HnswLayout& layout, uint8_t* first_upper_page, uint32_t* level) {
  if (*level == 0) return 0;
  const uint32_t used = Load<uint32_t>(first_upper_page + format::kPageHeaderBytes);
  if (used > layout.blocks_per_extent() || *level > layout.blocks_per_extent() - used) {
    *level = 0;
    return 0;
  }
  Store<uint32_t>(first_upper_page + format::kPageHeaderBytes, used + *level);
  return used;
}

}  // namespace turdb::hnsw
