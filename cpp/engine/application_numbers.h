// user_version and application_id: two 32-bit numbers that belong to the application (PRAGMA of the same names, as in
// SQLite). They lie in the user area of the catalog file's page 0, behind what the catalog room keeps there, and change
// with the transaction.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "txn/store.h"

namespace turdb::engine {

enum class ApplicationNumber : uint8_t {
  kUserVersion = 0,
  kApplicationId = 1,
  kAutoVacuum = 2,  // not the application's: PRAGMA auto_vacuum plus one, 0 until it is set
};

absl::StatusOr<int32_t> ReadApplicationNumber(txn::Transaction* txn, ApplicationNumber which);
absl::Status WriteApplicationNumber(txn::Transaction* txn, ApplicationNumber which, int32_t value);  // REQUIRES: is_writing()

}  // namespace turdb::engine
