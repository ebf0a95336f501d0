// Encoding and decoding of segment headers and frames.
#include "format/wal_record.h"

#include <cstring>

#include "base/coding.h"
#include "base/crc32c.h"
#include "format/file_header.h"

namespace turdb::format {

void EncodeSegmentHeader(const SegmentHeader& header, uint8_t* to) {
  std::memset(to, 0, kSegmentHeaderBytes);
  std::memcpy(to, kWalMagic.data(), kWalMagic.size());
  Store<uint32_t>(to + 8, header.format_version);
  Store<uint32_t>(to + 12, header.number);
  Store<uint64_t>(to + 16, header.salt);
  Store<uint64_t>(to + 24, header.start_lsn.value());
  Store<uint32_t>(to + 60, Crc32c(0, to, 60));
}

bool DecodeSegmentHeader(const uint8_t* from, SegmentHeader* header) {
  if (std::memcmp(from, kWalMagic.data(), kWalMagic.size()) != 0) return false;
  header->crc = Load<uint32_t>(from + 60);
  if (header->crc != Crc32c(0, from, 60)) return false;
  header->format_version = Load<uint32_t>(from + 8);
  header->number = Load<uint32_t>(from + 12);
  header->salt = Load<uint64_t>(from + 16);
  header->start_lsn = Lsn(Load<uint64_t>(from + 24));
  return true;
}

uint32_t AppendFrame(uint32_t previous_crc, FrameKind kind, std::string_view payload, std::string* to) {
  const size_t at = to->size();
  AppendFixed<uint32_t>(to, 0);
  AppendFixed<uint32_t>(to, static_cast<uint32_t>(payload.size()));
  to->push_back(static_cast<char>(kind));
  to->append(payload);
  const uint32_t crc = Crc32c(previous_crc, to->data() + at + 4, to->size() - at - 4);
  Store<uint32_t>(to->data() + at, crc);
  return crc;
}

bool DecodeFrame(uint32_t previous_crc, std::string_view bytes, Frame* frame) {
  if (bytes.size() < kFrameHeaderBytes) return false;
  const uint32_t length = Load<uint32_t>(bytes.data() + 4);
  if (length > kMaxFramePayload || bytes.size() - kFrameHeaderBytes < length) return false;
  const auto kind = static_cast<FrameKind>(bytes[8]);
  if (kind != FrameKind::kPart && kind != FrameKind::kCommit) return false;
  const uint32_t crc = Load<uint32_t>(bytes.data());
  if (crc != Crc32c(previous_crc, bytes.data() + 4, kFrameHeaderBytes - 4 + length)) return false;
  *frame = {kind, bytes.substr(kFrameHeaderBytes, length), crc};
  return true;
}

}  // namespace turdb::format
