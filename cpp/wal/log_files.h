// Names of the files in the log's directory.
#pragma once

#include <cstdint>
#include <string>

namespace turdb::wal {

std::string SegmentPath(const std::string& directory, uint32_t number);
// The number in a segment's name, 0 for any other name.
uint32_t SegmentNumber(const std::string& name);
inline std::string SparePath(const std::string& directory) { return directory + "/spare"; }

}  // namespace turdb::wal
