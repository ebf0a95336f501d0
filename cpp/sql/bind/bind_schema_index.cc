// CREATE INDEX, CREATE VIEW, and the names of schema objects.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/bind_schema.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {
namespace {

constexpr std::string_view kReservedPrefix = "sqlite_";

absl::StatusOr<catalog::Metric> MetricOfClass(std::string_view op_class) {
  if (op_class.empty() || EqualsIgnoreCase(op_class, "vector_l2_ops")) return catalog::Metric::kL2;
  if (EqualsIgnoreCase(op_class, "vector_cosine_ops")) return catalog::Metric::kCosine;
  if (EqualsIgnoreCase(op_class, "vector_ip_ops")) return catalog::Metric::kInnerProduct;
  return NameError("no such operator class: ", op_class, "; an hnsw index takes vector_l2_ops, vector_cosine_ops or vector_ip_ops");
}

absl::StatusOr<catalog::Metric> MetricOfName(std::string_view name) {
  if (EqualsIgnoreCase(name, "l2")) return catalog::Metric::kL2;
  if (EqualsIgnoreCase(name, "cosine")) return catalog::Metric::kCosine;
  if (EqualsIgnoreCase(name, "ip") || EqualsIgnoreCase(name, "inner_product")) return catalog::Metric::kInnerProduct;
  return BadValueError("unknown metric '", name, "': use 'l2', 'cosine' or 'ip'");
}

absl::StatusOr<uint32_t> IntegerOption(const IndexOption& option, int64_t least, int64_t most) {
  if (option.value == nullptr || option.value->literal != LiteralKind::kInteger || option.value->integer < least ||
      option.value->integer > most) {
    return BadValueError("index option ", option.name.text, " takes an integer from ", least, " to ", most);
  }
  return static_cast<uint32_t>(option.value->integer);
}

absl::Status ApplyOption(const IndexOption& option, catalog::HnswOptions* hnsw) {
  const std::string_view text = option.value != nullptr && option.value->literal == LiteralKind::kText ? option.value->text : "";
  if (EqualsIgnoreCase(option.name.text, "m")) {
    TURDB_ASSIGN_OR_RETURN(hnsw->m, IntegerOption(option, 2, 128));
  } else if (EqualsIgnoreCase(option.name.text, "ef_construction")) {
    TURDB_ASSIGN_OR_RETURN(hnsw->ef_construction, IntegerOption(option, 4, 4000));
  } else if (EqualsIgnoreCase(option.name.text, "metric")) {
    TURDB_ASSIGN_OR_RETURN(hnsw->metric, MetricOfName(text));
  } else if (EqualsIgnoreCase(option.name.text, "quantization")) {
    if (!EqualsIgnoreCase(text, "sq8")) return BadValueError("unknown quantization '", text, "': an hnsw index takes 'sq8'");
    hnsw->quantization = "sq8";
  } else {
    return NameError("no such index option: ", option.name.text, "; an hnsw index takes m, ef_construction, metric and quantization");
  }
  return absl::OkStatus();
}

const ColumnExpr* AsPlainColumn(const Expr* expr) {
  return expr->kind == ExprKind::kColumn && expr->As<ColumnExpr>().table.empty() ? &expr->As<ColumnExpr>() : nullptr;
}

bool IsRowIdName(std::string_view name) {
  return EqualsIgnoreCase(name, "rowid") || EqualsIgnoreCase(name, "oid") || EqualsIgnoreCase(name, "_rowid_");
}

absl::Status NoSuchColumn(const Name& name, const catalog::TableDef& table, std::string_view text) {
  NearestWord nearest(name.text);
  for (const catalog::ColumnDef& other : table.columns) nearest.Consider(other.name);
  return NameError(AtPlace(Cat("no such column: ", name.text), text, name.pos.offset,
                           nearest.best().empty() ? "" : Cat("did you mean ", nearest.best(), "?")));
}

absl::Status FillHnsw(const CreateIndex& create, const catalog::TableDef& table, std::string_view text, catalog::IndexDef* index) {
  index->kind = catalog::IndexKind::kHnsw;
  if (create.is_unique) return SyntaxError("an hnsw index cannot be UNIQUE");
  if (create.where != nullptr) return UnsupportedError("an hnsw index covers all rows: it takes no WHERE");
  if (create.columns.size() != 1) return SyntaxError("an hnsw index takes one vector column");
  const ColumnExpr* column = AsPlainColumn(create.columns[0].expr);
  const int number = column == nullptr ? -1 : table.FindColumn(column->column.text);
  if (column != nullptr && number < 0) return NoSuchColumn(column->column, table, text);
  if (number < 0) return SyntaxError("an hnsw index takes a column, not an expression: ", create.columns[0].expr_text);
  const catalog::ColumnDef& def = table.columns[number];
  if (!def.type.is_vector()) {
    return BadValueError("column ", def.name, " of table ", table.name, " is ", def.type.declared.empty() ? "untyped" : def.type.declared,
                         ": an hnsw index takes a VECTOR(n) column");
  }
  index->columns.push_back({number, "", Collation::kBinary, false});
  TURDB_ASSIGN_OR_RETURN(index->hnsw.metric, MetricOfClass(create.columns[0].op_class.text));
  for (const IndexOption& option : create.options) TURDB_RETURN_IF_ERROR(ApplyOption(option, &index->hnsw));
  return absl::OkStatus();
}

absl::StatusOr<catalog::IndexColumn> BindIndexColumn(const IndexedColumn& given, const catalog::TableDef& table,
                                                     std::string_view text, const BindOptions& options) {
  catalog::IndexColumn column;
  column.is_descending = given.order == SortOrder::kDescending;
  const Expr* expr = given.expr;
  std::string_view collation;
  if (expr->kind == ExprKind::kCollate) {
    collation = expr->As<CollateExpr>().collation.text;
    expr = expr->As<CollateExpr>().operand;
  }
  const ColumnExpr* plain = AsPlainColumn(expr);
  const int number = plain == nullptr ? -1 : table.FindColumn(plain->column.text);
  const bool is_unknown = plain != nullptr && number < 0 && plain->column.quote != '"' && !IsRowIdName(plain->column.text);
  if (is_unknown) return NoSuchColumn(plain->column, table, text);
  if (number >= 0) {
    const catalog::ColumnDef& def = table.columns[number];
    if (def.type.is_vector()) {
      return BadValueError("column ", def.name, " is ", def.type.declared, ": index it with CREATE INDEX .. USING hnsw (", def.name,
                           " vector_cosine_ops)");
    }
    column.column = number;
    column.collation = def.collation;
  } else {
    column.column = catalog::kExpressionColumn;
    column.expression_sql = std::string(given.expr_text);
    TURDB_ASSIGN_OR_RETURN(auto bound, BindRowExpression(column.expression_sql, table, RowExpressionUse::kIndexColumn, options));
    column.collation = bound->has_collation ? bound->collation : Collation::kBinary;
  }
  if (!collation.empty()) {
    const int found = options.functions->FindCollation(collation);
    if (found < 0) return NameError("no such collation sequence: ", collation);
    column.collation = static_cast<Collation>(found);
  }
  return column;
}

}  // namespace

absl::StatusOr<std::string> ResolveSchemaName(const Name& schema, const catalog::CatalogSnapshot& catalog) {
  if (schema.empty() || EqualsIgnoreCase(schema.text, "main")) return std::string(catalog::kDefaultSchema);
  if (EqualsIgnoreCase(schema.text, "temp")) return UnsupportedError("the temp schema is not supported");
  if (!catalog.HasSchema(schema.text)) return NameError("unknown database ", schema.text);
  return std::string(schema.text);
}

absl::Status CheckNewName(std::string_view schema, std::string_view name, const catalog::CatalogSnapshot& catalog) {
  if (EqualsIgnoreCase(name.substr(0, kReservedPrefix.size()), kReservedPrefix)) {
    return NameError("object name reserved for internal use: ", name);
  }
  if (const catalog::TableDef* table = catalog.FindTable(schema, name)) {
    return NameError(table->kind == catalog::TableKind::kView ? "view " : "table ", name, " already exists");
  }
  if (catalog.FindIndex(schema, name) != nullptr) return NameError("there is already an index named ", name);
  return absl::OkStatus();
}

absl::StatusOr<catalog::IndexDef> BindCreateIndex(const CreateIndex& create, const ParsedStatement& parsed,
                                                  const catalog::CatalogSnapshot& catalog, const BindOptions& options) {
  TURDB_ASSIGN_OR_RETURN(std::string schema, ResolveSchemaName(create.name.schema, catalog));
  const catalog::TableDef* table = catalog.FindTable(schema, create.table.text);
  if (table == nullptr) return NameError("no such table: ", schema == catalog::kDefaultSchema ? "main" : schema, ".", create.table.text);
  if (table->kind == catalog::TableKind::kView) return NameError("views may not be indexed");
  const std::string_view name = create.name.name.text;
  if (EqualsIgnoreCase(name.substr(0, kReservedPrefix.size()), kReservedPrefix)) {
    return NameError("object name reserved for internal use: ", name);
  }
  if (catalog.FindIndex(schema, name) != nullptr) return NameError("index ", name, " already exists");
  if (catalog.FindTable(schema, name) != nullptr) return NameError("there is already a table named ", name);
  return BindIndexDefinition(create, parsed, *table, options);
}

absl::StatusOr<catalog::IndexDef> BindIndexDefinition(const CreateIndex& create, const ParsedStatement& parsed,
                                                      const catalog::TableDef& table, const BindOptions& options) {
  catalog::IndexDef index;
  index.schema = table.schema;
  index.name = std::string(create.name.name.text);
  index.table = table.name;
  index.is_unique = create.is_unique;
  const uint32_t name = create.name.name.pos.offset;
  index.sql = Cat(create.is_unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ", parsed.Slice({name, create.pos.end() - name}));
  if (EqualsIgnoreCase(create.method.text, "hnsw")) {
    TURDB_RETURN_IF_ERROR(FillHnsw(create, table, parsed.text, &index));
    return index;
  }
  if (!create.method.empty() && !EqualsIgnoreCase(create.method.text, "btree")) {
    return NameError("no such index method: ", create.method.text, "; use hnsw or btree");
  }
  if (!create.options.empty()) return SyntaxError("WITH (..) belongs to indexes USING hnsw");
  for (const IndexedColumn& column : create.columns) {
    TURDB_ASSIGN_OR_RETURN(index.columns.emplace_back(), BindIndexColumn(column, table, parsed.text, options));
  }
  if (create.where != nullptr) {
    index.where_sql = std::string(create.where_text);
    TURDB_RETURN_IF_ERROR(BindRowExpression(index.where_sql, table, RowExpressionUse::kIndexWhere, options).status());
  }
  return index;
}

absl::StatusOr<catalog::TableDef> BindCreateView(const CreateView& create, const ParsedStatement& parsed,
                                                 const catalog::CatalogSnapshot& catalog) {
  if (create.is_temporary) return UnsupportedError("TEMP views are not supported: create an ordinary view, or use a CTE");
  if (parsed.parameter_count > 0) return ParameterError("parameters are not allowed in views");
  catalog::TableDef view;
  view.kind = catalog::TableKind::kView;
  TURDB_ASSIGN_OR_RETURN(view.schema, ResolveSchemaName(create.name.schema, catalog));
  TURDB_RETURN_IF_ERROR(CheckNewName(view.schema, create.name.name.text, catalog));
  view.name = std::string(create.name.name.text);
  const uint32_t name = create.name.name.pos.offset;
  view.sql = Cat("CREATE VIEW ", parsed.Slice({name, create.pos.end() - name}));
  view.view_sql = std::string(create.select_text);
  for (const Name& name : create.columns) view.view_columns.emplace_back(name.text);
  return view;
}

}  // namespace turdb::sql
