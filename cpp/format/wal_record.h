// The bytes of the log: segments of frames of operations. Prose and an example in docs/format/wal.md.
//
// Segment header, 64 bytes:
//   offset size field
//   0      8    magic "turdbwal"
//   8      4    format version
//   12     4    segment number
//   16     8    salt of the database
//   24     8    LSN of the first frame (LSNs count bytes of frames; headers have none)
//   32     28   reserved, 0
//   60     4    crc32c of bytes [0, 60)
// Frame:
//   0      4    crc32c of bytes [4, 9 + n), continued from the crc of the frame before; the first one's from the
//               crc in the segment header. So a frame left over from an earlier use of the file is never taken for one.
//   4      4    payload length n
//   8      1    FrameKind
//   9      n    operations, each a byte LogOp and its fields (varints)
// A transaction is any number of kPart frames and one kCommit frame, one after another, never interleaved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/strong_id.h"

namespace turdb::format {

inline constexpr std::string_view kWalMagic = "turdbwal";
inline constexpr size_t kSegmentHeaderBytes = 64;
inline constexpr size_t kFrameHeaderBytes = 9;
inline constexpr uint32_t kMaxFramePayload = 64u << 20;

enum class FrameKind : uint8_t { kPart = 1, kCommit = 2 };

enum class LogOp : uint8_t {
  kFileName = 1,  // file id, length, path: comes before anything else about the file in each segment
  kCreate = 2,    // file id
  kDrop = 3,      // file id
  kPage = 4,      // file id, page id, and a page delta against the page before the transaction
  kZeroPage = 5,  // the same against a page of zeros
  kMovedPage = 6,  // file id, page id, page moves, and a page delta against what they make of the page
};

struct SegmentHeader {
  uint32_t format_version = 0;
  uint32_t number = 0;
  uint64_t salt = 0;
  Lsn start_lsn{0};
  uint32_t crc = 0;
};
void EncodeSegmentHeader(const SegmentHeader& header, uint8_t* to);  // sets the crc in the bytes
// False when the bytes are no intact header.
bool DecodeSegmentHeader(const uint8_t* from, SegmentHeader* header);

// Appends a frame; returns its crc, which the next one continues.
uint32_t AppendFrame(uint32_t previous_crc, FrameKind kind, std::string_view payload, std::string* to);

struct Frame {
  FrameKind kind;
  std::string_view payload;
  uint32_t crc;
  size_t size() const { return kFrameHeaderBytes + payload.size(); }
};
// False when there is no intact frame at the beginning of `bytes`.
bool DecodeFrame(uint32_t previous_crc, std::string_view bytes, Frame* frame);

}  // namespace turdb::format
