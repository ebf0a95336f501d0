#include "sql/exec/row_block.h"

#include <cstring>

#include "base/errors.h"
#include "base/status_macros.h"

namespace turdb::sql {
namespace {

using Layout = ColumnVector::Layout;

enum class Encoding : uint8_t { kInt64, kDouble, kBytes, kCells, kConstant };
constexpr uint32_t kNullLength = ~uint32_t{0};

struct ColumnHeader {
  Encoding encoding = Encoding::kCells;
  StorageClass type = StorageClass::kNull;  // kBytes
  uint8_t has_nulls = 0;                    // kInt64, kDouble: 0 or 1
  uint8_t zero[5] = {};
};
static_assert(sizeof(ColumnHeader) == 8);

size_t Padded(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

// Cells that have bytes, all of one class without a subtype; NULLs stand in between.
bool IsUniform(const Cell* cells, uint32_t count, StorageClass* type) {
  *type = StorageClass::kNull;
  for (uint32_t i = 0; i < count; ++i) {
    if (cells[i].is_null()) continue;
    if (!cells[i].has_bytes() || cells[i].subtype != 0 || cells[i].length == kNullLength) return false;
    if (*type != StorageClass::kNull && cells[i].type != *type) return false;
    *type = cells[i].type;
  }
  return *type != StorageClass::kNull;
}

size_t HeapBytes(const Cell& cell) { return cell.has_bytes() ? cell.length : 0; }
size_t HeapRoom(const Cell& cell) { return cell.is_vector() ? Padded(HeapBytes(cell)) : HeapBytes(cell); }

class Encoder {
 public:
  explicit Encoder(std::string* out) : out_(out) { out_->clear(); }

  void Header(uint32_t rows, uint32_t columns) {
    std::memcpy(Grow(4), &rows, 4);
    std::memcpy(Grow(4), &columns, 4);
  }

  void Column(const ColumnVector& column, uint32_t first, uint32_t count) {
    ColumnHeader header;
    if (column.is_constant()) {
      header.encoding = Encoding::kConstant;
      Put(header);
      const Cell cell = column.Get(0);
      return Cells(&cell, 1);
    }
    if (column.layout() != Layout::kCells) return Typed(column, first, count);
    const Cell* cells = column.cells() + first;
    if (IsUniform(cells, count, &header.type)) {
      header.encoding = Encoding::kBytes;
      Put(header);
      return Bytes(cells, count);
    }
    Put(header);
    Cells(cells, count);
  }

 private:
  char* Grow(size_t bytes) {
    const size_t at = out_->size();
    out_->resize(at + bytes);
    return out_->data() + at;
  }
  void Put(const ColumnHeader& header) { std::memcpy(Grow(sizeof(header)), &header, sizeof(header)); }

  void Typed(const ColumnVector& column, uint32_t first, uint32_t count) {
    ColumnHeader header;
    header.encoding = column.layout() == Layout::kInt64 ? Encoding::kInt64 : Encoding::kDouble;
    header.has_nulls = column.has_nulls();
    Put(header);
    if (header.has_nulls) {
      auto* validity = reinterpret_cast<uint64_t*>(Grow((count + 63) / 64 * 8));
      for (uint32_t i = 0; i < count; ++i) validity[i / 64] |= uint64_t{!column.IsNull(first + i)} << (i % 64);
    }
    auto* const values = Grow(size_t{count} * 8);
    if (count > 0) std::memcpy(values, column.ints() + first, size_t{count} * 8);  // of nothing, both may be null
  }

  void Bytes(const Cell* cells, uint32_t count) {
    size_t heap = 0;
    for (uint32_t i = 0; i < count; ++i) heap += HeapBytes(cells[i]);
    char* at = Grow(Padded(Padded(size_t{count} * 4) + heap));
    char* to = at + Padded(size_t{count} * 4);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t length = cells[i].is_null() ? kNullLength : cells[i].length;
      std::memcpy(at + size_t{i} * 4, &length, 4);
      if (HeapBytes(cells[i]) == 0) continue;
      std::memcpy(to, cells[i].bytes, cells[i].length);
      to += cells[i].length;
    }
  }

  void Cells(const Cell* cells, uint32_t count) {
    size_t heap = 0;
    for (uint32_t i = 0; i < count; ++i) heap += HeapRoom(cells[i]);
    char* at = Grow(size_t{count} * sizeof(Cell) + Padded(heap));
    char* const bytes = at + size_t{count} * sizeof(Cell);
    size_t used = 0;
    for (uint32_t i = 0; i < count; ++i) {
      Cell cell = cells[i];
      if (cell.has_bytes()) {
        if (cell.length != 0) std::memcpy(bytes + used, cell.bytes, cell.length);
        cell.integer = static_cast<int64_t>(used);
        used += HeapRoom(cells[i]);
      }
      std::memcpy(at + size_t{i} * sizeof(Cell), &cell, sizeof(Cell));
    }
  }

  std::string* out_;
};

class Decoder {
 public:
  Decoder(char* bytes, size_t length) : at_(bytes), end_(bytes + length) {}

  absl::Status Batch(size_t width, ColumnBatch* batch) {
    uint32_t rows = 0, columns = 0;
    TURDB_RETURN_IF_ERROR(Take(&rows, 4));
    TURDB_RETURN_IF_ERROR(Take(&columns, 4));
    if (rows > kBatchRows || columns != width) return Damaged();
    batch->size = rows;
    batch->columns.resize(width);
    for (ColumnVector& column : batch->columns) TURDB_RETURN_IF_ERROR(Column(rows, &column));
    return at_ == end_ ? absl::OkStatus() : Damaged();
  }

 private:
  static absl::Status Damaged() { return CorruptionError("a block of rows in a temporary file is damaged"); }
  absl::StatusOr<char*> Skip(size_t bytes) {
    if (bytes > static_cast<size_t>(end_ - at_)) return Damaged();
    char* from = at_;
    at_ += bytes;
    return from;
  }
  absl::Status Take(void* to, size_t bytes) {
    TURDB_ASSIGN_OR_RETURN(const char* from, Skip(bytes));
    if (bytes > 0) std::memcpy(to, from, bytes);
    return absl::OkStatus();
  }

  absl::Status Column(uint32_t rows, ColumnVector* column) {
    ColumnHeader header;
    TURDB_RETURN_IF_ERROR(Take(&header, sizeof(header)));
    if (header.has_nulls > 1) return Damaged();
    switch (header.encoding) {
      case Encoding::kInt64:
      case Encoding::kDouble: return Typed(header, rows, column);
      case Encoding::kBytes: return Bytes(header.type, rows, column);
      case Encoding::kCells: return Cells(rows, column->ResetCells(rows));
      case Encoding::kConstant: {
        Cell cell;
        TURDB_RETURN_IF_ERROR(Cells(1, &cell));
        column->SetConstant(cell);
        return absl::OkStatus();
      }
    }
    return Damaged();
  }

  absl::Status Typed(const ColumnHeader& header, uint32_t rows, ColumnVector* column) {
    void* to = header.encoding == Encoding::kInt64 ? static_cast<void*>(column->ResetInt64(rows)) : column->ResetDouble(rows);
    if (header.has_nulls == 1) TURDB_RETURN_IF_ERROR(Take(column->mutable_validity(), (rows + 63) / 64 * 8));
    return Take(to, size_t{rows} * 8);
  }

  absl::Status Bytes(StorageClass type, uint32_t rows, ColumnVector* column) {
    if (type < StorageClass::kText || type > StorageClass::kVector) return Damaged();
    TURDB_ASSIGN_OR_RETURN(const char* lengths, Skip(Padded(size_t{rows} * 4)));
    const char* const start = at_;
    Cell* cells = column->ResetCells(rows);
    for (uint32_t i = 0; i < rows; ++i) {
      uint32_t length = 0;
      std::memcpy(&length, lengths + size_t{i} * 4, 4);
      cells[i] = Cell();
      if (length == kNullLength) continue;
      TURDB_ASSIGN_OR_RETURN(const char* bytes, Skip(length));
      cells[i] = Cell::Bytes(type, {bytes, length});
    }
    const size_t used = static_cast<size_t>(at_ - start);
    return Skip(Padded(used) - used).status();
  }

  absl::Status Cells(uint32_t rows, Cell* cells) {
    TURDB_RETURN_IF_ERROR(Take(static_cast<void*>(cells), size_t{rows} * sizeof(Cell)));
    size_t heap = 0;
    for (uint32_t i = 0; i < rows; ++i) heap += HeapRoom(cells[i]);
    TURDB_ASSIGN_OR_RETURN(char* const bytes, Skip(Padded(heap)));
    for (uint32_t i = 0; i < rows; ++i) {
      if (cells[i].type > StorageClass::kVector) return Damaged();
      if (!cells[i].has_bytes()) continue;
      const auto offset = static_cast<uint64_t>(cells[i].integer);
      if (offset > heap || cells[i].length > heap - offset) return Damaged();
      cells[i].bytes = bytes + offset;
    }
    return absl::OkStatus();
  }

  char* at_;
  char* end_;
};

}  // namespace

uint64_t RowBlockBytes(const ColumnVector* columns, size_t width, uint32_t first, uint32_t count) {
  uint64_t bytes = 8 + width * sizeof(ColumnHeader);
  for (size_t c = 0; c < width; ++c) {
    const ColumnVector& column = columns[c];
    if (column.is_constant()) {
      bytes += sizeof(Cell) + HeapBytes(column.Get(0));
    } else if (column.layout() != Layout::kCells) {
      bytes += uint64_t{count} * 8;
    } else {
      for (uint32_t i = first; i < first + count; ++i) bytes += 4 + HeapBytes(column.cells()[i]);
    }
  }
  return bytes;
}

void EncodeRowBlock(const ColumnVector* columns, size_t width, uint32_t first, uint32_t count, std::string* out) {
  Encoder encoder(out);
  encoder.Header(count, static_cast<uint32_t>(width));
  for (size_t c = 0; c < width; ++c) encoder.Column(columns[c], first, count);
}

absl::Status DecodeRowBlock(char* bytes, size_t length, size_t width, ColumnBatch* batch) {
  return Decoder(bytes, length).Batch(width, batch);
}

}  // namespace turdb::sql
