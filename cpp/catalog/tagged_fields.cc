// See tagged_fields.h. Integers are zigzag varints; a Value is its storage class and its bytes.

#include "catalog/tagged_fields.h"

#include "base/coding.h"
#include "base/errors.h"

namespace turdb::catalog {
namespace {

const uint8_t* Begin(std::string_view s) { return reinterpret_cast<const uint8_t*>(s.data()); }

}  // namespace

void FieldWriter::Put(uint32_t tag, std::string_view bytes) {
  AppendVarint(to_, tag);
  AppendVarint(to_, bytes.size());
  to_->append(bytes);
}

void FieldWriter::PutInteger(uint32_t tag, int64_t value) {
  std::string bytes;
  AppendVarint(&bytes, ZigZag(value));
  Put(tag, bytes);
}

void FieldWriter::Field(uint32_t tag, std::vector<int>& v) {
  if (v.empty()) return;
  std::string bytes;
  for (int each : v) AppendVarint(&bytes, ZigZag(each));
  Put(tag, bytes);
}

void FieldWriter::Field(uint32_t tag, std::optional<Value>& v) {
  if (!v.has_value()) return;
  const Cell cell = v->cell();
  std::string bytes(1, static_cast<char>(cell.type));
  if (cell.has_bytes()) bytes.append(cell.view());
  else if (!cell.is_null()) AppendFixed(&bytes, cell.integer);  // the 8 bytes of either number
  Put(tag, bytes);
}

FieldReader::FieldReader(std::string_view bytes) {
  const uint8_t* at = Begin(bytes);
  const uint8_t* end = at + bytes.size();
  while (at < end) {
    uint64_t tag = 0, length = 0;
    at = DecodeVarint(at, end, &tag);
    if (at != nullptr) at = DecodeVarint(at, end, &length);
    if (at == nullptr || length > static_cast<uint64_t>(end - at) || tag > UINT32_MAX) {
      is_damaged_ = true;
      return;
    }
    entries_.push_back({static_cast<uint32_t>(tag), {reinterpret_cast<const char*>(at), length}});
    at += length;
  }
}

std::optional<std::string_view> FieldReader::Take(uint32_t tag) {
  for (Entry& entry : entries_) {
    if (entry.tag != tag || entry.is_taken) continue;
    entry.is_taken = true;
    return entry.bytes;
  }
  return std::nullopt;
}

int64_t FieldReader::Integer(std::string_view bytes) {
  uint64_t value = 0;
  const uint8_t* end = Begin(bytes) + bytes.size();
  if (DecodeVarint(Begin(bytes), end, &value) != end) Fail();
  return UnZigZag(value);
}

void FieldReader::Field(uint32_t tag, int& v, int unset) {
  v = unset;
  if (auto bytes = Take(tag)) v = static_cast<int>(Integer(*bytes));
}

void FieldReader::Field(uint32_t tag, std::vector<int>& v) {
  auto bytes = Take(tag);
  if (!bytes.has_value()) return;
  const uint8_t* at = Begin(*bytes);
  const uint8_t* end = at + bytes->size();
  while (at < end) {
    uint64_t value = 0;
    at = DecodeVarint(at, end, &value);
    if (at == nullptr) return Fail();
    v.push_back(static_cast<int>(UnZigZag(value)));
  }
}

void FieldReader::Field(uint32_t tag, std::optional<Value>& v) {
  auto bytes = Take(tag);
  if (!bytes.has_value()) return;
  if (bytes->empty() || (*bytes)[0] > static_cast<char>(StorageClass::kVector) || (*bytes)[0] < 0) return Fail();
  const auto type = static_cast<StorageClass>((*bytes)[0]);
  const std::string_view rest = bytes->substr(1);
  if (type >= StorageClass::kText) {
    v = Value::FromCell(Cell::Bytes(type, rest));
  } else if (type == StorageClass::kNull) {
    v = Value();
  } else if (rest.size() != 8) {
    Fail();
  } else {
    v = type == StorageClass::kInteger ? Value::Integer(Load<int64_t>(rest.data())) : Value::Real(Load<double>(rest.data()));
  }
}

bool FieldReader::HasUntaken() const {
  for (const Entry& entry : entries_) {
    if (!entry.is_taken) return true;
  }
  return false;
}

absl::Status FieldReader::Finish(std::string_view what) const {
  if (is_damaged_) return CorruptionError("catalog: the definition of ", what, " is damaged");
  if (is_newer_ || HasUntaken()) {
    return NewerFormatError("catalog: the definition of ", what, " was written by a newer version of turdb");
  }
  return absl::OkStatus();
}

}  // namespace turdb::catalog
