// Opening, mapping and writing of a data file.
#include "pager/data_file.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "pager/replaced_file.h"

namespace turdb::pager {
namespace {

using format::kPageBytes;

// Address space is free, mapping anew is not: a map is never shorter than this.
constexpr size_t kFirstMapBytes = 64u << 20;

void RaiseTo(std::atomic<uint32_t>& value, uint32_t to) {
  uint32_t now = value.load(std::memory_order_relaxed);
  while (now < to && !value.compare_exchange_weak(now, to, std::memory_order_acq_rel)) {
  }
}

}  // namespace

DataFile::DataFile(env::Env* env, std::string directory, std::string path, FileId id, OnDisk on_disk,
                   bool is_read_only, IntrusivePtr<PageMemory> memory, IntrusivePtr<OpenFiles> open_files)
    : env_(env),
      directory_(std::move(directory)),
      path_(std::move(path)),
      id_(id),
      is_read_only_(is_read_only),
      memory_(std::move(memory)),
      open_files_(std::move(open_files)),
      on_disk_(on_disk) {
  all_bits_.push_back(std::make_unique<Bits>(0));
  bits_.store(all_bits_.back().get(), std::memory_order_release);
}

DataFile::~DataFile() {
  if (open_files_) open_files_->Forget(this);
}

absl::StatusOr<IntrusivePtr<PageVersion>> DataFile::NewVersion(Epoch owner) {
  return memory_ ? memory_->NewVersion(owner) : PageVersion::New(owner);
}

IntrusivePtr<PageVersion> DataFile::NewHeapVersion(Epoch owner) {
  return memory_ ? memory_->NewHeapVersion(owner) : PageVersion::New(owner);
}

void DataFile::GrowBitsLocked(uint32_t pages) {
  const Bits* old = bits_.load(std::memory_order_relaxed);
  const uint32_t needed = static_cast<uint32_t>((uint64_t{pages} + 63) / 64);
  if (needed <= old->n_words) return;
  auto larger = std::make_unique<Bits>(std::max(needed, 2 * old->n_words));
  // A bit set in the old words meanwhile is lost, which costs one more check of that page.
  for (uint32_t i = 0; i < larger->n_words; ++i) {
    larger->words[i].store(i < old->n_words ? old->words[i].load(std::memory_order_relaxed) : 0,
                           std::memory_order_relaxed);
  }
  bits_.store(larger.get(), std::memory_order_release);
  all_bits_.push_back(std::move(larger));
}

void DataFile::MarkVerified(PageId first, uint32_t n) {
  const uint64_t end = uint64_t{first.value()} + n;
  const Bits* bits = bits_.load(std::memory_order_acquire);
  if (end > uint64_t{bits->n_words} * 64) {
    std::lock_guard<std::mutex> guard(mutex_);
    GrowBitsLocked(static_cast<uint32_t>(end));
    bits = bits_.load(std::memory_order_relaxed);
  }
  for (uint64_t page = first.value(); page < end;) {
    const uint64_t in_word = std::min<uint64_t>(64 - (page & 63), end - page);
    const uint64_t mask = (in_word == 64 ? ~uint64_t{0} : (uint64_t{1} << in_word) - 1) << (page & 63);
    bits->words[page >> 6].fetch_or(mask, std::memory_order_release);
    page += in_word;
  }
}

absl::StatusOr<std::unique_ptr<env::File>> DataFile::OpenRightFile() {
  const auto mode = is_read_only_ ? env::OpenMode::kReadOnly : env::OpenMode::kReadWrite;
  auto present = env_->OpenFile(full_path(), mode);
  if (!replaced_directory_.empty()) {
    TURDB_ASSIGN_OR_RETURN(const std::string replaced, FindReplacedFile(env_, replaced_directory_, id_, known_replacements_));
    if (!replaced.empty()) return env_->OpenFile(replaced, env::OpenMode::kReadOnly);
  }
  if (present.ok() || env_->FileExists(full_path())) return present;
  return CorruptionError("file '", path_, "' of the database is missing from '", directory_, "'");
}

// Another process may have replaced the file while it was closed here, and removed the name it had for late comers: nobody claimed
// a state that needs it.
absl::Status DataFile::CheckIdentityLocked(env::File* file) {
  TURDB_ASSIGN_OR_RETURN(std::string identity, file->Identity());
  if (identity_.empty()) identity_ = std::move(identity);
  else if (identity != identity_) return IoError("file '", path_, "' of the database was replaced and is not there any more");
  return absl::OkStatus();
}

absl::Status DataFile::OpenLocked() {
  if (file_ != nullptr || on_disk_ == OnDisk::kNo) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(std::shared_ptr<env::File> file, OpenRightFile());
  if (is_read_only_) TURDB_RETURN_IF_ERROR(CheckIdentityLocked(file.get()));
  if (!was_opened_) {
    TURDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
    const auto pages = static_cast<uint32_t>(size / kPageBytes);
    RaiseTo(file_pages_, pages);
    RaiseTo(unprotected_from_, pages);
  }
  SetFileLocked(std::move(file));
  return absl::OkStatus();
}

void DataFile::SetFileLocked(std::shared_ptr<env::File> file) {
  const bool is_noted = file_ != nullptr;
  file_ = std::move(file);
  was_opened_ = true;
  if (open_files_ && !is_noted) open_files_->NoteOpened(this);
}

absl::StatusOr<std::shared_ptr<env::File>> DataFile::Opened() {
  std::lock_guard<std::mutex> guard(mutex_);
  TURDB_RETURN_IF_ERROR(OpenLocked());
  if (file_ == nullptr) return CorruptionError("file '", path_, "' is not on disk");
  return file_;
}

bool DataFile::TryClose() {
  std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  const bool is_needed = !lock.owns_lock() || is_being_unlinked_ || file_.use_count() > 1;
  if (is_needed || !failed_sync_.ok()) return false;
  if (is_read_only_ && !mapping_) {
    auto mapping = NewMappingLocked(kFirstMapBytes, maps_->oldest_state);
    if (!mapping.ok()) return false;
    mapping_ = *std::move(mapping);
    map_bytes_ = mapping_->size();
  }
  if (n_synced_writes_ < n_writes_) {
    failed_sync_ = file_->Sync();
    if (!failed_sync_.ok()) return false;
    n_synced_writes_ = n_writes_;
  }
  file_ = nullptr;
  return true;
}

absl::StatusOr<IntrusivePtr<SharedMapping>> DataFile::NewMappingLocked(size_t bytes, Lsn oldest_state) {
  TURDB_ASSIGN_OR_RETURN(auto mapping, file_->Map(bytes));
  return MakeIntrusive<SharedMapping>(std::move(mapping), maps_, oldest_state);
}

absl::StatusOr<IntrusivePtr<SharedMapping>> DataFile::MappingFor(uint32_t pages) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (on_disk_ == OnDisk::kNo) return IntrusivePtr<SharedMapping>();
  const size_t needed = size_t{pages} * kPageBytes;
  if (!mapping_ || mapping_->size() < needed) {
    TURDB_RETURN_IF_ERROR(OpenLocked());
    const size_t doubled = needed > map_bytes_ ? 2 * map_bytes_ : map_bytes_;
    TURDB_ASSIGN_OR_RETURN(mapping_, NewMappingLocked(std::max({needed, doubled, kFirstMapBytes}), maps_->oldest_state));
    map_bytes_ = mapping_->size();
  }
  GrowBitsLocked(pages);
  return mapping_;
}

absl::Status DataFile::Refresh() {
  std::lock_guard<std::mutex> guard(mutex_);
  if (on_disk_ == OnDisk::kNo && env_->FileExists(full_path())) on_disk_ = OnDisk::kYes;
  TURDB_RETURN_IF_ERROR(OpenLocked());
  if (file_ == nullptr) return absl::OkStatus();
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, file_->Size());
  RaiseTo(file_pages_, static_cast<uint32_t>(size / kPageBytes));
  return absl::OkStatus();
}

void DataFile::SearchReplaced(std::string directory, Lsn known) {
  std::lock_guard<std::mutex> guard(mutex_);
  replaced_directory_ = std::move(directory);
  known_replacements_ = known;
}

absl::StatusOr<bool> DataFile::EnsureOnDisk() {
  std::lock_guard<std::mutex> guard(mutex_);
  if (on_disk_ == OnDisk::kNo) {
    if (is_being_unlinked_) return false;
    TURDB_ASSIGN_OR_RETURN(std::shared_ptr<env::File> file, env_->OpenFile(full_path(), env::OpenMode::kCreate));
    SetFileLocked(std::move(file));
    on_disk_ = OnDisk::kYes;
    is_directory_dirty_.store(true);
  }
  TURDB_RETURN_IF_ERROR(OpenLocked());
  return true;
}

bool DataFile::is_on_disk() {
  std::lock_guard<std::mutex> guard(mutex_);
  return on_disk_ == OnDisk::kYes;
}

absl::Status DataFile::ReadPage(PageId id, uint8_t* to) {
  TURDB_ASSIGN_OR_RETURN(const auto file, Opened());
  if (id.value() >= file_pages()) {
    return CorruptionError("file '", path_, "' is truncated: it ends before page ", id.value());
  }
  TURDB_RETURN_IF_ERROR(file->ReadAt(uint64_t{id.value()} * kPageBytes, to, kPageBytes));
  if (!format::IsPageIntact(id_, id, to)) {
    return CorruptionError("file '", path_, "': page ", id.value(), " is damaged (its checksum does not match)");
  }
  return absl::OkStatus();
}

absl::Status DataFile::WritePages(PageId first, uint32_t n, const uint8_t* pages) {
  std::shared_ptr<env::File> file;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(OpenLocked());
    file = file_;
    ++n_writes_;
  }
  TURDB_RETURN_IF_ERROR(file->WriteAt(uint64_t{first.value()} * kPageBytes, pages, size_t{n} * kPageBytes));
  RaiseTo(file_pages_, first.value() + n);
  MarkVerified(first, n);
  return absl::OkStatus();
}

void DataFile::StartWriteback(PageId first, uint32_t n) {
  const auto file = Opened();
  if (file.ok()) (*file)->StartWriteback(uint64_t{first.value()} * kPageBytes, uint64_t{n} * kPageBytes);
}

absl::Status DataFile::Reserve(PageId first, uint32_t n) {
  // Small runs are left to the file system; long ones are reserved ahead in steps that double, up to 32 MiB.
  constexpr uint64_t kSmallest = 1u << 20, kLargest = 32u << 20;
  const uint64_t end = uint64_t{n} * kPageBytes;
  const uint64_t run = end - uint64_t{first.value()} * kPageBytes;
  if (run < kSmallest || end <= reserved_bytes_) return absl::OkStatus();
  reserved_bytes_ = end + std::min(run, kLargest);
  TURDB_ASSIGN_OR_RETURN(const auto file, Opened());
  const absl::Status status = file->Preallocate(reserved_bytes_);
  if (status.ok() || KindOf(status) != ErrorKind::kDiskFull) return status;
  reserved_bytes_ = end;  // there may be room for what is needed now
  return file->Preallocate(end);
}

absl::Status DataFile::TrimReserve(uint32_t n) {
  const uint64_t end = uint64_t{n} * kPageBytes;
  if (reserved_bytes_ <= end) return absl::OkStatus();
  reserved_bytes_ = 0;
  TURDB_ASSIGN_OR_RETURN(const auto file, Opened());
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  return size > end ? file->Truncate(end) : absl::OkStatus();
}

absl::Status DataFile::Sync() {
  std::shared_ptr<env::File> file;
  uint64_t n_writes;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    TURDB_RETURN_IF_ERROR(failed_sync_);
    TURDB_RETURN_IF_ERROR(OpenLocked());
    file = file_;
    n_writes = n_writes_;
  }
  TURDB_RETURN_IF_ERROR(file->Sync());
  std::lock_guard<std::mutex> guard(mutex_);
  n_synced_writes_ = std::max(n_synced_writes_, n_writes);
  return absl::OkStatus();
}

absl::Status DataFile::Unlink() {
  std::lock_guard<std::mutex> guard(mutex_);
  if (on_disk_ == OnDisk::kNo) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(OpenLocked());
  is_being_unlinked_ = true;
  return env_->DeleteFile(full_path());
}

absl::Status DataFile::Replace(const std::string& copy, Lsn written) {
  TURDB_ASSIGN_OR_RETURN(std::shared_ptr<env::File> file, env_->OpenFile(copy, env::OpenMode::kReadWrite));
  TURDB_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  // The one that is open stays so while the path may name the other already: nobody may open the one for the other.
  TURDB_ASSIGN_OR_RETURN(const auto kept_open, Opened());
  TURDB_RETURN_IF_ERROR(env_->RenameFile(copy, full_path()));
  std::lock_guard<std::mutex> guard(mutex_);
  RaiseTo(file_pages_, static_cast<uint32_t>(size / kPageBytes));
  SetFileLocked(std::move(file));
  mapping_ = nullptr;
  maps_ = std::make_shared<MapSet>();
  maps_->oldest_state = written;
  set_oldest_state(written);
  return absl::OkStatus();
}

void DataFile::Protect(uint32_t page_count) { RaiseTo(unprotected_from_, page_count); }

}  // namespace turdb::pager
