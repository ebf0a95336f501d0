// Scanning and replaying the log.
#include "wal/log_reader.h"

#include <algorithm>
#include <limits>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "format/file_header.h"
#include "format/page_delta.h"
#include "format/page_moves.h"
#include "wal/log_files.h"
#include "wal/log_operations.h"

namespace turdb::wal {

using format::Frame;
using format::FrameKind;
using format::LogOp;
using format::SegmentHeader;

namespace {

absl::Status Malformed(const std::string& path) {
  return CorruptionError("log segment '", path, "' holds an operation that makes no sense");
}

}  // namespace

LogReader::LogReader(env::Env* env, std::string directory, uint64_t salt, uint32_t first_segment,
                     Lsn checkpoint_lsn, Lsn limit)
    : env_(env),
      directory_(std::move(directory)),
      salt_(salt),
      first_segment_(first_segment),
      checkpoint_lsn_(checkpoint_lsn),
      limit_(limit),
      end_lsn_(checkpoint_lsn),
      next_segment_(first_segment) {}

// False when there is no segment, or none that belongs to the log before the limit.
absl::StatusOr<bool> LogReader::FindSegment(uint32_t number, SegmentHeader* header) const {
  TURDB_ASSIGN_OR_RETURN(const bool is_there, ReadSegmentHeader(env_, directory_, salt_, number, header));
  return is_there && (header->start_lsn < limit_ || (segments_.empty() && header->start_lsn <= checkpoint_lsn_));
}

absl::StatusOr<bool> ReadSegmentHeader(env::Env* env, const std::string& directory, uint64_t salt, uint32_t number,
                                       SegmentHeader* header) {
  const std::string path = SegmentPath(directory, number);
  if (!env->FileExists(path)) return false;
  TURDB_ASSIGN_OR_RETURN(auto file, env->OpenFile(path, env::OpenMode::kReadOnly));
  uint8_t bytes[format::kSegmentHeaderBytes];
  auto size = file->Size();
  if (!size.ok() || *size < sizeof(bytes)) return false;
  TURDB_RETURN_IF_ERROR(file->ReadAt(0, bytes, sizeof(bytes)));
  if (!format::DecodeSegmentHeader(bytes, header)) return false;
  if (header->format_version > format::kFormatVersion) {
    return NewerFormatError("log segment '", path, "' was written by a newer turdb (format ", header->format_version,
                            ", this one knows ", format::kFormatVersion, ")");
  }
  return header->salt == salt && header->number == number;
}

absl::StatusOr<std::string> LogReader::ReadSegment(const Segment& segment) const {
  TURDB_ASSIGN_OR_RETURN(auto file, env_->OpenFile(segment.path, env::OpenMode::kReadOnly));
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string bytes(size, '\0');
  TURDB_RETURN_IF_ERROR(file->ReadAt(0, bytes.data(), size));
  return bytes;
}

absl::Status LogReader::ScanPayload(std::string_view payload, const std::string& path) {
  OperationReader operations(payload);
  for (Operation op; operations.Next(&op);) {
    const FileId file(static_cast<uint32_t>(op.file));
    if (op.op == LogOp::kFileName) names_[file] = std::string(op.name);
    if (op.op == LogOp::kDrop) pending_drops_.push_back(file);
  }
  return operations.is_bad() ? Malformed(path) : absl::OkStatus();
}

absl::Status LogReader::ScanSegment(const Segment& segment, const SegmentHeader& header, Lsn limit, bool is_last) {
  TURDB_ASSIGN_OR_RETURN(const std::string bytes, ReadSegment(segment));
  std::string_view rest = std::string_view(bytes).substr(format::kSegmentHeaderBytes);
  uint32_t crc = header.crc;
  Lsn lsn = segment.start_lsn;
  Frame frame;
  while (lsn < limit && format::DecodeFrame(crc, rest, &frame)) {
    TURDB_RETURN_IF_ERROR(ScanPayload(frame.payload, segment.path));
    lsn = lsn + frame.size();
    crc = frame.crc;
    rest.remove_prefix(frame.size());
    if (frame.kind == FrameKind::kCommit && lsn > checkpoint_lsn_ && lsn <= limit) {
      end_lsn_ = lsn;
      ++commits_;
      dropped_.insert(pending_drops_.begin(), pending_drops_.end());
    }
    if (frame.kind == FrameKind::kCommit) pending_drops_.clear();
  }
  if (!is_last && lsn < limit) {
    return CorruptionError("log segment '", segment.path, "' is damaged at byte ", bytes.size() - rest.size(),
                           "; it holds commits that are not in the data files yet");
  }
  return absl::OkStatus();
}

absl::Status LogReader::Scan() {
  SegmentHeader header, next;
  TURDB_ASSIGN_OR_RETURN(bool has_segment, FindSegment(first_segment_, &header));
  for (uint32_t number = first_segment_; has_segment; ++number, header = next) {
    if (segments_.empty() ? header.start_lsn > checkpoint_lsn_ : header.start_lsn < segments_.back().start_lsn) {
      return CorruptionError("log segment '", SegmentPath(directory_, number), "' does not follow what is before it");
    }
    segments_.push_back({number, header.start_lsn, SegmentPath(directory_, number)});
    next_segment_ = number + 1;
    TURDB_ASSIGN_OR_RETURN(has_segment, FindSegment(number + 1, &next));
    TURDB_RETURN_IF_ERROR(
        ScanSegment(segments_.back(), header, has_segment ? next.start_lsn : limit_, !has_segment));
  }
  return absl::OkStatus();
}

absl::Status LogReader::Replay(LogVisitor* visitor) {
  for (size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const Lsn limit = i + 1 < segments_.size() ? std::min(segments_[i + 1].start_lsn, end_lsn_) : end_lsn_;
    TURDB_ASSIGN_OR_RETURN(const std::string bytes, ReadSegment(segment));
    SegmentHeader header;
    if (!format::DecodeSegmentHeader(reinterpret_cast<const uint8_t*>(bytes.data()), &header)) {
      return CorruptionError("log segment '", segment.path, "' changed while it was read");
    }
    std::string_view rest = std::string_view(bytes).substr(format::kSegmentHeaderBytes);
    uint32_t crc = header.crc;
    Lsn lsn = segment.start_lsn;
    Frame frame;
    while (lsn < limit && format::DecodeFrame(crc, rest, &frame)) {
      lsn = lsn + frame.size();
      crc = frame.crc;
      rest.remove_prefix(frame.size());
      if (lsn <= checkpoint_lsn_) continue;
      OperationReader operations(frame.payload);
      for (Operation op; operations.Next(&op);) {
        const FileId file(static_cast<uint32_t>(op.file));
        absl::Status status;
        if (op.op == LogOp::kCreate) status = visitor->OnCreate(file, names_[file]);
        if (op.op == LogOp::kDrop) status = visitor->OnDrop(file);
        if (op.change.delta != nullptr) {
          op.change.lsn = lsn;
          status = visitor->OnPage(file, PageId(static_cast<uint32_t>(op.page)), op.change);
        }
        TURDB_RETURN_IF_ERROR(status);
      }
      TURDB_RETURN_IF_ERROR(visitor->OnFrameEnd(frame.kind, lsn));
    }
  }
  return absl::OkStatus();
}

}  // namespace turdb::wal
