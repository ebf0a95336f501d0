// JSON functions: json, json_extract, ->, ->>, json_array, json_object, json_set, ... (sql/exec/functions.h).
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/cell_ops.h"
#include "sql/exec/functions.h"
#include "sql/exec/json.h"

namespace turdb::sql {
namespace {

using Args = absl::Span<const Cell>;

absl::Status Minify(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Json* json = nullptr;
  TURDB_RETURN_IF_ERROR(JsonOfText(args[0], context->arena, &json));
  *result = JsonToCell(*json, context->arena);
  return absl::OkStatus();
}

absl::Status Valid(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Arena arena;
  *result = Cell::Integer(!args[0].is_blob() && ParseJson(ToText(args[0], &arena), &arena) != nullptr);
  return absl::OkStatus();
}

// The element at a path argument; null when the text or path is NULL or nothing is there.
absl::Status At(FunctionContext* context, Args args, Json** json) {
  *json = nullptr;
  if (args[0].is_null() || (args.size() > 1 && args[1].is_null())) return absl::OkStatus();
  TURDB_RETURN_IF_ERROR(JsonOfText(args[0], context->arena, json));
  return args.size() > 1 ? FindJson(*json, ToText(args[1], context->arena), json) : absl::OkStatus();
}

absl::Status Type(FunctionContext* context, Args args, Cell* result) {
  Json* json = nullptr;
  TURDB_RETURN_IF_ERROR(At(context, args, &json));
  if (json != nullptr) *result = Cell::Text(JsonKindName(json->kind));
  return absl::OkStatus();
}

absl::Status ArrayLength(FunctionContext* context, Args args, Cell* result) {
  Json* json = nullptr;
  TURDB_RETURN_IF_ERROR(At(context, args, &json));
  if (json != nullptr) *result = Cell::Integer(json->kind == JsonKind::kArray ? json->size : 0);
  return absl::OkStatus();
}

absl::Status Extract(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Json* root = nullptr;
  TURDB_RETURN_IF_ERROR(JsonOfText(args[0], context->arena, &root));
  std::string out = "[";
  for (size_t i = 1; i < args.size(); ++i) {
    if (args[i].is_null()) return absl::OkStatus();
    Json* found = nullptr;
    TURDB_RETURN_IF_ERROR(FindJson(root, ToText(args[i], context->arena), &found));
    if (args.size() == 2) {
      if (found != nullptr) *result = JsonToValue(*found, context->arena);
      return absl::OkStatus();
    }
    if (i > 1) out.push_back(',');
    AppendJson(found == nullptr ? Json() : *found, &out);
  }
  if (args.size() == 1) return absl::OkStatus();
  out.push_back(']');
  *result = Cell::Text(context->arena->Copy(out));
  result->subtype = kJsonSubtype;
  return absl::OkStatus();
}

// The right side of -> is a path, a label or an index.
template <bool kAsValue>
absl::Status Arrow(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null() || args[1].is_null()) return absl::OkStatus();
  Json *root = nullptr, *found = nullptr;
  TURDB_RETURN_IF_ERROR(JsonOfText(args[0], context->arena, &root));
  std::string path(ToText(args[1], context->arena));
  if (args[1].is_integer()) {
    path = args[1].integer < 0 ? Cat("$[#", path, "]") : Cat("$[", path, "]");
  } else if (path.empty() || path[0] != '$') {
    path = !path.empty() && path[0] == '[' ? "$" + path : Cat("$.\"", path, "\"");
  }
  TURDB_RETURN_IF_ERROR(FindJson(root, path, &found));
  if (found != nullptr) *result = kAsValue ? JsonToValue(*found, context->arena) : JsonToCell(*found, context->arena);
  if (kAsValue) result->subtype = 0;
  return absl::OkStatus();
}

absl::Status Array(FunctionContext* context, Args args, Cell* result) {
  Json array;
  array.kind = JsonKind::kArray;
  Json** end = &array.first;
  for (const Cell& arg : args) {
    TURDB_RETURN_IF_ERROR(JsonOfValue(arg, context->arena, end));
    end = &(*end)->next;
  }
  *result = JsonToCell(array, context->arena);
  return absl::OkStatus();
}

absl::Status Object(FunctionContext* context, Args args, Cell* result) {
  if (args.size() % 2 != 0) return BadValueError("json_object() requires an even number of arguments");
  Json object;
  object.kind = JsonKind::kObject;
  Json** end = &object.first;
  for (size_t i = 0; i < args.size(); i += 2) {
    if (!args[i].is_text()) return BadValueError("json_object() labels must be TEXT");
    TURDB_RETURN_IF_ERROR(JsonOfValue(args[i + 1], context->arena, end));
    (*end)->key = EscapeJson(args[i].view(), context->arena);
    end = &(*end)->next;
  }
  *result = JsonToCell(object, context->arena);
  return absl::OkStatus();
}

absl::Status QuoteJson(FunctionContext* context, Args args, Cell* result) {
  Json* json = nullptr;
  TURDB_RETURN_IF_ERROR(JsonOfValue(args[0], context->arena, &json));
  *result = JsonToCell(*json, context->arena);
  return absl::OkStatus();
}

// json_set writes always, json_insert only what is missing, json_replace only what is there.
template <bool kInserts, bool kReplaces>
absl::Status Edit(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  if (args.size() % 2 == 0) return BadValueError("json_set(), json_insert() and json_replace() need an odd number of arguments");
  Json* root = nullptr;
  TURDB_RETURN_IF_ERROR(JsonOfText(args[0], context->arena, &root));
  for (size_t i = 1; i + 1 < args.size(); i += 2) {
    if (args[i].is_null()) return absl::OkStatus();
    const std::string_view path = ToText(args[i], context->arena);
    Json *place = nullptr, *value = nullptr;
    TURDB_RETURN_IF_ERROR(FindJson(root, path, &place));
    if (place == nullptr ? !kInserts : !kReplaces) continue;
    if (place == nullptr) TURDB_RETURN_IF_ERROR(MakeJson(root, path, context->arena, &place));
    if (place == nullptr) continue;
    TURDB_RETURN_IF_ERROR(JsonOfValue(args[i + 1], context->arena, &value));
    Json* next = place->next;
    const std::string_view key = place->key;
    *place = *value;
    place->next = next;
    place->key = key;
  }
  *result = JsonToCell(*root, context->arena);
  return absl::OkStatus();
}

absl::Status Remove(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  Json* root = nullptr;
  TURDB_RETURN_IF_ERROR(JsonOfText(args[0], context->arena, &root));
  for (const Cell& path : args.subspan(1)) {
    if (path.is_null()) return absl::OkStatus();
    const std::string_view text = ToText(path, context->arena);
    if (text == "$") return absl::OkStatus();
    TURDB_RETURN_IF_ERROR(RemoveJson(root, text));
  }
  *result = JsonToCell(*root, context->arena);
  return absl::OkStatus();
}

// RFC 7396: objects merge, null takes away, anything else replaces.
Json* Merge(Json* target, Json* patch, Arena* arena) {
  if (patch->kind != JsonKind::kObject) return patch;
  if (target == nullptr || target->kind != JsonKind::kObject) {
    target = new (arena->Allocate(sizeof(Json))) Json();
    target->kind = JsonKind::kObject;
  }
  for (Json *change = patch->first, *following; change != nullptr; change = following) {
    following = change->next;
    Json** link = &target->first;
    while (*link != nullptr && (*link)->key != change->key) link = &(*link)->next;
    if (change->kind == JsonKind::kNull) {
      if (*link != nullptr) *link = (*link)->next;
      continue;
    }
    Json* next = *link == nullptr ? nullptr : (*link)->next;
    const std::string_view key = change->key;
    Json* merged = Merge(*link, change, arena);
    merged->next = next;
    merged->key = key;
    *link = merged;
  }
  return target;
}

absl::Status Patch(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null() || args[1].is_null()) return absl::OkStatus();
  Json *target = nullptr, *patch = nullptr;
  TURDB_RETURN_IF_ERROR(JsonOfText(args[0], context->arena, &target));
  TURDB_RETURN_IF_ERROR(JsonOfText(args[1], context->arena, &patch));
  *result = JsonToCell(*Merge(target, patch, context->arena), context->arena);
  return absl::OkStatus();
}

// json_group_array(value), json_group_object(name, value)
template <bool kIsObject>
class GroupState : public AggregateState {
 public:
  absl::Status Step(FunctionContext* context, Args args) override {
    if (kIsObject && args[0].is_null()) return absl::OkStatus();
    Json* value = nullptr;
    TURDB_RETURN_IF_ERROR(JsonOfValue(args[kIsObject ? 1 : 0], context->arena, &value));
    if (!text_.empty()) text_.push_back(',');
    if (kIsObject) text_.append("\"").append(EscapeJson(ToText(args[0], context->arena), context->arena)).append("\":");
    AppendJson(*value, &text_);
    return text_.size() > kMaxTextBytes ? TooBigError("string or blob too big") : absl::OkStatus();
  }
  absl::Status Finish(FunctionContext* context, Cell* result) override {
    *result = Cell::Text(context->arena->Copy(kIsObject ? "{" + text_ + "}" : "[" + text_ + "]"));
    result->subtype = kJsonSubtype;
    return absl::OkStatus();
  }

 private:
  std::string text_;
};

}  // namespace

void AddJsonFunctions(FunctionRegistry* r) {
  r->Add("json", 1, 1, Minify);
  r->Add("json_valid", 1, 1, Valid);
  r->Add("json_type", 1, 2, Type);
  r->Add("json_array_length", 1, 2, ArrayLength);
  r->Add("json_extract", 1, -1, Extract);
  r->Add("->", 2, 2, Arrow<false>);
  r->Add("->>", 2, 2, Arrow<true>);
  r->Add("json_array", 0, -1, Array);
  r->Add("json_object", 0, -1, Object);
  r->Add("json_quote", 1, 1, QuoteJson);
  r->Add("json_set", 1, -1, Edit<true, true>);
  r->Add("json_insert", 1, -1, Edit<true, false>);
  r->Add("json_replace", 1, -1, Edit<false, true>);
  r->Add("json_remove", 1, -1, Remove);
  r->Add("json_patch", 2, 2, Patch);
  r->AddAggregate<GroupState<false>>("json_group_array", 1, 1);
  r->AddAggregate<GroupState<true>>("json_group_object", 2, 2);
}

}  // namespace turdb::sql
