// Encoding and decoding of turdb.meta.
#include "format/directory_meta.h"

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/errors.h"
#include "format/file_header.h"
#include "format/page.h"

namespace turdb::format {
namespace {

constexpr size_t kFixedBytes = 48;
constexpr size_t kChecked = 16;  // the checksum covers bytes from here

absl::Status Damaged(std::string_view path, std::string_view what) {
  return CorruptionError("'", path, "' is damaged: ", what);
}

}  // namespace

std::string EncodeDirectoryMeta(const DirectoryMeta& meta) {
  std::string out(kMetaMagic);
  AppendFixed<uint32_t>(&out, kFormatVersion);
  AppendFixed<uint32_t>(&out, 0);
  AppendFixed<uint32_t>(&out, kPageBytes);
  AppendFixed<uint32_t>(&out, meta.next_file_id.value());
  AppendFixed<uint64_t>(&out, meta.salt);
  AppendFixed<uint64_t>(&out, meta.checkpoint_lsn.value());
  AppendFixed<uint32_t>(&out, meta.first_segment);
  AppendFixed<uint32_t>(&out, static_cast<uint32_t>(meta.files.size()));
  for (const DirectoryMeta::File& file : meta.files) {
    AppendFixed<uint32_t>(&out, file.id.value());
    AppendFixed<uint32_t>(&out, file.page_count);
    AppendFixed<uint16_t>(&out, static_cast<uint16_t>(file.path.size()));
    out += file.path;
  }
  Store<uint32_t>(out.data() + 12, Crc32c(0, out.data() + kChecked, out.size() - kChecked));
  return out;
}

absl::StatusOr<DirectoryMeta> DecodeDirectoryMeta(std::string_view bytes, std::string_view path) {
  if (bytes.substr(0, kMetaMagic.size()) != kMetaMagic) {
    if (bytes.size() < kMetaMagic.size()) return Damaged(path, "it is too short");
    return ForeignFileError("'", path, "' is not a file of turdb");
  }
  if (bytes.size() < kFixedBytes) return Damaged(path, "it is too short");
  const char* at = bytes.data();
  const uint32_t version = Load<uint32_t>(at + 8);
  if (version > kFormatVersion) {
    return NewerFormatError("'", path, "' was written by a newer turdb (format ", version, ", this one knows ",
                            kFormatVersion, ")");
  }
  if (Load<uint32_t>(at + 12) != Crc32c(0, at + kChecked, bytes.size() - kChecked)) {
    return Damaged(path, "its checksum does not match");
  }
  if (Load<uint32_t>(at + 16) != kPageBytes) return Damaged(path, "it names another page size");
  DirectoryMeta meta;
  meta.next_file_id = FileId(Load<uint32_t>(at + 20));
  meta.salt = Load<uint64_t>(at + 24);
  meta.checkpoint_lsn = Lsn(Load<uint64_t>(at + 32));
  meta.first_segment = Load<uint32_t>(at + 40);
  const uint32_t n_files = Load<uint32_t>(at + 44);
  std::string_view rest = bytes.substr(kFixedBytes);
  for (uint32_t i = 0; i < n_files; ++i) {
    if (rest.size() < 10) return Damaged(path, "its list of files is cut short");
    const size_t length = Load<uint16_t>(rest.data() + 8);
    if (rest.size() < 10 + length) return Damaged(path, "its list of files is cut short");
    meta.files.push_back({FileId(Load<uint32_t>(rest.data())), Load<uint32_t>(rest.data() + 4),
                          std::string(rest.substr(10, length))});
    rest.remove_prefix(10 + length);
  }
  return meta;
}

}  // namespace turdb::format
