// Page checksums.
#include "format/page.h"

#include "base/crc32c.h"

namespace turdb::format {

uint32_t PageChecksum(FileId file, PageId page_id, const uint8_t* page) {
  uint8_t identity[8];
  Store<uint32_t>(identity, file.value());
  Store<uint32_t>(identity + 4, page_id.value());
  return Crc32c(Crc32c(0, identity, sizeof(identity)), page + kPageKindOffset, kPageBytes - kPageKindOffset);
}

}  // namespace turdb::format
