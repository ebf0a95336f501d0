// What all parts of the binder lean on: errors with their place, column ids, scopes, tables by name.
#include "sql/bind/binding.h"

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/system_tables.h"
#include "sql/bind/table_functions.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {

int Source::Find(std::string_view column) const {
  if (table != nullptr) return table->FindColumn(column);
  for (size_t i = 0; i < columns.size(); ++i) {
    if (EqualsIgnoreCase(columns[i].name, column)) return static_cast<int>(i);
  }
  return -1;
}

const Source::Using* Source::FindUsing(std::string_view column) const {
  for (const Using& merged : usings) {
    if (EqualsIgnoreCase(merged.name, column)) return &merged;
  }
  return nullptr;
}

absl::Status Binding::NameProblem(std::string_view message, SourcePos pos, std::string_view hint) const {
  return NameError(AtPlace(message, text_, pos.offset, hint));
}

absl::Status Binding::Misuse(std::string_view message, SourcePos pos, std::string_view hint) const {
  return SyntaxError(AtPlace(message, text_, pos.offset, hint));
}

ColumnId Binding::NewColumn(std::string_view name, const Scope* owner) {
  const ColumnId id(static_cast<uint32_t>(owners_.size()));
  owners_.push_back(owner == nullptr ? 0 : owner->serial);
  bound_.column_names.emplace_back(name);
  return id;
}

std::unique_ptr<Scope> Binding::NewScope(Scope* parent) {
  auto scope = std::make_unique<Scope>();
  scope->parent = parent;
  scope->depth = parent == nullptr ? 0 : parent->depth + 1;
  scope->serial = ++scope_count_;
  return scope;
}

absl::Status Binding::NoSuchTable(const QualifiedName& name) const {
  const std::string full =
      name.schema.empty() ? std::string(name.name.text) : Cat(name.schema.text, ".", name.name.text);
  std::string hint;
  if (name.schema.empty() || catalog_->HasSchema(name.schema.text)) {
    const std::vector<std::string> similar = catalog_->SimilarTables(name.name.text);
    if (!similar.empty()) hint = Cat("did you mean ", similar[0], "?");
  }
  return NameProblem(Cat("no such table: ", full), name.name.pos, hint);
}

absl::StatusOr<const catalog::TableDef*> Binding::TableToWrite(const QualifiedName& name) {
  const catalog::TableDef* table = catalog_->FindTable(name.schema.text, name.name.text);
  if (table == nullptr && IsSystemTable(name.name.text)) {
    return NameProblem(Cat("table ", name.name.text, " may not be modified"), name.name.pos);
  }
  if (table == nullptr && EqualsIgnoreCase(name.schema.text, catalog::kSystemSchema) && DescribeSystemView(name.name.text) != nullptr) {
    return NameProblem(Cat("table ", name.schema.text, ".", name.name.text, " may not be modified"), name.name.pos);
  }
  if (table == nullptr) return NoSuchTable(name);
  if (table->kind == catalog::TableKind::kView) {
    return NameProblem(Cat("cannot modify ", table->name, " because it is a view"), name.name.pos);
  }
  return table;
}

}  // namespace turdb::sql
