// See snapshot.h.

#include "catalog/snapshot.h"

#include <algorithm>
#include <numeric>

#include "base/errors.h"
#include "base/status_macros.h"
#include "base/strings.h"

namespace turdb::catalog {
namespace {

// schema + '\0' + name in lower case, on the stack for names of usual length: look-ups do not allocate.
class LookUpKey {
 public:
  LookUpKey(std::string_view schema, std::string_view name) {
    schema = ResolveSchema(schema);
    size_ = schema.size() + 1 + name.size();
    if (size_ > sizeof(inline_)) long_.resize(size_);
    char* at = long_.empty() ? inline_ : long_.data();
    for (char c : schema) *at++ = AsciiLower(c);
    *at++ = '\0';
    for (char c : name) *at++ = AsciiLower(c);
  }
  LookUpKey(const LookUpKey&) = delete;
  absl::string_view view() const { return {long_.empty() ? inline_ : long_.data(), size_}; }
  std::string Copy() const { return std::string(view()); }

 private:
  char inline_[96];
  std::string long_;
  size_t size_;
};

template <typename Map>
auto FindIn(const Map& map, std::string_view schema, std::string_view name) {
  const LookUpKey key(schema, name);
  const auto it = map.find(key.view());
  return it == map.end() ? nullptr : it->second;
}

// Edit distance (Levenshtein) of two short names, ASCII case folded.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (AsciiLower(a[i - 1]) != AsciiLower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

bool Fits(const IndexDef& index, const TableDef& table) {
  for (const IndexColumn& column : index.columns) {
    if (column.column < kExpressionColumn || column.column >= static_cast<int>(table.columns.size())) return false;
  }
  if (index.kind != IndexKind::kHnsw) return true;
  return index.columns.size() == 1 && index.columns[0].column >= 0 &&
         table.columns[index.columns[0].column].type.is_vector();
}

}  // namespace

std::string_view ResolveSchema(std::string_view schema) {
  return schema.empty() || EqualsIgnoreCase(schema, "main") ? kDefaultSchema : schema;
}

void Snapshot::AddTable(TableDef table) {
  table.indexes.clear();
  std::string key = LookUpKey(table.schema, table.name).Copy();
  tables_.push_back(std::move(table));
  tables_by_name_[std::move(key)] = &tables_.back();
}

void Snapshot::AddTrigger(TriggerDef trigger) {
  std::string key = LookUpKey(trigger.schema, trigger.name).Copy();
  triggers_.push_back(std::move(trigger));
  triggers_by_name_[std::move(key)] = &triggers_.back();
}

absl::Status Snapshot::Finish() {
  for (IndexDef& index : pending_indexes_) {
    TableDef* table = FindIn(tables_by_name_, index.schema, index.table);
    if (table == nullptr || !Fits(index, *table)) {
      return CorruptionError("catalog: index '", index.name, "' does not fit its table '", index.table, "'");
    }
    table->indexes.push_back(std::move(index));
  }
  pending_indexes_.clear();
  for (const TableDef& table : tables_) {
    for (const IndexDef& index : table.indexes) {
      indexes_by_name_[LookUpKey(index.schema, index.name).Copy()] = &index;
    }
  }
  return absl::OkStatus();
}

const TableDef* Snapshot::FindTable(std::string_view schema, std::string_view name) const {
  return FindIn(tables_by_name_, schema, name);
}

const IndexDef* Snapshot::FindIndex(std::string_view schema, std::string_view name) const {
  return FindIn(indexes_by_name_, schema, name);
}

const TriggerDef* Snapshot::FindTrigger(std::string_view schema, std::string_view name) const {
  return FindIn(triggers_by_name_, schema, name);
}

bool Snapshot::HasSchema(std::string_view schema) const {
  schema = ResolveSchema(schema);
  return std::any_of(schemas_.begin(), schemas_.end(), [&](const std::string& s) { return EqualsIgnoreCase(s, schema); });
}

std::vector<const TableDef*> Snapshot::Tables() const {
  std::vector<const TableDef*> tables;
  for (const TableDef& table : tables_) tables.push_back(&table);
  return tables;
}

std::vector<const TriggerDef*> Snapshot::TriggersOf(const TableDef& table) const {
  std::vector<const TriggerDef*> triggers;
  for (const TriggerDef& trigger : triggers_) {
    if (EqualsIgnoreCase(trigger.schema, table.schema) && EqualsIgnoreCase(trigger.table, table.name)) {
      triggers.push_back(&trigger);
    }
  }
  return triggers;
}

std::vector<std::string> Snapshot::SimilarTables(std::string_view name) const {
  // A third of the letters may differ, but two always: a name that shares less is no help.
  const size_t bound = std::max<size_t>(2, name.size() / 3);
  std::vector<std::pair<size_t, std::string>> near;
  for (const TableDef& table : tables_) {
    const size_t longer = std::max(table.name.size(), name.size());
    if (longer - std::min(table.name.size(), name.size()) > bound) continue;
    const size_t distance = EditDistance(name, table.name);
    if (distance <= bound && distance < longer) near.emplace_back(distance, table.name);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (auto& [distance, table] : near) names.push_back(std::move(table));
  return names;
}

}  // namespace turdb::catalog
