// What a data file does before a checkpoint overwrites pages that an old snapshot still shows: in this process the maps are
// redirected, for other processes the file is left and a copy takes its place.
//
// A page that is about to be overwritten is preserved in every map that a state older than the one written may read
// through. Newer states that read through such a map, too, have a version of the page in their own table, so none is misled.
// Preserved blocks are larger than a page in large files, so that no map is cut into more pieces than the operating
// system allows; neighbours that are preserved early cost disk space only, at most the file's length a map.
#include <algorithm>
#include <bit>
#include <map>

#include "base/errors.h"
#include "base/status_macros.h"
#include "pager/data_file.h"

namespace turdb::pager {
namespace {

using format::kPageBytes;

constexpr uint32_t kMostBlocks = 4096;   // of one map
constexpr uint32_t kMostRanges = 12288;  // of one store, each up to two pieces more of the 65,530 that Linux allows a process

uint32_t PagesOf(const SharedMapping& map) { return static_cast<uint32_t>(map.size() / kPageBytes); }

// Preserves pages [begin, end) in the maps, where they are not preserved already. REQUIRES: the set's mutex is held.
absl::Status PreserveBlock(const std::vector<SharedMapping*>& maps, uint32_t begin, uint32_t end, PreservedSpace* space) {
  std::map<std::pair<uint32_t, uint32_t>, IntrusivePtr<PreservedRun>> runs;  // what several maps share is stored once
  for (SharedMapping* map : maps) {
    const uint32_t limit = std::min(end, PagesOf(*map));
    for (uint32_t page = begin; page < limit;) {
      if (map->HasPreserved(page)) {
        ++page;
        continue;
      }
      const uint32_t plain_end = map->EndOfPlain(page, limit);
      IntrusivePtr<PreservedRun>& run = runs[{page, plain_end}];
      if (!run) {
        TURDB_ASSIGN_OR_RETURN(run, space->Add(map->data() + size_t{page} * kPageBytes, plain_end - page));
        if (!run) return UnsupportedError("there is no disk to preserve pages on");
      }
      if (space->n_ranges() >= kMostRanges) return UnsupportedError("too many ranges of files are preserved for old snapshots");
      TURDB_RETURN_IF_ERROR(map->Redirect(page, run, 0, plain_end - page));
      page = plain_end;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DataFile::Preserve(const std::vector<PageId>& pages, const OldReaders& readers, Lsn written,
                                PreservedSpace* space) {
  std::lock_guard<std::mutex> guard(mutex_);
  mapping_ = nullptr;  // who looks from now on gets a new one
  std::lock_guard<std::mutex> set_guard(maps_->mutex);
  maps_->oldest_state = written;
  std::vector<SharedMapping*> maps;
  for (const MapSet::Entry& entry : maps_->maps) {
    if (entry.oldest_state <= readers.newest_state) maps.push_back(entry.map);
  }
  if (maps.empty()) return absl::OkStatus();
  const uint32_t limit = std::min(readers.page_limit, file_pages());
  const uint32_t block = std::bit_ceil(std::max(1u, limit / kMostBlocks));
  uint32_t done = 0;
  for (PageId id : pages) {
    const uint32_t page = id.value();
    if (page >= limit) break;
    if (!IsVerified(id)) {
      const auto covers = [page](const SharedMapping* map) { return PagesOf(*map) > page; };
      const auto map = std::find_if(maps.begin(), maps.end(), covers);
      if (map != maps.end() && !format::IsPageIntact(id_, id, (*map)->data() + size_t{page} * kPageBytes)) {
        return CorruptionError("file '", path_, "': page ", page, " is damaged (its checksum does not match)");
      }
    }
    if (page < done) continue;
    const uint32_t begin = std::max(done, page / block * block);
    done = std::min(limit, page / block * block + block);
    TURDB_RETURN_IF_ERROR(PreserveBlock(maps, begin, done, space));
  }
  return absl::OkStatus();
}

absl::StatusOr<IntrusivePtr<SharedMapping>> DataFile::Lengthened(const IntrusivePtr<SharedMapping>& map,
                                                                 uint32_t pages) {
  const size_t needed = size_t{pages} * kPageBytes;
  if (map && map->size() >= needed) return map;
  if (!map) return MappingFor(pages);
  {
    std::lock_guard<std::mutex> guard(mutex_);
    std::unique_lock<std::mutex> set_guard(maps_->mutex);
    const Lsn oldest_state = maps_->OldestStateOf(map.get());
    if (oldest_state != maps_->oldest_state || map->has_preserved_pages()) {
      set_guard.unlock();
      TURDB_ASSIGN_OR_RETURN(auto longer, NewMappingLocked(std::max(needed, 2 * map->size()), oldest_state));
      GrowBitsLocked(pages);
      set_guard.lock();
      const absl::Status redirected = longer->RedirectLike(*map);
      set_guard.unlock();  // before the map could go
      TURDB_RETURN_IF_ERROR(redirected);
      return longer;
    }
  }
  return MappingFor(pages);
}

// --- replacing -------------------------------------------------------------------------------

std::shared_ptr<void> DataFile::TakeDirectRight(const IntrusivePtr<SharedMapping>& map) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (is_being_replaced_ || (map && map->set() != maps_.get())) return nullptr;
  ++n_direct_rights_;
  IntrusivePtr<DataFile> self(this);
  return std::shared_ptr<void>(this, [self](void*) {
    std::lock_guard<std::mutex> given_back(self->mutex_);
    --self->n_direct_rights_;
  });
}

bool DataFile::BeginReplacing() {
  std::lock_guard<std::mutex> guard(mutex_);
  is_being_replaced_ = n_direct_rights_ == 0 && !is_being_unlinked_;
  return is_being_replaced_;
}

bool DataFile::BeginUnlinking() {
  std::lock_guard<std::mutex> guard(mutex_);
  is_being_unlinked_ = !is_being_replaced_;
  return is_being_unlinked_;
}

void DataFile::EndReplacing() {
  std::lock_guard<std::mutex> guard(mutex_);
  is_being_replaced_ = false;
}

absl::Status DataFile::CopyTo(env::File* to, uint64_t* bytes) {
  TURDB_ASSIGN_OR_RETURN(const auto file, Opened());
  TURDB_ASSIGN_OR_RETURN(*bytes, file->Size());
  return to->CopyFrom(*file, *bytes);
}

}  // namespace turdb::pager
