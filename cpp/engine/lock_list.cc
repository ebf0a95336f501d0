#include "engine/lock_list.h"

#include <algorithm>
#include <tuple>

#include "absl/container/flat_hash_map.h"

namespace turdb::engine {
namespace {

using txn::LockInfo;
using txn::LockKey;

std::string_view KindText(LockKey::Kind kind) {
  switch (kind) {
    case LockKey::Kind::kDatabase: return "database";
    case LockKey::Kind::kTable: return "table";
    case LockKey::Kind::kRow: return "row";
    case LockKey::Kind::kKey: return "key";
  }
  return "";
}

absl::flat_hash_map<FileId, std::string> NamesByFile(const catalog::CatalogSnapshot& catalog) {
  absl::flat_hash_map<FileId, std::string> names;
  for (const catalog::TableDef* table : catalog.Tables()) {
    if (table->kind != catalog::TableKind::kTable) continue;
    names.emplace(table->file, table->name);
    for (const catalog::IndexDef& index : table->indexes) names.emplace(index.file, index.name);
  }
  return names;
}

}  // namespace

std::vector<LockRow> ListLocks(const txn::Store& store, const catalog::CatalogSnapshot& catalog) {
  const auto names = NamesByFile(catalog);
  std::vector<LockInfo> locks = store.Locks();
  const auto place = [](const LockInfo& lock) {
    return std::tuple(lock.key.kind, lock.key.table, lock.key.index, lock.key.id, !lock.is_granted, lock.owner);
  };
  std::sort(locks.begin(), locks.end(), [&](const LockInfo& a, const LockInfo& b) { return place(a) < place(b); });
  std::vector<LockRow> rows;
  for (const LockInfo& lock : locks) {
    LockRow& row = rows.emplace_back();
    row.transaction_id = static_cast<int64_t>(lock.owner.value());
    row.kind = KindText(lock.key.kind);
    const auto name = names.find(lock.key.kind == LockKey::Kind::kKey ? lock.key.index : lock.key.table);
    if (lock.key.kind != LockKey::Kind::kDatabase && name != names.end()) row.name = name->second;
    const bool has_id = lock.key.kind == LockKey::Kind::kRow || lock.key.kind == LockKey::Kind::kKey;
    if (has_id) row.row_id = static_cast<int64_t>(lock.key.id);
    row.mode = txn::LockModeName(lock.mode);
    row.is_granted = lock.is_granted;
  }
  return rows;
}

}  // namespace turdb::engine
