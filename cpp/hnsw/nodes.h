// Writing nodes that are not linked yet: codes, terms, level, flags, and their place among the upper
// blocks. Shared by the build (in memory) and the insertion (into pages of a transaction).
#pragma once

#include <cstdint>

#include "format/hnsw_page.h"
#include "vec/sq8.h"

namespace turdb::hnsw {

// Fills a node's region. `scratch` takes dim floats.
void WriteNode(const format::HnswLayout& layout, const vec::Sq8Codec& codec, const float* vector, uint32_t level,
               uint32_t first_block, uint8_t* node, float* scratch);

// Takes `level` blocks of an extent from the count on its first upper page and returns the first one.
// Lowers *level to 0 when there is no room.
uint32_t TakeBlocks(const format::HnswLayout& layout, uint8_t* first_upper_page, uint32_t* level);

}  // namespace turdb::hnsw
