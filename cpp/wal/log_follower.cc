#include "wal/log_follower.h"

#include <algorithm>

#include "base/status_macros.h"
#include "wal/log_files.h"
#include "wal/log_operations.h"

namespace turdb::wal {

using format::Frame;
using format::LogOp;
using format::SegmentHeader;

LogFollower::LogFollower(env::Env* env, std::string directory, uint64_t salt)
    : env_(env), directory_(std::move(directory)), salt_(salt) {}

absl::StatusOr<bool> LogFollower::IsSameSegment() const {
  SegmentHeader header;
  TURDB_ASSIGN_OR_RETURN(const bool is_there, ReadSegmentHeader(env_, directory_, salt_, place_.segment, &header));
  return is_there && header.crc == place_.header_crc;
}

// To the beginning of the last segment that begins at or before `lsn`, and from there to it.
absl::StatusOr<bool> LogFollower::Seek(Lsn lsn) {
  place_ = Place();
  TURDB_ASSIGN_OR_RETURN(const auto names, env_->ListDir(directory_));
  for (const std::string& name : names) {
    const uint32_t number = SegmentNumber(name);
    SegmentHeader header;
    if (number == 0) continue;
    TURDB_ASSIGN_OR_RETURN(const bool is_there, ReadSegmentHeader(env_, directory_, salt_, number, &header));
    const bool is_better = header.start_lsn > place_.start_lsn ||
                           (header.start_lsn == place_.start_lsn && number > place_.segment);
    if (!is_there || header.start_lsn > lsn || (place_.segment != 0 && !is_better)) continue;
    place_ = {number, header.crc, header.start_lsn, header.start_lsn, header.crc};
  }
  if (place_.segment == 0) return false;
  TURDB_ASSIGN_OR_RETURN(const bool is_read, ReadFrames(lsn, nullptr));
  return is_read && place_.lsn == lsn;
}

// When the next segment goes on from here, enters it; lowers the limit to where it begins otherwise.
absl::StatusOr<bool> LogFollower::EnterNextSegment(Lsn* limit) {
  SegmentHeader header;
  TURDB_ASSIGN_OR_RETURN(const bool is_there, ReadSegmentHeader(env_, directory_, salt_, place_.segment + 1, &header));
  if (!is_there) return false;
  if (header.start_lsn > place_.lsn) {
    *limit = std::min(*limit, header.start_lsn);
    return false;
  }
  if (header.start_lsn < place_.lsn) return false;  // it cuts off what was read: not a log that anybody published
  place_ = {place_.segment + 1, header.crc, header.start_lsn, header.start_lsn, header.crc};
  return true;
}

absl::Status LogFollower::Visit(const Frame& frame, Lsn end, LogVisitor* visitor, bool* is_good) {
  OperationReader operations(frame.payload);
  for (Operation op; operations.Next(&op);) {
    const FileId file(static_cast<uint32_t>(op.file));
    if (op.op == LogOp::kFileName) names_[file] = std::string(op.name);
    if (visitor == nullptr) continue;
    absl::Status status;
    if (op.op == LogOp::kCreate) status = visitor->OnCreate(file, names_[file]);
    if (op.op == LogOp::kDrop) status = visitor->OnDrop(file);
    if (op.change.delta != nullptr) {
      op.change.lsn = end;
      status = visitor->OnPage(file, PageId(static_cast<uint32_t>(op.page)), op.change);
    }
    TURDB_RETURN_IF_ERROR(status);
  }
  *is_good = !operations.is_bad();
  return visitor == nullptr ? absl::OkStatus() : visitor->OnFrameEnd(frame.kind, end);
}

absl::StatusOr<bool> LogFollower::ReadFrames(Lsn limit, LogVisitor* visitor) {
  if (place_.lsn >= limit) return true;
  const std::string path = SegmentPath(directory_, place_.segment);
  if (!env_->FileExists(path)) return false;
  TURDB_ASSIGN_OR_RETURN(auto file, env_->OpenFile(path, env::OpenMode::kReadOnly));
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  const uint64_t begin = format::kSegmentHeaderBytes + (place_.lsn - place_.start_lsn);
  if (begin > size) return false;
  std::string bytes(std::min(limit - place_.lsn, size - begin), '\0');
  TURDB_RETURN_IF_ERROR(file->ReadAt(begin, bytes.data(), bytes.size()));
  std::string_view rest = bytes;
  Frame frame;
  while (place_.lsn < limit && format::DecodeFrame(place_.crc, rest, &frame)) {
    bool is_good = false;
    TURDB_RETURN_IF_ERROR(Visit(frame, place_.lsn + frame.size(), visitor, &is_good));
    if (!is_good) return false;
    place_.lsn = place_.lsn + frame.size();
    place_.crc = frame.crc;
    rest.remove_prefix(frame.size());
  }
  return true;
}

absl::StatusOr<bool> LogFollower::Follow(Lsn from, Lsn to, LogVisitor* visitor) {
  bool is_placed = place_.segment != 0 && place_.lsn == from;
  if (is_placed) {
    TURDB_ASSIGN_OR_RETURN(is_placed, IsSameSegment());
  }
  if (!is_placed) {
    TURDB_ASSIGN_OR_RETURN(is_placed, Seek(from));
  }
  while (is_placed && place_.lsn < to) {
    const Lsn before = place_.lsn;
    Lsn limit = to;
    TURDB_ASSIGN_OR_RETURN(const bool is_next, EnterNextSegment(&limit));
    if (is_next) continue;
    TURDB_ASSIGN_OR_RETURN(is_placed, ReadFrames(limit, visitor));
    if (place_.lsn == before) break;  // the log ends here, or is damaged
  }
  const bool is_there = is_placed && place_.lsn == to;
  if (!is_there) place_ = Place();
  return is_there;
}

}  // namespace turdb::wal
