// Cell: one SQL value that does not own its bytes; 16 bytes, trivially copyable.
//
// What flows through batches, leaves and keys. Text, blob and vector cells point into a page of the
// snapshot, an Arena or a parameter; whoever hands a cell out says how long those bytes live.
// Value (types/value.h) is the owning form.
// Order between cells is SQLite's: NULL < numbers < text < blob < vector; an integer and a real
// compare by their exact mathematical values.
#pragma once

#include <cstdint>
#include <string_view>

namespace turdb {

enum class StorageClass : uint8_t { kNull = 0, kInteger, kReal, kText, kBlob, kVector };

// Built-in collations; values from kFirstUser name a collation of the connection's registry.
enum class Collation : uint8_t { kBinary = 0, kNocase, kRtrim, kFirstUser = 16 };

struct Cell {
  union {
    int64_t integer;
    double real;
    const char* bytes;
  };
  uint32_t length = 0;  // of text, blob or vector, in bytes
  StorageClass type = StorageClass::kNull;
  uint8_t subtype = 0;  // kBlob/kText: an application subtype (JSON is 'J'); kVector: element type, 0 = float32
  uint16_t reserved = 0;

  Cell() : integer(0) {}
  static Cell Null() { return Cell(); }
  static Cell Integer(int64_t v) {
    Cell c;
    c.type = StorageClass::kInteger;
    c.integer = v;
    return c;
  }
  static Cell Real(double v) {  // SQLite has no NaN: it is NULL
    Cell c;
    if (v != v) return c;
    c.type = StorageClass::kReal;
    c.real = v;
    return c;
  }
  static Cell Text(std::string_view s) { return Bytes(StorageClass::kText, s); }
  static Cell Blob(std::string_view s) { return Bytes(StorageClass::kBlob, s); }
  static Cell Vector(const float* v, uint32_t dim) {
    return Bytes(StorageClass::kVector, {reinterpret_cast<const char*>(v), size_t{dim} * sizeof(float)});
  }
  static Cell Bytes(StorageClass type, std::string_view s) {
    Cell c;
    c.type = type;
    c.bytes = s.data();
    c.length = static_cast<uint32_t>(s.size());
    return c;
  }

  bool is_null() const { return type == StorageClass::kNull; }
  bool is_integer() const { return type == StorageClass::kInteger; }
  bool is_real() const { return type == StorageClass::kReal; }
  bool is_numeric() const { return is_integer() || is_real(); }
  bool is_text() const { return type == StorageClass::kText; }
  bool is_blob() const { return type == StorageClass::kBlob; }
  bool is_vector() const { return type == StorageClass::kVector; }
  bool has_bytes() const { return type >= StorageClass::kText; }
  std::string_view view() const { return {bytes, length}; }  // REQUIRES: has_bytes()
  uint32_t dim() const { return length / sizeof(float); }    // REQUIRES: is_vector()
};
static_assert(sizeof(Cell) == 16);

// Total order of SQLite's ORDER BY; NULLs are equal to each other. Negative, 0 or positive.
// REQUIRES: collation is a built-in one (user collations are compared by sql/exec).
int CompareCells(const Cell& a, const Cell& b, Collation collation = Collation::kBinary);
int CompareText(std::string_view a, std::string_view b, Collation collation);
int CompareIntegerReal(int64_t a, double b);

// Equal cells hash equal: 1 and 1.0, and texts equal under the collation.
uint64_t HashCell(const Cell& cell, Collation collation = Collation::kBinary);

}  // namespace turdb
