// Definition codec: catalog definitions <-> the bytes of a catalog row.
//
// A version byte, then tagged fields (tagged_fields.h, docs/format/catalog.md). Decoding never trusts its input:
// kCorruption for damaged bytes, kNewerFormat for a version or field from the future. TableDef::indexes is not
// part of a table's bytes: indexes are rows of their own.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "catalog/definitions.h"

namespace turdb::catalog {

struct SchemaDef {
  ObjectId id;
  std::string name;
};

std::string EncodeDefinition(const SchemaDef& schema);
std::string EncodeDefinition(const TableDef& table);
std::string EncodeDefinition(const IndexDef& index);
std::string EncodeDefinition(const TriggerDef& trigger);
absl::Status DecodeDefinition(std::string_view bytes, SchemaDef* schema);
absl::Status DecodeDefinition(std::string_view bytes, TableDef* table);
absl::Status DecodeDefinition(std::string_view bytes, IndexDef* index);
absl::Status DecodeDefinition(std::string_view bytes, TriggerDef* trigger);

}  // namespace turdb::catalog
