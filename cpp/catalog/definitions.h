// What the catalog stores: schemas, tables, columns, indexes, views as plain structs.
//
// Names keep the case they were written in and are found without regard to ASCII case. Expressions (defaults,
// CHECKs, generated columns, partial and expression indexes, view bodies) are kept as SQL text: only sql/* knows what
// they mean. Object and file ids are never reused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/strong_id.h"
#include "types/logical_type.h"
#include "types/value.h"

namespace turdb::catalog {

enum class ConflictAction : uint8_t { kDefault = 0, kRollback, kAbort, kFail, kIgnore, kReplace };

enum class GeneratedKind : uint8_t { kNone = 0, kVirtual, kStored };

struct ColumnDef {
  std::string name;
  LogicalType type;
  Collation collation = Collation::kBinary;
  bool is_not_null = false;
  ConflictAction not_null_action = ConflictAction::kDefault;
  std::optional<std::string> default_sql;  // text of the expression
  // What rows written before ALTER TABLE ADD COLUMN have in this column: a constant, set by whoever adds it.
  std::optional<Value> added_default;
  GeneratedKind generated = GeneratedKind::kNone;
  std::string generated_sql;
  int primary_key_position = 0;  // 1-based place in the primary key, 0 when not part of it
  FileId vector_file;            // VECTOR(n): its .vec file
  std::string vector_path;
};

inline constexpr int kRowIdColumn = -1;       // in IndexColumn::column and in scans
inline constexpr int kExpressionColumn = -2;  // IndexColumn::expression_sql has it

struct IndexColumn {
  int column = kRowIdColumn;
  std::string expression_sql;
  Collation collation = Collation::kBinary;
  bool is_descending = false;
};

enum class IndexKind : uint8_t { kBtree = 0, kHnsw = 1 };
enum class IndexOrigin : uint8_t { kCreateIndex = 0, kUnique, kPrimaryKey };  // PRAGMA index_list: c, u, pk

enum class Metric : uint8_t { kL2 = 0, kCosine, kInnerProduct, kL1, kHamming };

struct HnswOptions {
  Metric metric = Metric::kL2;
  uint32_t m = 16;
  uint32_t ef_construction = 200;
  std::string quantization = "sq8";
};

struct IndexDef {
  ObjectId id;
  std::string schema, name, table;
  IndexKind kind = IndexKind::kBtree;
  IndexOrigin origin = IndexOrigin::kCreateIndex;
  bool is_unique = false;
  // Of a WITHOUT ROWID table: entries leave out of the primary key behind the columns what is among them. Not so in indexes
  // of format 2 and before.
  bool has_short_row_keys = false;
  ConflictAction conflict_action = ConflictAction::kDefault;
  std::vector<IndexColumn> columns;  // without the rowid that ends every key
  std::string where_sql;             // partial index; empty when it covers all rows
  HnswOptions hnsw;
  FileId file;
  std::string path;
  std::string sql;  // CREATE INDEX text; empty for automatic ones
};

struct CheckDef {
  std::string name, sql;
};

struct ForeignKeyDef {
  std::string name;
  std::vector<int> columns;
  std::string parent_table;
  std::vector<std::string> parent_columns;
  std::string on_delete, on_update, match;  // as written in upper case: "CASCADE", "NO ACTION", ...
  bool is_deferred = false;
};

enum class TableKind : uint8_t { kTable = 0, kView = 1 };

struct TableDef {
  ObjectId id;
  std::string schema, name;
  TableKind kind = TableKind::kTable;
  std::vector<ColumnDef> columns;
  int rowid_alias = -1;  // the INTEGER PRIMARY KEY column, or -1
  bool is_without_rowid = false;
  bool is_strict = false;
  bool is_autoincrement = false;
  ConflictAction primary_key_action = ConflictAction::kDefault;
  std::vector<int> primary_key;  // column numbers in order
  std::vector<CheckDef> checks;
  std::vector<ForeignKeyDef> foreign_keys;
  std::vector<IndexDef> indexes;  // in order of creation; CatalogSnapshot fills it
  FileId file;
  std::string path;
  std::string sql;                        // CREATE TABLE / CREATE VIEW text
  std::string view_sql;                   // kView: text of the select
  std::vector<std::string> view_columns;  // kView: explicit column names

  int FindColumn(std::string_view column) const;  // -1 when there is none; ASCII case is folded
};

// Of an index whose entries are written from now on.
inline bool CanHaveShortRowKeys(const TableDef& table, const IndexDef& index) {
  return table.is_without_rowid && index.kind == IndexKind::kBtree && !index.is_unique;
}

struct TriggerDef {
  ObjectId id;
  std::string schema, name, table, sql;
};

}  // namespace turdb::catalog
