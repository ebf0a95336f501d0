// Appending, rotation and reuse of segments.
#include "wal/log_writer.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "format/file_header.h"
#include "format/page_delta.h"
#include "format/page_moves.h"
#include "wal/log_files.h"

namespace turdb::wal {

using format::FrameKind;
using format::LogOp;

namespace {

// A frame is closed when it grows past this: recovery checks frame by frame.
constexpr size_t kFrameBytes = 1 << 20;
// Zeros written ahead: one sync in a thousand small commits flushes metadata.
constexpr size_t kPrepareBytes = 256 << 10;

// A longer delta is worth the look for moves.
constexpr size_t kLongDeltaBytes = 160;

const std::string& Zeros() {
  static const auto* zeros = new std::string(kPrepareBytes, '\0');
  return *zeros;
}

}  // namespace

std::string SegmentPath(const std::string& directory, uint32_t number) {
  char name[24];
  std::snprintf(name, sizeof(name), "/wal.%06u", number);
  return directory + name;
}

uint32_t SegmentNumber(const std::string& name) {
  constexpr std::string_view kPrefix = "wal.";
  if (name.size() < kPrefix.size() + 6 || name.size() > kPrefix.size() + 10) return 0;
  if (name.compare(0, kPrefix.size(), kPrefix) != 0) return 0;
  uint64_t number = 0;
  for (size_t i = kPrefix.size(); i < name.size(); ++i) {
    if (name[i] < '0' || name[i] > '9') return 0;
    number = 10 * number + static_cast<uint64_t>(name[i] - '0');
  }
  return number <= 0xffffffffu ? static_cast<uint32_t>(number) : 0;
}

LogWriter::LogWriter(env::Env* env, LogOptions options, uint32_t number, Lsn lsn)
    : env_(env), options_(std::move(options)), write_lsn_(lsn.value()), next_number_(number), end_lsn_(lsn.value()) {
  has_spare_ = env_->FileExists(SparePath(options_.directory));
}

absl::Status LogWriter::StartSegment() {
  std::shared_ptr<env::File> previous;
  format::SegmentHeader header;
  bool is_reused;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    previous = file_;
    header.number = next_number_;
    is_reused = has_spare_;
  }
  if (previous != nullptr) TURDB_RETURN_IF_ERROR(SyncFile(previous.get()));
  const std::string path = SegmentPath(options_.directory, header.number);
  uint64_t size = 0;
  if (is_reused) {
    TURDB_RETURN_IF_ERROR(env_->RenameFile(SparePath(options_.directory), path));
    std::lock_guard<std::mutex> guard(mutex_);
    has_spare_ = false;
  }
  TURDB_ASSIGN_OR_RETURN(std::shared_ptr<env::File> file, env_->OpenFile(path, env::OpenMode::kCreate));
  if (is_reused) {
    TURDB_ASSIGN_OR_RETURN(size, file->Size());
  }
  header.format_version = format::kFormatVersion;
  header.salt = options_.salt;
  header.start_lsn = Lsn(write_lsn_);
  uint8_t bytes[format::kSegmentHeaderBytes];
  format::EncodeSegmentHeader(header, bytes);
  TURDB_RETURN_IF_ERROR(file->WriteAt(0, bytes, sizeof(bytes)));
  crc_ = Load<uint32_t>(bytes + sizeof(bytes) - 4);
  offset_ = sizeof(bytes);
  prepared_bytes_ = size;
  named_.clear();
  is_rotation_due_ = false;
  std::lock_guard<std::mutex> guard(mutex_);
  file_ = std::move(file);
  is_directory_dirty_ = true;
  segments_.push_back({header.number, header.start_lsn});
  ++next_number_;
  return absl::OkStatus();
}

absl::Status LogWriter::SyncFile(env::File* file) {
  absl::Status synced = file->Sync();
  if (!synced.ok()) has_failed_sync_.store(true, std::memory_order_release);
  return synced;
}

absl::Status LogWriter::Begin() {
  if (has_failed_sync()) return IoError("cannot write the log: a sync of it has failed; reopen");
  if (is_stuck_) return IoError("cannot write the log: a failed transaction could not be removed from it; reopen");
  payload_.clear();
  frames_.clear();
  if (is_rotation_due_ || offset_ >= options_.segment_bytes) TURDB_RETURN_IF_ERROR(StartSegment());
  begin_file_ = file_;
  begin_offset_ = offset_;
  begin_number_ = next_number() - 1;
  return absl::OkStatus();
}

absl::Status LogWriter::Name(FileId file, std::string_view path) {
  if (payload_.size() >= kFrameBytes) TURDB_RETURN_IF_ERROR(FinishFrame(FrameKind::kPart));
  if (!named_.insert(file.value()).second) return absl::OkStatus();
  payload_.push_back(static_cast<char>(LogOp::kFileName));
  AppendVarint(&payload_, file.value());
  AppendVarint(&payload_, path.size());
  payload_.append(path);
  return absl::OkStatus();
}

absl::Status LogWriter::AddCreate(FileId file, std::string_view path) {
  TURDB_RETURN_IF_ERROR(Name(file, path));
  payload_.push_back(static_cast<char>(LogOp::kCreate));
  AppendVarint(&payload_, file.value());
  return absl::OkStatus();
}

absl::Status LogWriter::AddDrop(FileId file, std::string_view path) {
  TURDB_RETURN_IF_ERROR(Name(file, path));
  payload_.push_back(static_cast<char>(LogOp::kDrop));
  AppendVarint(&payload_, file.value());
  return absl::OkStatus();
}

absl::Status LogWriter::AddPage(FileId file, std::string_view path, PageId id, const uint8_t* base,
                                const uint8_t* page) {
  TURDB_RETURN_IF_ERROR(Name(file, path));
  const size_t begin = payload_.size();
  const auto append = [&](LogOp op) {
    payload_.push_back(static_cast<char>(op));
    AppendVarint(&payload_, file.value());
    AppendVarint(&payload_, id.value());
  };
  append(base == nullptr ? LogOp::kZeroPage : LogOp::kPage);
  format::AppendPageDelta(base, page, &payload_);
  const size_t plain_bytes = payload_.size() - begin;
  if (base == nullptr || plain_bytes < kLongDeltaBytes) return absl::OkStatus();
  if (moved_ == nullptr) moved_ = std::make_unique<uint8_t[]>(format::kPageBytes);
  plain_.assign(payload_, begin, plain_bytes);
  payload_.resize(begin);
  append(LogOp::kMovedPage);
  if (format::AppendPageMoves(base, page, &payload_, moved_.get())) {
    format::AppendPageDelta(moved_.get(), page, &payload_);
    if (payload_.size() - begin < plain_bytes) return absl::OkStatus();
  }
  payload_.resize(begin);
  payload_ += plain_;
  return absl::OkStatus();
}

absl::Status LogWriter::FinishFrame(FrameKind kind) {
  crc_ = format::AppendFrame(crc_, kind, payload_, &frames_);
  payload_.clear();
  if (kind == FrameKind::kPart) {
    TURDB_RETURN_IF_ERROR(Flush());
    if (offset_ >= options_.segment_bytes) return StartSegment();
  }
  return absl::OkStatus();
}

absl::Status LogWriter::Flush() {
  const uint64_t end = offset_ + frames_.size();
  if (end <= prepared_bytes_) {
    TURDB_RETURN_IF_ERROR(file_->WriteAt(offset_, frames_.data(), frames_.size()));
  } else {
    const uint64_t prepared = (end + kPrepareBytes - 1) / kPrepareBytes * kPrepareBytes;
    const std::string_view zeros = std::string_view(Zeros()).substr(0, prepared - end);
    TURDB_RETURN_IF_ERROR(file_->WriteVectorAt(offset_, {frames_, zeros}));
    prepared_bytes_ = prepared;
  }
  bytes_written_.fetch_add(frames_.size(), std::memory_order_relaxed);
  write_lsn_ += frames_.size();
  offset_ = end;
  frames_.clear();
  return absl::OkStatus();
}

absl::StatusOr<Lsn> LogWriter::Commit() {
  TURDB_RETURN_IF_ERROR(FinishFrame(FrameKind::kCommit));
  TURDB_RETURN_IF_ERROR(Flush());
  end_lsn_.store(write_lsn_, std::memory_order_release);
  begin_file_.reset();
  return Lsn(write_lsn_);
}

Lsn LogWriter::CommitUnlogged(uint64_t bytes) {
  write_lsn_ += bytes;
  end_lsn_.store(write_lsn_, std::memory_order_release);
  return Lsn(write_lsn_);
}

absl::Status LogWriter::Abort() {
  payload_.clear();
  frames_.clear();
  write_lsn_ = end_lsn_.load();
  is_rotation_due_ = true;
  const auto begin_file = std::exchange(begin_file_, nullptr);
  if (begin_file == nullptr) return absl::OkStatus();
  if (begin_file == file_) {
    const uint8_t zeros[format::kFrameHeaderBytes] = {};
    return file_->WriteAt(begin_offset_, zeros, sizeof(zeros));
  }
  // Its later segments go, so that the next one can begin where it began. Its first frames stay: were they gone while a
  // loss of power brings the later segments back, the log would look damaged.
  std::lock_guard<std::mutex> guard(mutex_);
  while (segments_.back().number > begin_number_) {
    const absl::Status deleted = env_->DeleteFile(SegmentPath(options_.directory, segments_.back().number));
    if (!deleted.ok()) {
      is_stuck_ = true;
      return deleted;
    }
    next_number_ = segments_.back().number;
    segments_.pop_back();
  }
  file_ = begin_file;
  is_directory_dirty_ = true;
  return IoError("a transaction that spanned segments of the log was cut off");
}

absl::StatusOr<Lsn> LogWriter::Sync() {
  if (has_failed_sync()) return IoError("cannot sync the log: a sync of it has failed; reopen");
  std::shared_ptr<env::File> file;
  bool is_directory_dirty;
  Lsn target;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    file = file_;
    target = end_lsn();
    is_directory_dirty = std::exchange(is_directory_dirty_, false);
  }
  if (file != nullptr) TURDB_RETURN_IF_ERROR(SyncFile(file.get()));
  if (is_directory_dirty) TURDB_RETURN_IF_ERROR(env_->SyncDir(options_.directory));
  return target;
}

uint32_t LogWriter::FirstSegmentFor(Lsn lsn) const {
  std::lock_guard<std::mutex> guard(mutex_);
  if (segments_.empty()) return next_number_;
  size_t first = 0;
  while (first + 1 < segments_.size() && segments_[first + 1].start_lsn <= lsn) ++first;
  return segments_[first].number;
}

uint32_t LogWriter::next_number() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return next_number_;
}

void LogWriter::DropAll() {
  std::lock_guard<std::mutex> guard(mutex_);
  for (const Segment& segment : segments_) {
    env_->DeleteFile(SegmentPath(options_.directory, segment.number)).IgnoreError();
  }
  segments_.clear();
  if (std::exchange(has_spare_, false)) env_->DeleteFile(SparePath(options_.directory)).IgnoreError();
}

void LogWriter::DropSpare() {
  std::lock_guard<std::mutex> guard(mutex_);
  if (std::exchange(has_spare_, false)) env_->DeleteFile(SparePath(options_.directory)).IgnoreError();
}

void LogWriter::DropBefore(uint32_t segment) {
  std::vector<uint32_t> dropped;
  bool is_spare_wanted;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    while (segments_.size() > 1 && segments_.front().number < segment) {
      dropped.push_back(segments_.front().number);
      segments_.pop_front();
    }
    is_spare_wanted = !has_spare_ && !dropped.empty();
  }
  for (uint32_t number : dropped) {
    const std::string path = SegmentPath(options_.directory, number);
    if (is_spare_wanted && env_->RenameFile(path, SparePath(options_.directory)).ok()) {
      is_spare_wanted = false;
      std::lock_guard<std::mutex> guard(mutex_);
      has_spare_ = true;
    } else {
      env_->DeleteFile(path).IgnoreError();  // one left behind is removed by the next open
    }
  }
}

void LogWriter::AdoptOldSegment(uint32_t number, Lsn start_lsn) {
  std::lock_guard<std::mutex> guard(mutex_);
  segments_.push_back({number, start_lsn});
}

}  // namespace turdb::wal
