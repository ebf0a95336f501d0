// The actions of the table in recovery.h.
#include "txn/recovery.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/errors.h"
#include "base/status_macros.h"
#include "env/temp_file.h"
#include "format/file_header.h"
#include "pager/replaced_file.h"
#include "txn/page_change.h"
#include "txn/write_back.h"
#include "wal/log_files.h"

namespace turdb::txn {

using format::kPageBytes;
using pager::DataFile;
using pager::OnDisk;
using pager::PageVersion;

Recovery::Recovery(env::Env* env, std::string directory, const format::DirectoryMeta& meta, bool is_read_only,
                   IntrusivePtr<pager::PageMemory> memory, IntrusivePtr<pager::OpenFiles> open_files, Lsn limit)
    : env_(env),
      directory_(std::move(directory)),
      meta_(meta),
      is_read_only_(is_read_only),
      memory_(std::move(memory)),
      open_files_(std::move(open_files)),
      log_(env, LogDirectory(directory_), meta.salt, meta.first_segment, meta.checkpoint_lsn, limit),
      epoch_(pager::NextEpoch()),
      next_file_id_(meta.next_file_id) {}

absl::Status Recovery::Run() {
  for (const auto& entry : meta_.files) {
    File& file = files_[entry.id];
    file.file = MakeIntrusive<DataFile>(env_, directory_, entry.path, entry.id, OnDisk::kYes, is_read_only_, memory_,
                                       open_files_);
    file.page_count = entry.page_count;
    file.file->set_directory_dirty(true);  // a killed process may have replaced it, and not come to sync the folder
  }
  TURDB_RETURN_IF_ERROR(log_.Scan());
  TURDB_RETURN_IF_ERROR(RepairTornPages());
  TURDB_RETURN_IF_ERROR(log_.Replay(this));
  if (!is_read_only_) TURDB_RETURN_IF_ERROR(SyncWhatIsReliedOn());
  BuildState();
  return absl::OkStatus();
}

// --- torn pages ------------------------------------------------------------------------------

absl::Status Recovery::RepairTornPages() {
  DoubleWrite area(env_, DoubleWritePath(directory_), meta_.salt);
  std::map<FileId, std::unique_ptr<env::File>> files;
  TURDB_RETURN_IF_ERROR(
      area.ReadImages(meta_.checkpoint_lsn, [&](DoubleWrite::Entry entry, const uint8_t* image) -> absl::Status {
        auto& file = files[entry.file];
        if (file == nullptr) {
          TURDB_ASSIGN_OR_RETURN(file, OpenForRepair(entry.file));
        }
        return file == nullptr ? absl::OkStatus() : RepairPage(file.get(), entry.file, entry.page, image);
      }));
  if (is_read_only_) return absl::OkStatus();
  // The pages found whole, too: a killed process may have written them without a sync, and the next checkpoint
  // overwrites the area.
  for (auto& [id, file] : files) {
    if (file != nullptr) TURDB_RETURN_IF_ERROR(file->Sync());
  }
  return absl::OkStatus();
}

// Null when there is nothing to repair: the file is not on disk or not wanted any more.
absl::StatusOr<std::unique_ptr<env::File>> Recovery::OpenForRepair(FileId file) {
  std::string path;
  const auto known = files_.find(file);
  const auto named = log_.file_names().find(file);
  if (known != files_.end()) {
    path = known->second.file->full_path();
  } else if (named != log_.file_names().end()) {
    path = directory_ + "/" + named->second;
  }
  if (log_.IsDropped(file) || path.empty() || !env_->FileExists(path)) return std::unique_ptr<env::File>();
  return env_->OpenFile(path, is_read_only_ ? env::OpenMode::kReadOnly : env::OpenMode::kReadWrite);
}

absl::Status Recovery::RepairPage(env::File* data, FileId file, PageId page, const uint8_t* image) {
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, data->Size());
  const uint64_t offset = uint64_t{page.value()} * kPageBytes;
  std::string bytes(kPageBytes, '\0');
  if (offset + kPageBytes <= size) {
    TURDB_RETURN_IF_ERROR(data->ReadAt(offset, bytes.data(), kPageBytes));
    if (format::IsPageIntact(file, page, reinterpret_cast<const uint8_t*>(bytes.data()))) {
      return is_read_only_ ? absl::OkStatus() : data->WriteAt(offset, bytes.data(), kPageBytes);  // see write_back.h
    }
  }
  if (is_read_only_) {
    repaired_[{file.value(), page.value()}].assign(reinterpret_cast<const char*>(image), kPageBytes);
    return absl::OkStatus();
  }
  return data->WriteAt(offset, image, kPageBytes);
}

// --- replay ----------------------------------------------------------------------------------

absl::Status Recovery::OnCreate(FileId file, const std::string& path) {
  if (path.empty() || files_.count(file) > 0) {
    return CorruptionError("the log of '", directory_, "' creates file ", file.value(), " twice or without a name");
  }
  next_file_id_ = std::max(next_file_id_, file + 1);
  if (log_.IsDropped(file)) return absl::OkStatus();
  const OnDisk on_disk = env_->FileExists(directory_ + "/" + path) ? OnDisk::kYes : OnDisk::kNo;
  files_[file].file = MakeIntrusive<DataFile>(env_, directory_, path, file, on_disk, is_read_only_, memory_, open_files_);
  files_[file].file->set_directory_dirty(true);
  return absl::OkStatus();
}

absl::Status Recovery::OnDrop(FileId file) {
  files_.erase(file);
  return absl::OkStatus();
}

absl::Status Recovery::ReadBase(File& file, PageId page, uint8_t* to) {
  const auto repaired = repaired_.find({file.file->id().value(), page.value()});
  if (repaired != repaired_.end()) {
    std::memcpy(to, repaired->second.data(), kPageBytes);
    return absl::OkStatus();
  }
  return file.file->ReadPage(page, to);
}

absl::Status Recovery::OnPage(FileId file, PageId page, const wal::PageChange& change) {
  if (log_.IsDropped(file)) return absl::OkStatus();
  const auto found = files_.find(file);
  if (found == files_.end()) {
    return CorruptionError("the log of '", directory_, "' changes file ", file.value(), ", which does not exist");
  }
  PageVersion* version = found->second.table.FindVersion(page);
  if (version == nullptr) {
    TURDB_ASSIGN_OR_RETURN(auto made, found->second.file->NewVersion(epoch_));
    if (!change.is_from_zero) {
      TURDB_RETURN_IF_ERROR(ReadBase(found->second, page, made->bytes()));
      TakeLsnOfPage(made.get());
    }
    version = made.get();
    found->second.table.Set(page, std::move(made), epoch_);
  }
  bool is_new = false;  // false: an interrupted checkpoint wrote the page with this change in it
  if (!ApplyPageChange(change, version, &is_new)) {
    return CorruptionError("the log of '", directory_, "' holds a damaged delta of page ", page.value(), " of '",
                           found->second.file->path(), "'");
  }
  if (page.value() == 0) {
    found->second.page_count = Load<uint32_t>(version->bytes() + format::kHeaderPageCountOffset);
  }
  if (is_new) touched_.push_back(version);
  return absl::OkStatus();
}

absl::Status Recovery::OnFrameEnd(format::FrameKind, Lsn lsn) {
  for (PageVersion* version : touched_) version->set_lsn(lsn);
  touched_.clear();
  return absl::OkStatus();
}

// --- afterwards ------------------------------------------------------------------------------

// What a killed process had written but not synced is now relied on.
absl::Status Recovery::SyncWhatIsReliedOn() {
  TURDB_RETURN_IF_ERROR(env_->SyncDir(directory_));  // turdb.meta, before what an older one needs is removed
  if (log_.commits() == 0) return absl::OkStatus();
  for (const auto& segment : log_.segments()) {
    TURDB_ASSIGN_OR_RETURN(auto file, env_->OpenFile(segment.path, env::OpenMode::kReadWrite));
    TURDB_RETURN_IF_ERROR(WriteBack(file.get()));
  }
  return env_->SyncDir(LogDirectory(directory_));
}

bool Recovery::IsGarbage(const std::string& path) const {
  constexpr std::array<std::string_view, 4> kExtensions = {".tbd", ".idx", ".hnsw", ".vec"};
  const size_t dot = path.rfind('.');
  if (dot == std::string::npos) return false;
  const std::string_view extension = std::string_view(path).substr(dot);
  if (std::find(kExtensions.begin(), kExtensions.end(), extension) == kExtensions.end()) return false;
  auto file = env_->OpenFile(path, env::OpenMode::kReadOnly);
  if (!file.ok()) return false;
  auto size = (*file)->Size();
  std::string page(kPageBytes, '\0');
  if (!size.ok() || *size < kPageBytes || !(*file)->ReadAt(0, page.data(), kPageBytes).ok()) return size.ok();
  return format::HasFileMagic(reinterpret_cast<const uint8_t*>(page.data())) ||
         std::all_of(page.begin(), page.end(), [](char c) { return c == 0; });
}

absl::Status Recovery::RemoveGarbage(bool with_data_files) {
  const std::set<std::string> known = paths();
  std::vector<std::string> schemas;
  if (with_data_files) {
    TURDB_ASSIGN_OR_RETURN(schemas, env_->ListDir(directory_));
  }
  for (const std::string& schema : schemas) {
    const std::string schema_path = directory_ + "/" + schema;
    if (env::IsTempFileName(schema)) TURDB_RETURN_IF_ERROR(env_->DeleteFile(schema_path));
    if (schema == "wal" || !env_->DirExists(schema_path)) continue;
    TURDB_ASSIGN_OR_RETURN(const auto names, env_->ListDir(schema_path));
    for (const std::string& name : names) {
      if (known.count(schema + "/" + name) > 0 || !IsGarbage(schema_path + "/" + name)) continue;
      TURDB_RETURN_IF_ERROR(env_->DeleteFile(schema_path + "/" + name));
    }
  }
  TURDB_ASSIGN_OR_RETURN(const auto segments, env_->ListDir(LogDirectory(directory_)));
  for (const std::string& name : segments) {
    const uint32_t number = wal::SegmentNumber(name);
    const bool is_needed = number >= meta_.first_segment && number < log_.next_segment();
    const bool is_spill = name.rfind("spill.", 0) == 0;  // of a process that died before it took the name away
    // What the next segments were to be written over. Its bytes may be those of a segment whose name did not get to the disk,
    // and would be good ones again under it.
    const bool is_spare = LogDirectory(directory_) + "/" + name == wal::SparePath(LogDirectory(directory_));
    // Of processes that have read the file since are no snapshots left.
    const bool is_replaced = with_data_files && pager::ParseReplacedFileName(name).has_value();
    if (is_spill || is_spare || is_replaced || (number != 0 && !is_needed)) TURDB_RETURN_IF_ERROR(env_->DeleteFile(LogDirectory(directory_) + "/" + name));
  }
  return absl::OkStatus();
}

std::set<std::string> Recovery::paths() const {
  std::set<std::string> paths;
  for (const auto& [id, file] : files_) paths.insert(file.file->path());
  return paths;
}

void Recovery::BuildState() {
  state_ = MakeIntrusive<DatabaseState>(log_.end_lsn());
  for (auto& [id, file] : files_) {
    state_->Set(id, MakeIntrusive<pager::FileState>(file.file, std::move(file.table), file.page_count,
                                                    pager::NextContentVersion()));
  }
}

}  // namespace turdb::txn
