// LockOwner: a transaction as the lock table knows it, and the locks that it holds.
//
// The rows and keys that it holds of a table are in a book of its own (lock_book.h). While it is the only one that has to do with
// the table nobody looks into that, and a lock is taken without the lock table. Whoever locks the table next, for whatever, first
// tells the owner that it is alone no more; from then on its book changes under the lock table's mutex.
// Belongs to one thread at a time; what others may touch is said.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/inlined_vector.h"
#include "base/strong_id.h"
#include "txn/lock_book.h"
#include "txn/lock_mode.h"

namespace turdb::txn {

class LockOwner {
 public:
  // The lowest id is the oldest. The address is the identity while it holds or waits.
  TxnId id() const { return id_; }
  void set_id(TxnId id) { id_ = id; }
  LockMode Held(const LockKey& key) const {
    if (key.kind == LockKey::Kind::kDatabase) return database_;
    const Table* const table = Find(key.table);
    if (table == nullptr) return LockMode::kNone;
    return key.is_of_table() ? table->book.Find(key) : table->mode;
  }
  size_t size() const;

 private:
  friend class LockTable;

  // What it holds of one table.
  struct Table {
    explicit Table(FileId the_file) : file(the_file) {}
    const FileId file;
    LockMode mode = LockMode::kNone;
    bool is_alone = false;            // guarded by book_mutex_: nobody else has the table, or waits for it
    int64_t last_rowid = INT64_MIN;   // reserved while alone; guarded by book_mutex_
    // Changed by the owner's thread, or while that waits: under book_mutex_ while alone, under the lock table's mutex otherwise.
    LockBook book;
  };
  using Tables = absl::InlinedVector<std::unique_ptr<Table>, 2>;
  enum class Entered : uint8_t { kWasHeld, kIsNew, kNotAlone };

  Table* Find(FileId file) const {
    for (const auto& table : tables_) {
      if (table->file == file) return table.get();
    }
    return nullptr;
  }
  // Locks a row or key, if the owner is alone with its table.
  Entered EnterAlone(const LockKey& key, LockMode mode);

  TxnId id_;
  LockMode database_ = LockMode::kNone;
  Tables tables_;  // as the books: by the owner's thread, or while that waits; under the lock table's mutex
  std::mutex book_mutex_;  // taken after the lock table's
  // Guarded by the lock table's mutex.
  std::condition_variable wake_;
  const LockKey* waits_for_ = nullptr;
  bool is_victim_ = false;
  std::string victim_message_;
};

}  // namespace turdb::txn
