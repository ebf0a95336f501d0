// The dispatch over statements, and the small ones on transactions and the database.
#include "base/strings.h"
#include "sql/syntax/sql_writer.h"

namespace turdb::sql {

void SqlWriter::Write(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kSelect: return Write(statement.As<Select>());
    case StatementKind::kInsert: return WriteInsert(statement.As<Insert>());
    case StatementKind::kUpdate: return WriteUpdate(statement.As<Update>());
    case StatementKind::kDelete: return WriteDelete(statement.As<Delete>());
    case StatementKind::kCreateTable: return WriteCreateTable(statement.As<CreateTable>());
    case StatementKind::kCreateVirtualTable: return WriteVirtualTable(statement.As<CreateVirtualTable>());
    case StatementKind::kCreateIndex: return WriteCreateIndex(statement.As<CreateIndex>());
    case StatementKind::kCreateView: return WriteCreateView(statement.As<CreateView>());
    case StatementKind::kCreateTrigger: return WriteCreateTrigger(statement.As<CreateTrigger>());
    case StatementKind::kDrop: return WriteDrop(statement.As<Drop>());
    case StatementKind::kAlterTable: return WriteAlter(statement.As<AlterTable>());
    case StatementKind::kBegin: return WriteBegin(statement.As<Begin>());
    case StatementKind::kPragma: return WritePragma(statement.As<Pragma>());
    default: return WriteSmallStatement(statement);
  }
}

void SqlWriter::WriteBegin(const Begin& begin) {
  constexpr std::string_view kModes[] = {"BEGIN", "BEGIN DEFERRED", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE",
                                         "BEGIN CONCURRENT"};
  constexpr std::string_view kLevels[] = {"", "SNAPSHOT", "READ COMMITTED", "READ UNCOMMITTED", "SERIALIZABLE"};
  Add(kModes[static_cast<size_t>(begin.mode)]);
  if (begin.isolation == Isolation::kUnspecified) return;
  Add(Cat(" TRANSACTION ISOLATION LEVEL ", kLevels[static_cast<size_t>(begin.isolation)]));
}

void SqlWriter::WritePragma(const Pragma& pragma) {
  Add("PRAGMA ");
  AddName(pragma.name);
  if (pragma.value == nullptr) return;
  Add(pragma.is_call ? "(" : " = ");
  Write(*pragma.value);
  if (pragma.is_call) Add(")");
}

void SqlWriter::WriteSmallStatement(const Statement& statement) {
  const auto named = [&](std::string_view words, const auto& name) {
    Add(words);
    if (name.pos.length == 0) return;
    Add(" ");
    AddName(name);
  };
  switch (statement.kind) {
    case StatementKind::kCreateSchema: {
      const auto& schema = statement.As<CreateSchema>();
      return named(schema.if_not_exists ? "CREATE SCHEMA IF NOT EXISTS" : "CREATE SCHEMA", schema.name);
    }
    case StatementKind::kCommit: return Add("COMMIT");
    case StatementKind::kRollback: {
      const auto& rollback = statement.As<Rollback>();
      return named(rollback.savepoint.empty() ? "ROLLBACK" : "ROLLBACK TO", rollback.savepoint);
    }
    case StatementKind::kSavepoint: return named("SAVEPOINT", statement.As<Savepoint>().name);
    case StatementKind::kRelease: return named("RELEASE", statement.As<Release>().name);
    case StatementKind::kExplain: {
      constexpr std::string_view kModes[] = {"EXPLAIN ", "EXPLAIN QUERY PLAN ", "EXPLAIN ANALYZE "};
      const auto& explain = statement.As<Explain>();
      Add(kModes[static_cast<size_t>(explain.mode)]);
      return Write(*explain.statement);
    }
    case StatementKind::kAnalyze: return named("ANALYZE", statement.As<Analyze>().name);
    case StatementKind::kReindex: return named("REINDEX", statement.As<Reindex>().name);
    case StatementKind::kVacuum: {
      const auto& vacuum = statement.As<Vacuum>();
      named("VACUUM", vacuum.name);
      return AddClause(" INTO ", vacuum.into);
    }
    case StatementKind::kAttach: {
      const auto& attach = statement.As<Attach>();
      AddClause("ATTACH ", attach.file);
      AddClause(" AS ", attach.schema);
      return AddClause(" KEY ", attach.key);
    }
    case StatementKind::kDetach: return AddClause("DETACH ", statement.As<Detach>().schema);
    default: return;
  }
}

std::string ToSql(const Statement& statement) {
  SqlWriter writer;
  writer.Write(statement);
  return writer.Take();
}

}  // namespace turdb::sql
