// Writing and repeating the log of a table's changes.
#include "table/row_log.h"

#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "table/cell_bytes.h"

namespace turdb::table {
namespace {

enum class Op : uint8_t { kInsert, kUpdate, kDelete };

void AppendRow(std::string* to, absl::Span<const Cell> row) {
  AppendBytes<uint32_t>(to, static_cast<uint32_t>(row.size()));
  for (const Cell& cell : row) AppendCell(to, cell);
}

// Vectors are read as floats: their bytes are copied to where floats may lie.
std::vector<Cell> TakeRow(std::string_view* from, Arena* arena) {
  std::vector<Cell> row(TakeBytes<uint32_t>(from));
  for (Cell& cell : row) {
    cell = TakeCell(from);
    if (!cell.is_vector()) continue;
    char* const floats = arena->Allocate(cell.length, alignof(float));
    std::copy_n(cell.bytes, cell.length, floats);
    cell.bytes = floats;
  }
  return row;
}

void AppendRef(std::string* to, RowRef row) {
  AppendBytes(to, row.rowid.value());
  AppendString(to, row.key);
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

std::vector<FileId> FilesOf(const catalog::TableDef& table) {
  std::vector<FileId> files = {table.file};
  for (const catalog::IndexDef& index : table.indexes) files.push_back(index.file);
  for (const catalog::ColumnDef& column : table.columns) {
    if (column.type.is_vector()) files.push_back(column.vector_file);
  }
  return files;
}

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

void RowLog::Table::Insert(RowId rowid, absl::Span<const Cell> row, const ExpressionTrace& trace) {
  AppendBytes(&bytes_, Op::kInsert);
  AppendString(&bytes_, trace.bytes());
  AppendBytes(&bytes_, rowid.value());
  AppendRow(&bytes_, row);
}

void RowLog::Table::Update(RowRef row, RowId new_rowid, absl::Span<const Cell> new_row, const std::vector<bool>& changed,
                           const ExpressionTrace& trace) {
  AppendBytes(&bytes_, Op::kUpdate);
  AppendString(&bytes_, trace.bytes());
  AppendRef(&bytes_, row);
  AppendBytes(&bytes_, new_rowid.value());
  for (const bool is_changed : changed) AppendBytes(&bytes_, is_changed);
  AppendBytes<uint32_t>(&bytes_, static_cast<uint32_t>(new_row.size()));
  for (size_t i = 0; i < new_row.size(); ++i) {
    const bool is_kept_vector = def_.columns[i].type.is_vector() && !changed[i];
    AppendCell(&bytes_, is_kept_vector ? Cell() : new_row[i]);
  }
}

void RowLog::Table::Delete(RowRef row, const ExpressionTrace& trace) {
  AppendBytes(&bytes_, Op::kDelete);
  AppendString(&bytes_, trace.bytes());
  AppendRef(&bytes_, row);
}

absl::Status RowLog::Table::RepeatOne(TableWriter* writer, std::string_view* at) const {
  Arena arena;
  const Op op = TakeBytes<Op>(at);
  (void)TakeString(at);  // the trace, which the caller has loaded
  if (op == Op::kInsert) {
    const RowId rowid(TakeBytes<int64_t>(at));
    Conflict conflict;
    TURDB_ASSIGN_OR_RETURN(const bool is_in, writer->TryInsert(rowid, TakeRow(at, &arena), &conflict));
    return is_in ? absl::OkStatus() : DoesNotFit(def_);
  }
  const RowRef row = TakeRef(at);
  if (op == Op::kDelete) {
    TURDB_ASSIGN_OR_RETURN(const bool was_there, writer->Delete(row));
    return was_there ? absl::OkStatus() : DoesNotFit(def_);
  }
  const RowId new_rowid(TakeBytes<int64_t>(at));
  std::vector<bool> changed(def_.columns.size());
  for (size_t i = 0; i < changed.size(); ++i) changed[i] = TakeBytes<bool>(at);
  return writer->Update(row, new_rowid, TakeRow(at, &arena), changed);
}

absl::Status RowLog::Table::Repeat(txn::Transaction* txn) const {
  ExpressionTrace trace;
  TURDB_ASSIGN_OR_RETURN(const auto writer, NewPlainTableWriter(txn, def_, trace.Replaying()));
  for (std::string_view at = bytes_; !at.empty();) {
    std::string_view ahead = at.substr(sizeof(Op));
    trace.Load(TakeString(&ahead));
    TURDB_RETURN_IF_ERROR(RepeatOne(writer.get(), &at));
  }
  return absl::OkStatus();
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
  return &static_cast<RowLog*>(txn->change_log())->tables_.emplace_back(table);
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
    if (tables_[i].bytes_.size() > size) tables_[i].bytes_.resize(size);
  }
}

void RowLog::AddFiles(absl::flat_hash_set<FileId>* files) const {
  for (const Table& table : tables_) {
    if (!table.is_closed_ && !table.bytes_.empty()) files->insert(table.files_.begin(), table.files_.end());
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
  for (const Table& table : tables_) {
    if (files.contains(table.def_.file)) TURDB_RETURN_IF_ERROR(table.Repeat(txn));
  }
  return absl::OkStatus();
}

}  // namespace turdb::table
