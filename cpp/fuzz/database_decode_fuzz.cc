// LINKS: engine
// A whole database damaged behind intact checksums: pages of any of its files (catalog, tables, indexes, vectors, graphs) and
// its directory file change, and SQL of every kind runs on what is left. Statements end with a result or an error, whatever
// the bytes; what integrity_check says of them is not looked at.
#include "base/crc32c.h"
#include "engine/connection.h"
#include "format/directory_meta.h"
#include "fuzz/stored_file.h"

namespace turdb::fuzz {
namespace {

constexpr size_t kMetaChecked = 16;  // the checksum of turdb.meta covers bytes from here
constexpr int kMostRows = 3000;

constexpr const char* kSchema[] = {
    "create table t (id integer primary key autoincrement, a text collate nocase default 'none', b real not null, c blob, v vector(8))",
    "create index t_a on t (a desc, b)",
    "create unique index t_b on t (b) where b > 3",
    "create index t_lower on t (lower(a))",
    "create index t_v on t using hnsw (v) with (m = 4, ef_construction = 16)",
    "create table k (part text, n integer check (n >= 0), x, up text generated always as (upper(part)) stored, primary key (part, n)) "
    "without rowid",
    "create table child (t integer references t(id) on delete cascade, note)",
    "create view w as select id, a, n from t join k on k.n = t.id % 7",
    "create schema s",
    "create table s.u (x integer primary key, y)",
    "insert into t select value, 'name ' || (value * 7 % 50), value * 0.5, zeroblob(value * 40), "
    "json_array(value, value % 3, value % 5, value % 7, 1, 2, 3, value % 11) from generate_series(1, 150)",
    "insert into t values (1000, 'long', 1000, zeroblob(70000), null)",
    "insert into k (part, n, x) select 'part ' || (value % 4), value, printf('%200d', value) from generate_series(0, 200)",
    "insert into child select value, 'note' from generate_series(1, 40)",
    "insert into s.u select value, value from generate_series(1, 20)",
    "alter table child add column later integer default 5",
    "delete from t where id between 60 and 75",
    "analyze",
    "pragma hnsw_absorb = sync",
    "pragma wal_checkpoint",
};

constexpr const char* kUses[] = {
    "select * from t",
    "select id, c from t where id = 1000",
    "select a, count(*), sum(b) from t group by a order by 2, 1",
    "select id from t where a = 'NAME 7' order by b",
    "select id from t where b > 10 order by b desc limit 7",
    "select * from t where lower(a) = 'name 14'",
    "select id from t order by v <-> '[1,2,3,4,5,6,7,8]' limit 9",
    "select id from t where b > 20 order by v <-> '[9,2,3,4,5,6,7,8]' limit 90",
    "select v from t where id < 50",
    "select * from k where part = 'part 2' and n > 60",
    "select part, x from k order by part desc, n",
    "select * from w",
    "select * from child join t on t.id = child.t where later = 5",
    "select * from s.u",
    "select * from sqlite_master",
    "pragma table_info(t)",
    "pragma index_list(t)",
    "pragma integrity_check",
    "pragma quick_check",
    "pragma page_count",
    "pragma freelist_count",
    "insert into t (a, b, v) values ('new', 5000.25, '[1,1,1,1,1,1,1,1]')",
    "insert into t select id + 2000, a, b + 2000, c, v from t where id < 30",
    "insert or replace into t values (20, 'other', 77.5, x'00', '[0,0,0,0,0,0,0,1]')",
    "update t set a = a || 'x', c = zeroblob(30000) where id % 10 = 3",
    "update t set v = '[5,5,5,5,5,5,5,5]' where id = 33",
    "update k set n = n + 1000 where part = 'part 1'",
    "delete from t where id % 3 = 0",
    "delete from k where n < 50",
    "delete from child",
    "begin",
    "savepoint one",
    "rollback to one",
    "commit",
    "rollback",
    "select * from t where id = 5 for update",
    "create index t_c on t (b, a)",
    "create table fresh as select * from k",
    "drop index t_a",
    "drop table child",
    "drop table t",
    "alter table k rename to k2",
    "alter table t drop column c",
    "reindex",
    "vacuum",
    "analyze",
    "pragma hnsw_absorb = sync",
    "pragma wal_checkpoint",
};

std::unique_ptr<engine::Connection> Connect(env::Env* env) {
  engine::OpenOptions options;
  options.env = env;
  options.path = kStorePath;
  options.timeout_ms = 0;
  auto connection = engine::Connection::Open(options);
  return connection.ok() ? *std::move(connection) : nullptr;
}

absl::Status Run(engine::Connection* connection, std::string_view sql) {
  size_t consumed = 0;
  auto statement = connection->Prepare(sql, &consumed);
  if (!statement.ok()) return statement.status();
  auto result = (*statement)->Execute({});
  if (!result.ok()) return result.status();
  ColumnBatch batch;
  uint64_t sum = 0;
  for (int rows = 0; !(*result)->columns().empty() && rows < kMostRows; rows += static_cast<int>(batch.size)) {
    if (absl::Status status = (*result)->Next(&batch); !status.ok()) return status;
    if (batch.size == 0) break;
    for (const ColumnVector& column : batch.columns) {
      for (uint32_t row = 0; row < batch.size; ++row) {
        const Cell cell = column.Get(row);
        if (cell.has_bytes()) {  // every byte that is handed out can be read
          for (const char c : cell.view()) sum += static_cast<uint8_t>(c);
        }
      }
    }
  }
  (*result)->Close();
  static volatile uint64_t read;
  read = sum;
  return absl::OkStatus();
}

std::map<std::string, std::string> MakeFiles() {
  const std::unique_ptr<env::Env> env = env::NewMemoryEnv();
  const auto connection = Connect(env.get());
  FUZZ_CHECK(connection != nullptr);
  for (const char* sql : kSchema) {
    const absl::Status status = Run(connection.get(), sql);
    if (!status.ok()) std::fprintf(stderr, "%s\n", sql);
    MustBeOk(status);
  }
  MustBeOk(connection->Close());
  std::map<std::string, std::string> files = FilesOf(env.get(), kStorePath);
  const std::unique_ptr<env::Env> copy = EnvOf(files);  // undamaged, it can be opened and used: the target is not in vain
  const auto again = Connect(copy.get());
  FUZZ_CHECK(again != nullptr);
  for (const char* sql : kUses) {
    const absl::Status status = Run(again.get(), sql);
    if (!status.ok()) std::fprintf(stderr, "%s: %s\n", sql, std::string(status.message()).c_str());
  }
  MustBeOk(again->Close());
  return files;
}

bool IsDataFile(std::string_view bytes) {
  return bytes.size() >= format::kPageBytes && format::HasFileMagic(reinterpret_cast<const uint8_t*>(bytes.data()));
}

void DamageDataFile(Input* input, std::string* bytes) {
  const FileId file(Load<uint32_t>(bytes->data() + format::kHeaderFileIdOffset));
  DamageFile(PageChange(input, 160, 4), file, bytes);
}

void DamageMeta(Input* input, std::string* bytes) {
  const size_t offset = kMetaChecked + input->Number<uint16_t>() % (bytes->size() - kMetaChecked);
  const std::string_view change = input->Bytes(1 + input->Byte() % 4);
  for (size_t i = 0; i < change.size() && offset + i < bytes->size(); ++i) (*bytes)[offset + i] = change[i];
  Store<uint32_t>(bytes->data() + 12, Crc32c(0, bytes->data() + kMetaChecked, bytes->size() - kMetaChecked));
}

void Damage(Input* input, std::map<std::string, std::string>* files) {
  auto at = files->begin();
  std::advance(at, input->Byte() % files->size());
  if (at->second.starts_with(format::kMetaMagic)) DamageMeta(input, &at->second);
  else if (IsDataFile(at->second)) DamageDataFile(input, &at->second);
}

}  // namespace

void FuzzDatabaseDecode(const uint8_t* data, size_t size) {
  static const auto* const sound = new std::map<std::string, std::string>(MakeFiles());
  std::map<std::string, std::string> files = *sound;
  Input input(data, size);
  for (int n = 1 + input.Byte() % 4; n > 0; --n) Damage(&input, &files);
  const std::unique_ptr<env::Env> env = EnvOf(files);
  const auto connection = Connect(env.get());
  if (connection == nullptr) return;
  for (int n = 0; n < 12 && (n < 2 || !input.empty()); ++n) {
    (void)Run(connection.get(), kUses[input.Byte() % std::size(kUses)]);
  }
  (void)connection->Close();
}

}  // namespace turdb::fuzz
