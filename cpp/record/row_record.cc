#include "record/row_record.h"

#include "base/coding.h"

namespace turdb::record {

std::string EncodeRecord(absl::Span<const Cell> row) {
  size_t size = kMaxVarintBytes;
  for (const Cell& cell : row) size += EntrySize(cell);
  std::string record(size, '\0');
  uint8_t* const start = reinterpret_cast<uint8_t*>(record.data());
  uint8_t* to = EncodeVarint(start, row.size());
  for (const Cell& cell : row) to = WriteEntry(to, cell);
  record.resize(static_cast<size_t>(to - start));
  return record;
}

bool DecodeRecord(std::string_view record, std::vector<Cell>* row) {
  const uint8_t* at = reinterpret_cast<const uint8_t*>(record.data());
  const uint8_t* const end = at + record.size();
  uint64_t count = 0;
  at = DecodeVarint(at, end, &count);
  if (at == nullptr || count > record.size()) return false;
  row->resize(count);
  for (Cell& cell : *row) {
    at = ReadEntry(at, end, &cell);
    if (at == nullptr) return false;
  }
  return true;
}

}  // namespace turdb::record
