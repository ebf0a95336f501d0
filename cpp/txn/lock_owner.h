// LockOwner: a transaction as the lock table knows it, and the locks that it holds.
//
// While a transaction is the only one that has to do with a table, nobody can wait for its rows: their locks stay in its own book,
// where one costs a look-up instead of a place in the lock table. Whoever locks the table next, for whatever, first
// has them entered into the lock table. So a row lock is found in the lock table by everybody who may look for it.
// Belongs to one thread at a time; what others may touch is said.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/strong_id.h"

namespace turdb::txn {

enum class LockMode : uint8_t { kNone = 0, kIntentionShared, kIntentionExclusive, kShared, kExclusive };
std::string_view LockModeName(LockMode mode);
// Whether holding `held` needs nothing more to do what `wanted` allows.
bool Covers(LockMode held, LockMode wanted);
// The weakest mode that covers both.
LockMode Union(LockMode a, LockMode b);

struct LockKey {
  enum class Kind : uint8_t { kDatabase, kTable, kRow, kKey };
  FileId table;
  Kind kind = Kind::kDatabase;
  uint64_t id = 0;    // rowid, or hash of an encoded key; rows that share one only wait more
  FileId index{0};    // of a kKey

  bool is_of_table() const { return kind == Kind::kRow || kind == Kind::kKey; }
  friend bool operator==(const LockKey& a, const LockKey& b) = default;
  template <typename H>
  friend H AbslHashValue(H h, const LockKey& key) {
    return H::combine(std::move(h), key.table, key.kind, key.id, key.index);
  }
};

class LockOwner {
 public:
  using Locks = absl::flat_hash_map<LockKey, LockMode>;

  // The lowest id is the oldest. The address is the identity while it holds or waits.
  TxnId id() const { return id_; }
  void set_id(TxnId id) { id_ = id; }
  LockMode Held(const LockKey& key) const {
    if (key.is_of_table()) return HeldOfTable(key);
    if (key.kind == LockKey::Kind::kDatabase) return database_;
    const Table* const table = Find(key.table);
    return table == nullptr ? LockMode::kNone : table->mode;
  }
  size_t size() const;

 private:
  friend class LockTable;

  // What it holds of one table.
  struct Table {
    FileId file;
    LockMode mode = LockMode::kNone;
    bool is_alone = false;            // guarded by book_mutex_: nobody else has the table, or waits for it
    // Rows and keys; in the lock table as well once it is not alone. Changed under book_mutex_.
    absl::flat_hash_map<uint64_t, LockMode> rows;
    Locks keys;
    int64_t last_rowid = INT64_MIN;   // reserved while alone; guarded by book_mutex_

    LockMode Find(const LockKey& key) const;
    bool Enter(const LockKey& key, LockMode mode);  // whether that is new or stronger
    bool Erase(const LockKey& key);
    size_t size() const { return rows.size() + keys.size(); }
    template <typename Visit>
    void ForEach(Visit visit) const {
      for (const auto& [id, row_mode] : rows) visit(LockKey{file, LockKey::Kind::kRow, id}, row_mode);
      for (const auto& [key, key_mode] : keys) visit(key, key_mode);
    }
    void Clear();
  };
  enum class Entered : uint8_t { kWasHeld, kIsNew, kNotAlone };

  const Table* Find(FileId file) const {
    for (const Table& table : tables_) {
      if (table.file == file) return &table;
    }
    return nullptr;
  }
  Table* Find(FileId file) { return const_cast<Table*>(std::as_const(*this).Find(file)); }
  LockMode HeldOfTable(const LockKey& key) const;
  // Locks a row or key in the book, if the owner is alone with its table.
  Entered EnterInBook(const LockKey& key, LockMode mode);

  TxnId id_;
  LockMode database_ = LockMode::kNone;
  std::vector<Table> tables_;  // grows under the lock table's mutex and book_mutex_
  Locks held_;  // other rows and keys. Changed by the owner's thread, or while that waits, under the lock table's mutex
  std::mutex book_mutex_;  // taken after the lock table's
  // Guarded by the lock table's mutex.
  std::condition_variable wake_;
  const LockKey* waits_for_ = nullptr;
  bool is_victim_ = false;
  std::string victim_message_;
};

}  // namespace turdb::txn
