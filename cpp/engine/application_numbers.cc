#include "engine/application_numbers.h"

#include "base/coding.h"
#include "base/status_macros.h"

namespace turdb::engine {
namespace {

constexpr size_t kOffset = pager::kUserAreaOffset + 192;  // the catalog's own fields lie below
static_assert(192 + 3 * sizeof(int32_t) <= pager::kUserAreaBytes);

size_t PlaceOf(ApplicationNumber which) { return kOffset + static_cast<size_t>(which) * sizeof(int32_t); }

}  // namespace

absl::StatusOr<int32_t> ReadApplicationNumber(txn::Transaction* txn, ApplicationNumber which) {
  TURDB_ASSIGN_OR_RETURN(auto view, txn->View(txn::kCatalogFile));
  const uint8_t* page = view.Page(PageId(0));
  if (page == nullptr) return view.PageError(PageId(0));
  return Load<int32_t>(page + PlaceOf(which));
}

absl::Status WriteApplicationNumber(txn::Transaction* txn, ApplicationNumber which, int32_t value) {
  TURDB_ASSIGN_OR_RETURN(pager::FileWriter * writer, txn->Writer(txn::kCatalogFile));
  TURDB_ASSIGN_OR_RETURN(uint8_t * page, writer->MutablePage(PageId(0)));
  Store<int32_t>(page + PlaceOf(which), value);
  return absl::OkStatus();
}

}  // namespace turdb::engine
