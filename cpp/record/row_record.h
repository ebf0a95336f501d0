// A whole row as one run of bytes, for rows too wide for columns: a varint count of cells, then their entries.
// Overflowed cells keep their reference. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "record/leaf_entry.h"
#include "types/cell.h"

namespace turdb::record {

std::string EncodeRecord(absl::Span<const Cell> row);
// Cells point into `record`. False when it is damaged.
bool DecodeRecord(std::string_view record, std::vector<Cell>* row);

}  // namespace turdb::record
