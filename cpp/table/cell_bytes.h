// Cells and strings as runs of bytes in memory: what logs that live as long as a transaction are made of. Not a format on disk.
#pragma once

#include <string>
#include <string_view>

#include "types/cell.h"

namespace turdb::table {

template <typename T>
void AppendBytes(std::string* to, T value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
template <typename T>
T TakeBytes(std::string_view* from) {
  T value;
  __builtin_memcpy(&value, from->data(), sizeof(value));
  from->remove_prefix(sizeof(value));
  return value;
}

inline void AppendString(std::string* to, std::string_view bytes) {
  AppendBytes<uint64_t>(to, bytes.size());
  to->append(bytes);
}
inline std::string_view TakeString(std::string_view* from) {
  const auto size = TakeBytes<uint64_t>(from);
  const std::string_view bytes = from->substr(0, size);
  from->remove_prefix(size);
  return bytes;
}

inline void AppendCell(std::string* to, const Cell& cell) {
  AppendBytes(to, cell.type);
  AppendBytes(to, cell.subtype);
  if (cell.has_bytes()) AppendString(to, cell.view());
  else if (!cell.is_null()) AppendBytes(to, cell.integer);
}
// Points into `from`'s bytes.
inline Cell TakeCell(std::string_view* from) {
  Cell cell;
  cell.type = TakeBytes<StorageClass>(from);
  cell.subtype = TakeBytes<uint8_t>(from);
  if (cell.has_bytes()) {
    const std::string_view bytes = TakeString(from);
    cell.bytes = bytes.data();
    cell.length = static_cast<uint32_t>(bytes.size());
  } else if (!cell.is_null()) {
    cell.integer = TakeBytes<int64_t>(from);
  }
  return cell;
}

}  // namespace turdb::table
