// LINKS: btree txn
// Damaged pages behind intact checksums: a store with a valid tree is closed, bytes of its pages are changed and sealed again
// (or changed once they are private), and every way of reading and writing is taken. Whatever the bytes, calls end with a result or an error.
// Kinds: file header, free-list trunk, row interior, row leaf (of columns, of records, with chains), key interior, key leaf,
// both in their first layout too, overflow.
#include "btree/key_tree.h"
#include "btree/row_tree.h"
#include "fuzz/plain_key_page.h"
#include "fuzz/random_cell.h"
#include "fuzz/stored_file.h"

namespace turdb::fuzz {
namespace {

constexpr char kDataPath[] = "db/root/t.tbd";

struct Image {
  std::map<std::string, std::string> files;
  FileId file;
};

Image MakeRows() {
  StoredFile stored;
  MustBeOk(btree::CreateRowTree(stored.writer()));
  const std::string text(300, 't'), longer(9000, 'l');
  const std::vector<Cell> wide(1500, Cell::Text("wide row as a record"));
  for (int64_t key = 0; key < 120; ++key) {
    const std::vector<Cell> row = {Cell::Integer(key * 1000), Cell::Text(std::string_view(text).substr(0, key * 2)),
                                   key % 3 ? Cell::Real(0.5 * key) : Cell(), Cell::Blob(std::string_view(longer).substr(0, key % 50 ? 1 : 9000))};
    MustBeOk(btree::InsertRow(stored.writer(), RowId(key), row));
  }
  MustBeOk(btree::InsertRow(stored.writer(), RowId(500), wide));
  for (int64_t key = 200; key < 210; ++key) MustBeOk(btree::InsertRow(stored.writer(), RowId(key), {{Cell::Text(longer)}}));
  for (int64_t key = 200; key < 206; ++key) MustBeOk(btree::EraseRow(stored.writer(), RowId(key)));  // for the free list
  Image image{{}, stored.file()};
  image.files = stored.Close();
  return image;
}

void MakeAllPlain(StoredFile* stored) {
  int plain = 0;
  for (PageId id(1); id.value() < stored->view().page_count(); id = PageId(id.value() + 1)) {
    const format::PageKind kind = format::PageKindOf(stored->view().Page(id));
    const bool is_of_keys = kind == format::PageKind::kKeyLeaf || kind == format::PageKind::kKeyInterior;
    if (is_of_keys) plain += MakePlain(MustBeOk(stored->writer()->MutablePage(id)));
  }
  FUZZ_CHECK(plain > 1);
}

Image MakeKeys(bool are_plain) {
  StoredFile stored;
  MustBeOk(btree::CreateKeyTree(stored.writer()));
  const std::string payload(700, 'p'), longer(9000, 'l'), cut(2500, 'k');
  for (int i = 0; i < 90; ++i) {
    const std::string key = "key" + std::to_string(1000 + i);
    MustBeOk(btree::InsertKey(stored.writer(), key, std::string_view(payload).substr(0, i * 7)));
  }
  for (int i = 0; i < 12; ++i) MustBeOk(btree::InsertKey(stored.writer(), cut + std::to_string(i), i % 2 ? "" : longer));
  for (int i = 0; i < 3; ++i) MustBeOk(btree::EraseKey(stored.writer(), cut + std::to_string(i)));
  if (are_plain) MakeAllPlain(&stored);
  Image image{{}, stored.file()};
  image.files = stored.Close();
  return image;
}

void UseRows(Input* input, pager::FileWriter* writer) {
  const pager::FileView view = writer->view();
  Arena arena;
  std::vector<PageId> used;
  (void)btree::CheckRowTree(view, &used);
  (void)btree::CountRows(view);
  (void)btree::EstimateRows(view);
  (void)btree::LastRowId(view);
  btree::RowCursor cursor(view, &arena);
  const uint32_t columns[] = {0, 3, 1, 7};
  const Cell defaults[4];
  std::vector<int64_t> keys(64);
  ColumnVector out[4];
  if (cursor.SeekFirst().ok()) {
    for (int i = 0; i < 40; ++i) {
      const auto n = cursor.ReadBatch(64, RowId(1000), columns, defaults, keys.data(), out);
      if (!n.ok() || *n == 0) break;
    }
  }
  if (cursor.SeekLast().ok()) {
    for (int i = 0; i < 300 && cursor.valid(); ++i) {
      for (uint32_t c = 0; c < 5; ++c) (void)cursor.Column(c);
      if (!cursor.Prev().ok()) break;
    }
  }
  CellMaker maker;
  for (int i = 0; i < 12; ++i) {
    const RowId key(input->Byte() % 8 == 0 ? 500 : input->Byte() % 215);
    const std::vector<Cell> row = maker.MakeRow(input, 1 + input->Byte() % 4, 5000);
    (void)cursor.Find(key);
    switch (i % 4) {
      case 0: (void)btree::InsertRow(writer, key, row); break;
      case 1: (void)btree::UpdateRow(writer, key, row); break;
      default: (void)btree::EraseRow(writer, key);
    }
  }
  ColumnVector column;
  column.ResetInt64(100);
  std::memset(column.mutable_ints(), 0, 800);
  btree::RowBlock block;
  block.first_key = 10000;
  block.rows = 100;
  block.columns = {&column, 1};
  btree::RowAppender appender(writer);
  if (appender.Append(block).ok()) (void)appender.Finish();
  (void)btree::ClearRowTree(writer);
}

void UseKeys(Input* input, pager::FileWriter* writer) {
  const pager::FileView view = writer->view();
  Arena arena;
  std::vector<PageId> used;
  (void)btree::CheckKeyTree(view, &used);
  (void)btree::CountKeys(view);
  (void)btree::EstimateKeys(view);
  btree::KeyCursor cursor(view, &arena);
  for (const bool is_forward : {true, false}) {
    if (!(is_forward ? cursor.SeekFirst() : cursor.SeekLast()).ok()) continue;
    for (int i = 0; i < 300 && cursor.valid(); ++i) {
      (void)cursor.Key();
      (void)cursor.Payload();
      if (!(is_forward ? cursor.Next() : cursor.Prev()).ok()) break;
    }
  }
  const std::string cut(2500, 'k'), payload(5000, 'n');
  for (int i = 0; i < 12; ++i) {
    const uint8_t which = input->Byte();
    const std::string key = which % 4 == 0 ? cut + std::to_string(which / 4 % 14) : "key" + std::to_string(1000 + which % 100);
    (void)cursor.Find(key);
    (void)cursor.SeekAtMost(key);
    const std::string_view value = std::string_view(payload).substr(0, input->Number<uint16_t>() % 5001);
    switch (i % 4) {
      case 0: (void)btree::InsertKey(writer, key, value); break;
      case 1: (void)btree::UpdateKey(writer, key, value); break;
      default: (void)btree::EraseKey(writer, key);
    }
  }
  btree::KeyAppender appender(writer);
  if (appender.Append("z", "").ok()) (void)appender.Finish();
  (void)btree::ClearKeyTree(writer);
}

void Open(const Image& image, bool is_rows, bool is_in_memory, Input* input) {
  std::vector<PageChange> changes;
  for (int n = 1 + input->Byte() % 6; n > 0; --n) changes.emplace_back(input, 160, 4);
  std::map<std::string, std::string> files = image.files;
  if (!is_in_memory) {
    for (const PageChange& change : changes) DamageFile(change, image.file, &files[kDataPath]);
  }
  const std::unique_ptr<env::Env> env = EnvOf(files);
  auto store = txn::Store::Open(env.get(), kStorePath, {});
  if (!store.ok()) return;
  {
    const auto txn = (*store)->Begin();
    if (!txn->View(image.file).ok() || !txn->StartWriting(std::chrono::milliseconds(0)).ok()) return;
    const auto writer = txn->Writer(image.file);
    if (!writer.ok()) return;
    if (is_in_memory) {
      for (const PageChange& change : changes) DamagePage(change, *writer);
    }
    is_rows ? UseRows(input, *writer) : UseKeys(input, *writer);
    for (int i = 0; i < 4; ++i) (void)(*writer)->Allocate(format::PageKind::kOverflow);  // the free list
    (void)(*writer)->Free(PageId(2));
    (void)txn->Commit(txn::Synchronous::kOff);
  }
  (void)(*store)->Close();
}

}  // namespace

void FuzzPageDecode(const uint8_t* data, size_t size) {
  static const Image* const rows = new Image(MakeRows());
  static const Image* const keys = new Image(MakeKeys(false));
  static const Image* const plain_keys = new Image(MakeKeys(true));
  Input input(data, size);
  const uint8_t mode = input.Byte();
  const bool is_rows = mode % 2 == 0;
  Open(is_rows ? *rows : mode % 4 == 1 ? *keys : *plain_keys, is_rows, mode >= 128, &input);
}

}  // namespace turdb::fuzz
