#include "txn/page_change.h"

#include <cstring>

#include "base/coding.h"
#include "format/page.h"
#include "format/page_delta.h"
#include "format/page_moves.h"

namespace turdb::txn {

void TakeLsnOfPage(pager::PageVersion* version) {
  version->set_lsn(Lsn(Load<uint64_t>(version->bytes() + format::kPageLsnOffset)));
}

bool ApplyPageChange(const wal::PageChange& change, pager::PageVersion* version, bool* is_new) {
  uint8_t* const page = version->bytes();
  if (change.is_from_zero) {
    std::memset(page, 0, format::kPageBytes);
    version->set_lsn(Lsn(0));
  }
  *is_new = version->lsn() < change.lsn;
  if (!*is_new) return true;
  if (change.moves != nullptr && format::ApplyPageMoves(change.moves, change.moves_end, page) == nullptr) return false;
  return format::ApplyPageDelta(change.delta, change.delta_end, page) != nullptr;
}

}  // namespace turdb::txn
