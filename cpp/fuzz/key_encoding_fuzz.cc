// LINKS: record
// Encoded keys: memcmp orders them as their cells compare, they read back as they were, no key is a prefix of another, and
// any bytes decode or are refused.
#include "fuzz/random_cell.h"
#include "record/key_encoding.h"

namespace turdb::fuzz {
namespace {

using record::KeyColumn;

int Sign(int n) { return (n > 0) - (n < 0); }

int CompareRows(const std::vector<Cell>& a, const std::vector<Cell>& b, const std::vector<KeyColumn>& columns) {
  for (size_t c = 0; c < columns.size(); ++c) {
    const int order = Sign(CompareCells(a[c], b[c], columns[c].collation));
    if (order != 0) return columns[c].is_descending ? -order : order;
  }
  return 0;
}

std::string Encode(const std::vector<Cell>& row, const std::vector<KeyColumn>& columns) {
  std::string key;
  for (size_t c = 0; c < columns.size(); ++c) record::AppendKey(&key, row[c], columns[c]);
  return key;
}

void CheckReadsBack(const std::vector<Cell>& row, const std::vector<KeyColumn>& columns, std::string_view key) {
  Arena arena;
  for (size_t c = 0; c < columns.size(); ++c) {
    const Cell cell = MustBeOk(record::DecodeKey(&key, columns[c], &arena));
    FUZZ_CHECK(CompareCells(cell, row[c], columns[c].collation) == 0);
  }
  FUZZ_CHECK(key.empty());
}

void DecodeAnything(std::string_view key, const std::vector<KeyColumn>& columns) {
  Arena arena;
  std::string_view row_id = key;
  (void)record::DecodeRowId(&row_id);
  while (!key.empty()) {
    const size_t before = key.size();
    for (const KeyColumn& column : columns) {
      if (!record::DecodeKey(&key, column, &arena).ok()) return;
    }
    FUZZ_CHECK(key.size() < before);
  }
}

}  // namespace

void FuzzKeyEncoding(const uint8_t* data, size_t size) {
  Input input(data, size);
  std::vector<KeyColumn> columns(1 + input.Byte() % 3);
  for (KeyColumn& column : columns) {
    const uint8_t choice = input.Byte();
    column.collation = static_cast<Collation>(choice % 3);
    column.is_descending = choice & 4;
  }
  CellMaker maker;
  const uint32_t n = static_cast<uint32_t>(columns.size());
  const std::vector<Cell> a = maker.MakeRow(&input, n, 40);
  std::vector<Cell> b = maker.MakeRow(&input, n, 40);
  if (input.Byte() % 2 == 0) b[0] = a[0];  // so that later columns decide
  const std::string key_a = Encode(a, columns);
  const std::string key_b = Encode(b, columns);
  const int order = CompareRows(a, b, columns);
  FUZZ_CHECK(Sign(key_a.compare(key_b)) == order);
  if (order != 0) FUZZ_CHECK(key_a.compare(0, key_b.size(), key_b) != 0 && key_b.compare(0, key_a.size(), key_a) != 0);
  CheckReadsBack(a, columns, key_a);
  const std::string after = record::AfterPrefix(key_a);
  FUZZ_CHECK(after.empty() || after > key_a + "\xff");
  int64_t ids[2] = {input.Number<int64_t>(), input.Number<int64_t>()};
  std::string id_keys[2];
  for (int i = 0; i < 2; ++i) {
    record::AppendRowId(&id_keys[i], RowId(ids[i]));
    std::string_view key = id_keys[i];
    FUZZ_CHECK(MustBeOk(record::DecodeRowId(&key)).value() == ids[i] && key.empty());
  }
  FUZZ_CHECK((id_keys[0] < id_keys[1]) == (ids[0] < ids[1]));
  DecodeAnything(input.Rest(), columns);
}

}  // namespace turdb::fuzz
