// Value: one SQL value that owns its bytes; the owning form of Cell. Parameters, defaults, results kept.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "types/cell.h"

namespace turdb {

class Value {
 public:
  Value() = default;  // NULL
  static Value Integer(int64_t v) { return Value(Cell::Integer(v)); }
  static Value Real(double v) { return Value(Cell::Real(v)); }
  static Value Text(std::string s) { return Value(StorageClass::kText, std::move(s)); }
  static Value Blob(std::string s) { return Value(StorageClass::kBlob, std::move(s)); }
  static Value Vector(const float* v, uint32_t dim) {
    return Value(StorageClass::kVector,
                 std::string(reinterpret_cast<const char*>(v), size_t{dim} * sizeof(float)));
  }
  // Copies the bytes of a cell.
  static Value FromCell(const Cell& cell) {
    if (!cell.has_bytes()) return Value(cell);
    Value value(cell.type, std::string(cell.view()));
    value.scalar_.subtype = cell.subtype;
    return value;
  }

  // In place, so that the room for bytes is used again: who binds row after row asks for none.
  void SetNull() { scalar_ = Cell(); }
  void SetInteger(int64_t v) { scalar_ = Cell::Integer(v); }
  void SetReal(double v) { scalar_ = Cell::Real(v); }
  void SetText(std::string_view bytes) { SetBytes(StorageClass::kText, bytes); }
  void SetBlob(std::string_view bytes) { SetBytes(StorageClass::kBlob, bytes); }
  void SetVector(const float* v, uint32_t dim) {
    SetBytes(StorageClass::kVector, {reinterpret_cast<const char*>(v), size_t{dim} * sizeof(float)});
  }

  StorageClass type() const { return scalar_.type; }
  bool is_null() const { return scalar_.is_null(); }
  // A view; its bytes live as long as this Value is neither moved nor changed.
  Cell cell() const {
    Cell c = scalar_;
    if (c.has_bytes()) {
      c.bytes = bytes_.data();
      c.length = static_cast<uint32_t>(bytes_.size());
    }
    return c;
  }

 private:
  explicit Value(const Cell& scalar) : scalar_(scalar) {}
  Value(StorageClass type, std::string bytes) : bytes_(std::move(bytes)) { scalar_.type = type; }
  void SetBytes(StorageClass type, std::string_view bytes) {
    bytes_.assign(bytes);
    scalar_ = Cell();
    scalar_.type = type;
  }

  Cell scalar_;
  std::string bytes_;
};

}  // namespace turdb
