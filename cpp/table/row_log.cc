// Writing and repeating the log of a table's changes.
#include "table/row_log.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "table/cell_bytes.h"

namespace turdb::table {
namespace {

// Of the log of a table, however small the page cache.
constexpr uint64_t kLeastMemoryBytes = 256 << 10;

enum class Op : uint8_t { kInsert, kUpdate, kDelete };

// Writes one record behind the other into room that is known to be enough.
class RecordWriter {
 public:
  explicit RecordWriter(char* at) : begin_(at), at_(at) {}
  template <typename T>
  void Put(T value) {
    __builtin_memcpy(at_, &value, sizeof(value));
    at_ += sizeof(value);
  }
  void PutString(std::string_view bytes) {
    Put<uint64_t>(bytes.size());
    if (!bytes.empty()) at_ = std::copy(bytes.begin(), bytes.end(), at_);
  }
  void PutCell(const Cell& cell) {
    Put(cell.type);
    Put(cell.subtype);
    if (cell.has_bytes()) PutString(cell.view());
    else if (!cell.is_null()) Put(cell.integer);
  }
  // What a record begins with, and behind that the row it is about.
  void PutHead(Op op, const ExpressionTrace& trace) {
    Put(op);
    PutString(trace.bytes());
  }
  void PutRef(RowRef row) {
    Put(row.rowid.value());
    PutString(row.key);
  }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }

 private:
  char* const begin_;
  char* at_;
};

// At most what PutCell writes.
size_t RoomFor(const Cell& cell) { return 10 + (cell.has_bytes() ? cell.view().size() : 0); }
size_t RoomFor(const ExpressionTrace& trace, RowRef row) { return 40 + trace.bytes().size() + row.key.size(); }

// Vectors are read as floats: their bytes are copied to where floats may lie.
Cell TakeAligned(std::string_view* from, Arena* arena) {
  Cell cell = TakeCell(from);
  if (!cell.is_vector()) return cell;
  char* const floats = arena->Allocate(cell.length, alignof(float));
  std::copy_n(cell.bytes, cell.length, floats);
  cell.bytes = floats;
  return cell;
}

std::vector<Cell> TakeRow(std::string_view* from, Arena* arena) {
  std::vector<Cell> row(TakeBytes<uint32_t>(from));
  for (Cell& cell : row) cell = TakeAligned(from, arena);
  return row;
}

RowRef TakeRef(std::string_view* from) {
  RowRef row(RowId(TakeBytes<int64_t>(from)));
  row.key = TakeString(from);
  return row;
}

absl::Status DoesNotFit(const catalog::TableDef& table) {
  return turdb::ConflictError("another transaction committed a change of table '", table.name,
                       "' that this one's does not fit; roll back and retry");
}

}  // namespace

// --- expressions -----------------------------------------------------------------------------

IndexExpressions ExpressionTrace::Recording(IndexExpressions inner) {
  if (inner == nullptr) return nullptr;
  return [this, inner = std::move(inner)](const catalog::IndexDef& index, RowId rowid, absl::Span<const Cell> row,
                                          Cell* key) -> absl::StatusOr<bool> {
    TURDB_ASSIGN_OR_RETURN(const bool is_in, inner(index, rowid, row, key));
    AppendBytes(&bytes_, is_in);
    for (size_t i = 0; i < index.columns.size() && is_in; ++i) {
      if (index.columns[i].column == catalog::kExpressionColumn) AppendCell(&bytes_, key[i]);
    }
    return is_in;
  };
}

IndexExpressions ExpressionTrace::Replaying() {
  return [this](const catalog::IndexDef& index, RowId, absl::Span<const Cell>, Cell* key) -> absl::StatusOr<bool> {
    std::string_view rest = std::string_view(bytes_).substr(at_);
    if (rest.empty()) return InternalError("index '", index.name, "' asks for more than its log has");
    const bool is_in = TakeBytes<bool>(&rest);
    for (size_t i = 0; i < index.columns.size() && is_in; ++i) {
      if (index.columns[i].column == catalog::kExpressionColumn) key[i] = TakeCell(&rest);
    }
    at_ = bytes_.size() - rest.size();
    return is_in;
  };
}

// --- one table -------------------------------------------------------------------------------

absl::Status RowLog::Table::Insert(RowId rowid, absl::Span<const Cell> row, const ExpressionTrace& trace) {
  size_t room = RoomFor(trace, rowid);
  for (const Cell& cell : row) room += RoomFor(cell);
  TURDB_ASSIGN_OR_RETURN(char* const at, bytes_.Reserve(room));
  RecordWriter record(at);
  record.PutHead(Op::kInsert, trace);
  record.Put(rowid.value());
  record.Put(static_cast<uint32_t>(row.size()));
  for (const Cell& cell : row) record.PutCell(cell);
  bytes_.Commit(record.size());
  return absl::OkStatus();
}

absl::Status RowLog::Table::Update(RowRef row, RowId new_rowid, absl::Span<const Cell> new_row,
                                   const std::vector<bool>& changed, const ExpressionTrace& trace) {
  size_t room = RoomFor(trace, row) + sizeof(uint16_t);
  absl::InlinedVector<uint16_t, 8> columns;
  for (size_t i = 0; i < changed.size(); ++i) {
    if (!changed[i]) continue;
    columns.push_back(static_cast<uint16_t>(i));
    room += sizeof(uint16_t) + RoomFor(new_row[i]);
  }
  TURDB_ASSIGN_OR_RETURN(char* const at, bytes_.Reserve(room));
  RecordWriter record(at);
  record.PutHead(Op::kUpdate, trace);
  record.PutRef(row);
  record.Put(new_rowid.value());
  record.Put(static_cast<uint16_t>(columns.size()));
  for (const uint16_t column : columns) {
    record.Put(column);
    record.PutCell(new_row[column]);
  }
  bytes_.Commit(record.size());
  return absl::OkStatus();
}

absl::Status RowLog::Table::Delete(RowRef row, const ExpressionTrace& trace) {
  TURDB_ASSIGN_OR_RETURN(char* const at, bytes_.Reserve(RoomFor(trace, row)));
  RecordWriter record(at);
  record.PutHead(Op::kDelete, trace);
  record.PutRef(row);
  bytes_.Commit(record.size());
  return absl::OkStatus();
}

absl::Status RowLog::Table::RepeatUpdate(TableWriter* writer, RowRef row, std::string_view* at) const {
  Arena arena;
  const RowId new_rowid(TakeBytes<int64_t>(at));
  const size_t width = def_.columns.size();
  std::vector<bool> changed(width), kept(width);
  std::vector<Cell> new_row(width), old_row(width);
  for (auto n = TakeBytes<uint16_t>(at); n > 0; --n) {
    const auto column = TakeBytes<uint16_t>(at);
    changed[column] = true;
    new_row[column] = TakeAligned(at, &arena);
  }
  for (size_t i = 0; i < width; ++i) {
    kept[i] = !changed[i] && !def_.columns[i].type.is_vector();  // a vector that stays is the writer's to keep
  }
  TURDB_ASSIGN_OR_RETURN(const bool is_there, writer->Read(row, kept, &arena, old_row.data()));
  if (!is_there) return DoesNotFit(def_);
  for (size_t i = 0; i < width; ++i) {
    if (kept[i]) new_row[i] = old_row[i];
  }
  return writer->Update(row, new_rowid, new_row, changed);
}

absl::Status RowLog::Table::RepeatOne(TableWriter* writer, std::string_view* at) const {
  const Op op = TakeBytes<Op>(at);
  (void)TakeString(at);  // the trace, which the caller has loaded
  if (op == Op::kInsert) {
    Arena arena;
    const RowId rowid(TakeBytes<int64_t>(at));
    Conflict conflict;
    TURDB_ASSIGN_OR_RETURN(const bool is_in, writer->TryInsert(rowid, TakeRow(at, &arena), &conflict));
    return is_in ? absl::OkStatus() : DoesNotFit(def_);
  }
  const RowRef row = TakeRef(at);
  if (op == Op::kUpdate) return RepeatUpdate(writer, row, at);
  TURDB_ASSIGN_OR_RETURN(const bool was_there, writer->Delete(row));
  return was_there ? absl::OkStatus() : DoesNotFit(def_);
}

absl::Status RowLog::Table::Repeat(txn::Transaction* txn) {
  ExpressionTrace trace;
  TURDB_ASSIGN_OR_RETURN(const auto writer, NewPlainTableWriter(txn, def_, trace.Replaying()));
  return bytes_.ForEach([&](std::string_view at) {
    while (!at.empty()) {
      std::string_view ahead = at.substr(sizeof(Op));
      trace.Load(TakeString(&ahead));
      TURDB_RETURN_IF_ERROR(RepeatOne(writer.get(), &at));
    }
    return absl::OkStatus();
  });
}

// --- all tables ------------------------------------------------------------------------------

RowLog::Table* RowLog::Find(txn::Transaction* txn, const catalog::TableDef& table) {
  auto* const log = static_cast<RowLog*>(txn->change_log());
  if (log == nullptr) return nullptr;
  const auto found = std::find_if(log->tables_.begin(), log->tables_.end(),
                                  [&](const Table& known) { return known.def_.file == table.file; });
  return found == log->tables_.end() ? nullptr : &*found;
}

RowLog::Table* RowLog::Open(txn::Transaction* txn, const catalog::TableDef& table) {
  if (Table* const known = Find(txn, table)) return known;
  if (txn->change_log() == nullptr) txn->set_change_log(std::make_unique<RowLog>());
  const uint64_t bound = std::max(kLeastMemoryBytes, txn->page_cache_bytes() / 8);
  return &static_cast<RowLog*>(txn->change_log())->tables_.emplace_back(table, txn->temp_place(), bound);
}

RowLog::Mark RowLog::MarkEnd() const {
  Mark mark;
  for (const Table& table : tables_) mark.push_back(table.bytes_.size());
  return mark;
}

void RowLog::CutBackTo(const Mark& mark) {
  for (size_t i = 0; i < tables_.size(); ++i) {
    const size_t size = i < mark.size() ? mark[i] : 0;
    // A log that was given up meanwhile is shorter.
    tables_[i].bytes_.CutBackTo(size);
  }
}

void RowLog::AddFiles(absl::flat_hash_set<FileId>* files) const {
  for (const Table& table : tables_) {
    if (!table.is_closed_ && !table.empty()) files->insert(table.files_.begin(), table.files_.end());
  }
}

bool RowLog::Complete(absl::flat_hash_set<FileId>* files) const {
  const absl::flat_hash_set<FileId> given = *files;
  size_t known = 0;
  for (const Table& table : tables_) {
    const auto is_given = [&](FileId file) { return given.contains(file); };
    const auto n = static_cast<size_t>(std::count_if(table.files_.begin(), table.files_.end(), is_given));
    if (n == 0 || table.is_closed_) continue;
    known += n;
    files->insert(table.files_.begin(), table.files_.end());
  }
  return known == given.size();
}

absl::Status RowLog::Repeat(txn::Transaction* txn, const absl::flat_hash_set<FileId>& files) {
  for (Table& table : tables_) {
    if (files.contains(table.def_.file)) TURDB_RETURN_IF_ERROR(table.Repeat(txn));
  }
  return absl::OkStatus();
}

}  // namespace turdb::table
