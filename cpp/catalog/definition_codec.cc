// See definition_codec.h. The tags below are on disk: they are never renumbered, only added to.

#include "catalog/definition_codec.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "catalog/tagged_fields.h"

namespace turdb {

template <typename Archive>
void Describe(Archive& a, LogicalType& t) {
  a.Field(1, t.id, TypeId::kVector);
  a.Field(2, t.affinity, Affinity::kReal);
  a.Field(3, t.dim);
  a.Field(4, t.declared);
}

namespace catalog {
namespace {

constexpr char kDefinitionVersion = 1;

}  // namespace

template <typename Archive>
void Describe(Archive& a, SchemaDef& s) {
  a.Field(1, s.id);
  a.Field(2, s.name);
}

template <typename Archive>
void Describe(Archive& a, ColumnDef& c) {
  a.Field(1, c.name);
  a.Nested(2, c.type);
  a.Field(3, c.collation, static_cast<Collation>(UINT8_MAX));
  a.Field(4, c.is_not_null);
  a.Field(5, c.not_null_action, ConflictAction::kReplace);
  a.Field(6, c.default_sql);
  a.Field(7, c.added_default);
  a.Field(8, c.generated, GeneratedKind::kStored);
  a.Field(9, c.generated_sql);
  a.Field(10, c.primary_key_position);
  a.Field(11, c.vector_file);
  a.Field(12, c.vector_path);
}

template <typename Archive>
void Describe(Archive& a, IndexColumn& c) {
  a.Field(1, c.column, kRowIdColumn);
  a.Field(2, c.expression_sql);
  a.Field(3, c.collation, static_cast<Collation>(UINT8_MAX));
  a.Field(4, c.is_descending);
}

template <typename Archive>
void Describe(Archive& a, HnswOptions& o) {
  a.Field(1, o.metric, Metric::kHamming);
  a.Field(2, o.m);
  a.Field(3, o.ef_construction);
  a.Field(4, o.quantization);
}

template <typename Archive>
void Describe(Archive& a, IndexDef& i) {
  a.Field(1, i.id);
  a.Field(2, i.schema);
  a.Field(3, i.name);
  a.Field(4, i.table);
  a.Field(5, i.kind, IndexKind::kHnsw);
  a.Field(6, i.origin, IndexOrigin::kPrimaryKey);
  a.Field(7, i.is_unique);
  a.Field(8, i.conflict_action, ConflictAction::kReplace);
  a.Nested(9, i.columns);
  a.Field(10, i.where_sql);
  a.Nested(11, i.hnsw);
  a.Field(12, i.file);
  a.Field(13, i.path);
  a.Field(14, i.sql);
  a.Field(15, i.has_short_row_keys);
}

template <typename Archive>
void Describe(Archive& a, CheckDef& c) {
  a.Field(1, c.name);
  a.Field(2, c.sql);
}

template <typename Archive>
void Describe(Archive& a, ForeignKeyDef& f) {
  a.Field(1, f.name);
  a.Field(2, f.columns);
  a.Field(3, f.parent_table);
  a.Field(4, f.parent_columns);
  a.Field(5, f.on_delete);
  a.Field(6, f.on_update);
  a.Field(7, f.match);
  a.Field(8, f.is_deferred);
}

template <typename Archive>
void Describe(Archive& a, TableDef& t) {
  a.Field(1, t.id);
  a.Field(2, t.schema);
  a.Field(3, t.name);
  a.Field(4, t.kind, TableKind::kView);
  a.Nested(5, t.columns);
  a.Field(6, t.rowid_alias, -1);
  a.Field(7, t.is_without_rowid);
  a.Field(8, t.is_strict);
  a.Field(9, t.is_autoincrement);
  a.Field(10, t.primary_key_action, ConflictAction::kReplace);
  a.Field(11, t.primary_key);
  a.Nested(12, t.checks);
  a.Nested(13, t.foreign_keys);
  a.Field(14, t.file);
  a.Field(15, t.path);
  a.Field(16, t.sql);
  a.Field(17, t.view_sql);
  a.Field(18, t.view_columns);
}

template <typename Archive>
void Describe(Archive& a, TriggerDef& t) {
  a.Field(1, t.id);
  a.Field(2, t.schema);
  a.Field(3, t.name);
  a.Field(4, t.table);
  a.Field(5, t.sql);
}

namespace {

template <typename Definition>
std::string Encode(Definition definition) {
  std::string bytes(1, kDefinitionVersion);
  FieldWriter writer(&bytes);
  Describe(writer, definition);
  return bytes;
}

template <typename Definition>
absl::Status Decode(std::string_view bytes, Definition* definition, std::string_view kind) {
  if (bytes.empty() || bytes[0] == 0) return CorruptionError("catalog: an empty definition of a ", kind);
  if (bytes[0] != kDefinitionVersion) {
    return NewerFormatError("catalog: the definition of a ", kind, " was written by a newer version of turdb");
  }
  FieldReader reader(bytes.substr(1));
  Describe(reader, *definition);
  return reader.Finish(Cat(kind, " '", definition->name, "'"));
}

// References between parts of a definition must hold before anything relies on them.
absl::Status CheckTableDef(const TableDef& table) {
  const int columns = static_cast<int>(table.columns.size());
  bool is_sound = table.rowid_alias >= -1 && table.rowid_alias < columns;
  for (int column : table.primary_key) is_sound &= column >= 0 && column < columns;
  for (const ForeignKeyDef& key : table.foreign_keys) {
    for (int column : key.columns) is_sound &= column >= 0 && column < columns;
  }
  for (const ColumnDef& column : table.columns) {
    is_sound &= !column.type.is_vector() || (column.type.dim > 0 && column.type.dim <= kMaxVectorDim);
  }
  is_sound &= !table.is_without_rowid || !table.primary_key.empty();
  if (!is_sound) return CorruptionError("catalog: the definition of table '", table.name, "' contradicts itself");
  return absl::OkStatus();
}

}  // namespace

std::string EncodeDefinition(const SchemaDef& schema) { return Encode(schema); }
std::string EncodeDefinition(const TableDef& table) { return Encode(table); }
std::string EncodeDefinition(const IndexDef& index) { return Encode(index); }
std::string EncodeDefinition(const TriggerDef& trigger) { return Encode(trigger); }

absl::Status DecodeDefinition(std::string_view bytes, SchemaDef* schema) { return Decode(bytes, schema, "schema"); }
absl::Status DecodeDefinition(std::string_view bytes, TableDef* table) {
  TURDB_RETURN_IF_ERROR(Decode(bytes, table, table->kind == TableKind::kView ? "view" : "table"));
  return CheckTableDef(*table);
}
absl::Status DecodeDefinition(std::string_view bytes, IndexDef* index) { return Decode(bytes, index, "index"); }
absl::Status DecodeDefinition(std::string_view bytes, TriggerDef* trigger) { return Decode(bytes, trigger, "trigger"); }

}  // namespace catalog
}  // namespace turdb
