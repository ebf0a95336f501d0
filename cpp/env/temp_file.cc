#include "env/temp_file.h"

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::env {

absl::StatusOr<TempBlock> TempSpace::Append(std::string_view bytes) {
  if (file_ == nullptr) {
    TURDB_ASSIGN_OR_RETURN(file_, place_.env->OpenTempFile(place_.directory));
  }
  TURDB_RETURN_IF_ERROR(file_->WriteAt(size_, bytes.data(), bytes.size()));
  const TempBlock block{size_, bytes.size(), Crc32c(0, bytes.data(), bytes.size())};
  size_ += bytes.size();
  return block;
}

absl::Status TempSpace::Read(const TempBlock& block, char* to) {
  if (file_ == nullptr) return InternalError("a block is read from a temporary file that was never written");
  TURDB_RETURN_IF_ERROR(file_->ReadAt(block.offset, to, block.length));
  if (Crc32c(0, to, block.length) == block.checksum) return absl::OkStatus();
  return CorruptionError("'", file_->path(), "' is damaged: the block at byte ", block.offset, " has a wrong checksum");
}

void TempSpace::Reset() {
  file_ = nullptr;
  size_ = 0;
}

}  // namespace turdb::env
