// RowUpdate: writes a changed row: constraints, conflicts, the writer's Update. Shared by UPDATE and DO UPDATE.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "sql/exec/row_shaper.h"

namespace turdb::sql {

class RowUpdate {
 public:
  RowUpdate(const catalog::TableDef& table, const std::vector<int>& assigned, const RowExpressions& expressions,
            catalog::ConflictAction action, ExecContext* context);

  void Reset() { deleted_.clear(); }
  // `shaper` holds the new row. False: left out by OR IGNORE, or the row went away by OR REPLACE of an earlier one.
  absl::StatusOr<bool> Write(table::RowRef old_row, RowShaper* shaper, table::TableWriter* writer, Arena* arena);
  const std::vector<bool>& changed() const { return changed_; }
  bool can_conflict() const { return can_conflict_; }

 private:
  static std::string NameOf(table::RowRef row);

  const catalog::TableDef& table_;
  catalog::ConflictAction action_;
  ExecContext* context_;
  std::vector<bool> changed_;       // by column
  bool can_conflict_ = false;
  std::vector<EvaluatorPtr> no_defaults_;
  absl::flat_hash_set<std::string> deleted_;  // rows that OR REPLACE took away
};

// Whether a conflict may be resolved by taking away the row in the way.
bool MayReplace(const catalog::TableDef& table, catalog::ConflictAction action);

}  // namespace turdb::sql
