// Backup: one database copied over another while both are in use (sqlite3_backup_*).
//
// The source is copied as it is when the backup starts, however long it takes and whatever is written meanwhile. The
// target's content is replaced in one transaction that has the database for itself until the backup is done or given up:
// its readers go on with what they have, and a process killed in between leaves it as it was.
// Not thread-safe; independent of its connections once started.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/connection.h"

namespace turdb::engine {

class Backup {
 public:
  // `name`: "main" (or the default schema's own name). kMisuse for a closed connection or one database as both ends, kName for
  // another name, kBusy when the target is in a transaction or somebody else writes to it, kReadOnly.
  static absl::StatusOr<std::unique_ptr<Backup>> Start(Connection* source, Connection* target, std::string_view name);
  virtual ~Backup() = default;  // gives it up when it is not done

  // Copies up to `pages` (all that are left when negative). True when the target has the new content, durably as its
  // connection's synchronous says. After an error nothing is left to do but to destroy it.
  virtual absl::StatusOr<bool> Step(int64_t pages) = 0;
  virtual uint64_t total_pages() const = 0;
  virtual uint64_t remaining_pages() const = 0;
};

}  // namespace turdb::engine
