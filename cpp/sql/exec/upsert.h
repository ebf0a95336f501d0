// Upsert: one ON CONFLICT clause of an INSERT: DO NOTHING or DO UPDATE.
#pragma once

#include <memory>

#include "sql/exec/row_shaper.h"
#include "sql/exec/row_update.h"

namespace turdb::sql {

class Upsert {
 public:
  static absl::StatusOr<std::unique_ptr<Upsert>> Make(const UpsertClause& clause, const catalog::TableDef& table,
                                                      const RowExpressions& expressions, Builder* builder);

  bool Matches(const table::Conflict& conflict) const;
  // Does it: true when the existing row was changed; shaper() then holds what it is now.
  absl::StatusOr<bool> Run(const table::Conflict& conflict, RowShaper& inserted,
                           table::TableWriter* writer, Arena* arena);
  RowShaper* shaper() { return shaper_.get(); }

 private:
  Upsert(const UpsertClause& clause, const catalog::TableDef& table, Builder* builder)
      : clause_(clause), table_(table), context_(builder->context) {}
  absl::Status ReadExisting(const table::Conflict& conflict, RowShaper& inserted, Arena* arena);

  const UpsertClause& clause_;
  const catalog::TableDef& table_;
  ExecContext* context_;
  std::unique_ptr<RowShaper> shaper_;
  std::vector<EvaluatorPtr> assignments_;
  EvaluatorPtr where_;
  std::unique_ptr<RowUpdate> update_;
};

}  // namespace turdb::sql
