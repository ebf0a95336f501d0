// LINKS: btree txn
// Operations on a row tree or a key tree against std::map: the tree always holds what the map holds, is sound, leaks no page.
#include <deque>
#include <map>
#include <string>

#include "base/strings.h"
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "fuzz/random_cell.h"
#include "fuzz/stored_file.h"

namespace turdb::fuzz {
namespace {


class RowTreeRun {
 public:
  explicit RowTreeRun(Input* input) : input_(input) { MustBeOk(btree::CreateRowTree(file_.writer())); }

  void Step(uint8_t op) {
    const int64_t key = Key();
    if (op >= 248) return Texts(key, op % 2 == 0);
    switch (op % 10) {
      case 0: case 1: Insert(key, Row()); break;
      case 2: {
        const std::vector<Cell> row = Row();
        for (uint32_t i = 0, n = input_->Byte(); i < n; ++i) Insert(key + i, row);
        break;
      }
      case 3: Update(key, Row()); break;
      case 4: case 5: Erase(key); break;
      case 6:
        for (uint32_t i = 0, n = 4 * input_->Byte(); i < n; ++i) Erase(key + i);
        break;
      case 7: file_.Commit(); break;
      case 8: Append(); break;
      default: Check();
    }
  }
  void Check() {
    std::vector<PageId> used;
    const std::vector<std::string> findings = MustBeOk(btree::CheckRowTree(file_.view(), &used));
    for (const std::string& finding : findings) std::fprintf(stderr, "%s\n", finding.c_str());
    FUZZ_CHECK(findings.empty());
    file_.CheckPages(used.size());
    Arena arena;
    btree::RowCursor cursor(file_.view(), &arena);
    MustBeOk(cursor.SeekFirst());
    for (const auto& [key, row] : model_) {
      FUZZ_CHECK(cursor.valid() && cursor.key().value() == key);
      for (uint32_t c = 0; c < row.size(); ++c) {
        const std::optional<Cell> cell = MustBeOk(cursor.Column(c));
        FUZZ_CHECK(cell.has_value() && IsSame(*cell, row[c]));
      }
      FUZZ_CHECK(!MustBeOk(cursor.Column(static_cast<uint32_t>(row.size()))).has_value());
      MustBeOk(cursor.Next());
    }
    FUZZ_CHECK(!cursor.valid());
  }

 private:
  int64_t Key() { return input_->Byte() % 16 == 0 ? input_->Number<int64_t>() / 2 : input_->Number<uint16_t>() % 4096; }
  std::vector<Cell> Row() {
    const uint8_t shape = input_->Byte();
    return maker_.MakeRow(input_, shape % 5, shape >= 224 ? 40000 : shape >= 128 ? 4100 : 60);
  }
  void Insert(int64_t key, const std::vector<Cell>& row) {
    FUZZ_CHECK(MustBeOk(btree::InsertRow(file_.writer(), RowId(key), row)) == model_.emplace(key, row).second);
  }
  void Update(int64_t key, const std::vector<Cell>& row) {
    const auto at = model_.find(key);
    FUZZ_CHECK(MustBeOk(btree::UpdateRow(file_.writer(), RowId(key), row)) == (at != model_.end()));
    if (at != model_.end()) at->second = row;
  }
  void Erase(int64_t key) {
    FUZZ_CHECK(MustBeOk(btree::EraseRow(file_.writer(), RowId(key))) == (model_.erase(key) > 0));
  }
  // Rows of many short texts, new or in the place of others: packed, and unpacked again where texts recur.
  void Texts(int64_t key, bool recurs) {
    const uint32_t columns = 3 + input_->Byte() % 20;
    for (uint32_t i = 0, n = input_->Byte(); i < n; ++i) {
      const uint64_t number = static_cast<uint64_t>(key) + i;
      const auto at = static_cast<int64_t>(number);
      std::vector<Cell> row;
      for (uint32_t c = 0; c < columns; ++c) {
        numbered_.push_back(std::to_string(recurs ? c : 7919 * number + c));
        row.push_back(c % 7 == i % 16 ? Cell() : Cell::Text(numbered_.back()));
      }
      if (model_.contains(at)) Update(at, row);
      else Insert(at, row);
    }
  }
  void Append() {
    const int64_t first = model_.empty() ? 0 : model_.rbegin()->first + 1;
    const uint32_t n = 1 + input_->Byte();
    if (first > int64_t{1} << 62) return;
    ColumnVector column;
    column.ResetCells(n);
    Cell* cells = column.mutable_cells();
    btree::RowBlock block;
    block.first_key = first;
    block.rows = n;
    for (uint32_t i = 0; i < n; ++i) {
      cells[i] = i % 7 == 0 ? Cell::Text("seven") : Cell::Integer(first + i);
      model_[first + i] = {cells[i]};
    }
    block.columns = {&column, 1};
    btree::RowAppender appender(file_.writer());
    MustBeOk(appender.Append(block));
    MustBeOk(appender.Finish());
  }

  Input* const input_;
  StoredFile file_;
  CellMaker maker_;
  std::map<int64_t, std::vector<Cell>> model_;
  std::deque<std::string> numbered_;  // texts of rows
};

class KeyTreeRun {
 public:
  explicit KeyTreeRun(Input* input) : input_(input) { MustBeOk(btree::CreateKeyTree(file_.writer())); }

  void Step(uint8_t op) {
    const std::string key = Key();
    if (op >= 248) return Scatter(key);
    switch (op % 8) {
      case 0: case 1: Insert(key, Payload()); break;
      case 2: {
        const std::string payload = Payload();
        for (uint32_t i = 0, n = input_->Byte(); i < n; ++i) Insert(Numbered(key, i), payload);
        break;
      }
      case 3: Update(key, Payload()); break;
      case 4: Erase(key); break;
      case 5:
        for (uint32_t i = 0, n = input_->Byte(); i < n; ++i) Erase(Numbered(key, i));
        break;
      case 6: file_.Commit(); break;
      default: Check();
    }
  }
  void Check() {
    std::vector<PageId> used;
    const std::vector<std::string> findings = MustBeOk(btree::CheckKeyTree(file_.view(), &used));
    for (const std::string& finding : findings) std::fprintf(stderr, "%s\n", finding.c_str());
    FUZZ_CHECK(findings.empty());
    file_.CheckPages(used.size());
    Arena arena;
    btree::KeyCursor cursor(file_.view(), &arena);
    MustBeOk(cursor.SeekLast());
    for (auto at = model_.rbegin(); at != model_.rend(); ++at) {
      FUZZ_CHECK(cursor.valid() && MustBeOk(cursor.Key()) == at->first && MustBeOk(cursor.Payload()) == at->second);
      MustBeOk(cursor.Prev());
    }
    FUZZ_CHECK(!cursor.valid());
  }

 private:
  static std::string Numbered(const std::string& key, uint32_t i) {
    return key + static_cast<char>(i * 37 >> 8) + static_cast<char>(i * 37);
  }
  // Keys in no order, enough of them to fill leaves.
  void Scatter(const std::string& prefix) {
    const uint32_t n = 8 * input_->Byte();
    uint32_t at = input_->Byte();
    const std::string payload = Payload();
    for (uint32_t i = 0; i < n; ++i) {
      at = at * 1664525u + 1013904223u;
      Insert(Cat(prefix, at >> 8, std::string(at % 64, 's')), i % 16 == 0 ? payload : payload.substr(0, at % 3));
    }
  }
  std::string Key() {
    const uint8_t shape = input_->Byte();
    return std::string(shape >= 240 ? 2500 : shape >= 200 ? 1990 : shape >= 160 ? 400 : 0, 'k') +
           std::string(input_->Bytes(shape % 6));
  }
  std::string Payload() {
    static constexpr uint32_t kSizes[] = {0, 0, 3, 40, 900, 3900, 5000, 30000};
    const uint8_t shape = input_->Byte();
    return std::string(kSizes[shape % 8], static_cast<char>(shape));
  }
  void Insert(const std::string& key, const std::string& payload) {
    FUZZ_CHECK(MustBeOk(btree::InsertKey(file_.writer(), key, payload)) == model_.emplace(key, payload).second);
  }
  void Update(const std::string& key, const std::string& payload) {
    const auto at = model_.find(key);
    FUZZ_CHECK(MustBeOk(btree::UpdateKey(file_.writer(), key, payload)) == (at != model_.end()));
    if (at != model_.end()) at->second = payload;
  }
  void Erase(const std::string& key) {
    FUZZ_CHECK(MustBeOk(btree::EraseKey(file_.writer(), key)) == (model_.erase(key) > 0));
  }

  Input* const input_;
  StoredFile file_;
  std::map<std::string, std::string> model_;
};

template <typename Run>
void RunAll(Input* input) {
  Run run(input);
  for (int steps = 0; !input->empty() && steps < 100; ++steps) run.Step(input->Byte());
  run.Check();
}

}  // namespace

void FuzzBtreeOps(const uint8_t* data, size_t size) {
  Input input(data, size);
  if (input.Byte() % 2 == 0) RunAll<RowTreeRun>(&input);
  else RunAll<KeyTreeRun>(&input);
}

}  // namespace turdb::fuzz
