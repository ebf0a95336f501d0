// EncodeRange: an IndexRange as two encoded keys. A descending column turns its bounds round.

#include "table/key_scan.h"

namespace turdb::table {
namespace {

struct Bound {
  const Value* value = nullptr;  // nullptr: open
  bool is_inclusive = true;
};

std::string WithCell(const std::string& prefix, const Cell& cell, record::KeyColumn column) {
  std::string key = prefix;
  record::AppendKey(&key, cell, column);
  return key;
}

}  // namespace

KeyRange EncodeRange(const IndexCodec& codec, const IndexRange& range) {
  std::string prefix;
  for (size_t i = 0; i < range.prefix.size(); ++i) {
    record::AppendKey(&prefix, range.prefix[i].cell(), codec.key_columns()[i]);
  }
  KeyRange keys{prefix, record::AfterPrefix(prefix)};
  if (!range.lower.has_value() && !range.upper.has_value()) return keys;

  const record::KeyColumn column = codec.key_columns()[range.prefix.size()];
  const Value null;
  Bound lower, upper;
  if (range.lower.has_value()) lower = {&*range.lower, range.lower_is_inclusive};
  else if (!range.includes_null) lower = {&null, false};
  if (range.upper.has_value()) upper = {&*range.upper, range.upper_is_inclusive};

  const Bound& first = column.is_descending ? upper : lower;
  const Bound& last = column.is_descending ? lower : upper;
  if (first.value != nullptr) {
    const std::string key = WithCell(prefix, first.value->cell(), column);
    keys.low = first.is_inclusive ? key : record::AfterPrefix(key);
    keys.is_empty |= keys.low.empty();
  }
  if (last.value != nullptr) {
    const std::string key = WithCell(prefix, last.value->cell(), column);
    keys.high = last.is_inclusive ? record::AfterPrefix(key) : key;
  }
  keys.is_empty |= !keys.high.empty() && keys.low >= keys.high;
  return keys;
}

}  // namespace turdb::table
