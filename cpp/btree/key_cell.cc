#include "btree/key_cell.h"

#include <algorithm>

#include "absl/base/attributes.h"
#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/overflow.h"

namespace turdb::btree {
namespace {

using namespace format;

uint64_t KeyField(const KeyCell& cell, size_t prefix_bytes) {
  return uint64_t{cell.key_bytes - prefix_bytes} << 1 | (cell.key_chain.value() != 0);
}
uint64_t PayloadField(const KeyCell& cell) {
  return uint64_t{cell.payload_bytes} << 1 | (cell.payload_chain.value() != 0);
}
// Of a key part of so many bytes behind the prefix.
uint32_t HeadBytes(size_t bytes) { return static_cast<uint32_t>(std::min(bytes, kKeyHeadBytes)); }

const uint8_t* EndOf(const KeyCell& cell) { return cell.start + cell.size; }

// What follows the lengths of a cell: `key_here` bytes of key, and so on.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ParseBody(const uint8_t* at, const uint8_t* end, size_t key_here, bool is_cut, bool is_outside, KeyCell* cell) {
  const size_t payload_here = is_outside ? 4 : cell->payload_bytes;
  if (payload_here > kPageBytes || key_here > kPageBytes) return false;
  if (static_cast<size_t>(end - at) < key_here + (is_cut ? 4 : 0) + payload_here) return false;
  cell->tail = {reinterpret_cast<const char*>(at), key_here};
  at += key_here;
  cell->key_chain = OverflowRef(is_cut ? Load<uint32_t>(at) : 0);
  at += is_cut ? 4 : 0;
  cell->payload = {reinterpret_cast<const char*>(at), is_outside ? 0 : payload_here};
  cell->payload_chain = OverflowRef(is_outside ? Load<uint32_t>(at) : 0);
  cell->size = static_cast<uint32_t>(at + payload_here - cell->start);
  return true;
}

}  // namespace

bool ParseKeyCell(const uint8_t* at, const uint8_t* end, KeyCell* cell) {
  uint64_t key = 0;
  uint64_t payload = 0;
  cell->start = at;
  at = DecodeVarint(at, end, &key);
  if (at != nullptr) at = DecodeVarint(at, end, &payload);
  if (at == nullptr || key >> 1 > kMaxKeyBytes || payload >> 1 > kMaxValueBytes) return false;
  cell->prefix = {};
  cell->head = cell->head_bytes = 0;
  cell->key_bytes = static_cast<uint32_t>(key >> 1);
  cell->payload_bytes = static_cast<uint32_t>(payload >> 1);
  const bool is_cut = key & 1;
  if (is_cut && cell->key_bytes <= kKeyInlineBytes) return false;
  return ParseBody(at, end, is_cut ? kKeyInlineBytes : cell->key_bytes, is_cut, payload & 1, cell);
}

bool ParseKeyCell(std::string_view loose, KeyCell* cell) {
  const uint8_t* at = reinterpret_cast<const uint8_t*>(loose.data());
  return ParseKeyCell(at, at + loose.size(), cell);
}

bool ParseStoredCell(const uint8_t* at, const uint8_t* end, const KeyCellForm& form, uint32_t head, KeyCell* cell) {
  uint64_t key = 0;
  uint64_t payload = uint64_t{form.payload} << 1;
  cell->start = at;
  at = DecodeVarint(at, end, &key);
  if (at != nullptr && form.payload == kKeyVariedPayload) at = DecodeVarint(at, end, &payload);
  const uint64_t key_bytes = (key >> 1) + form.prefix.size();
  if (at == nullptr || key_bytes > kMaxKeyBytes || payload >> 1 > kMaxValueBytes) return false;
  const bool is_cut = key & 1;
  if (is_cut && key_bytes <= kKeyInlineBytes) return false;
  const size_t behind_prefix = is_cut ? kKeyInlineBytes - form.prefix.size() : key >> 1;
  cell->prefix = form.prefix;
  cell->head = head;
  cell->head_bytes = HeadBytes(behind_prefix);
  cell->key_bytes = static_cast<uint32_t>(key_bytes);
  cell->payload_bytes = static_cast<uint32_t>(payload >> 1);
  return ParseBody(at, end, behind_prefix - cell->head_bytes, is_cut, payload & 1, cell);
}

std::string_view LooseCell(const KeyCell& cell, Arena* arena) {
  const uint64_t key = KeyField(cell, 0);
  const uint64_t payload = PayloadField(cell);
  const char* const behind_key = cell.tail.data() + cell.tail.size();
  const size_t rest = static_cast<size_t>(reinterpret_cast<const char*>(EndOf(cell)) - behind_key);
  const size_t lengths = static_cast<size_t>(VarintLength(key) + VarintLength(payload));
  const size_t bytes = lengths + cell.KeyBytesHere() + rest;
  char* const to = arena->Allocate(bytes + kKeyHeadBytes, 1);
  EncodeVarint(EncodeVarint(reinterpret_cast<uint8_t*>(to), key), payload);
  cell.CopyKeyHere(to + lengths);
  std::memcpy(to + bytes - rest, behind_key, rest);
  return {to, bytes};
}

StoredSize StoredSizeOf(const KeyCell& loose, size_t prefix_bytes, uint32_t payload) {
  const size_t behind_prefix = loose.tail.size() - prefix_bytes;
  const auto behind_lengths = reinterpret_cast<const uint8_t*>(loose.tail.data());
  size_t bytes = static_cast<size_t>(VarintLength(KeyField(loose, prefix_bytes)));
  if (payload == kKeyVariedPayload) bytes += static_cast<size_t>(VarintLength(PayloadField(loose)));
  bytes += static_cast<size_t>(EndOf(loose) - behind_lengths) - prefix_bytes - HeadBytes(behind_prefix);
  return {static_cast<uint32_t>(bytes), static_cast<uint32_t>(kKeyHeadBytes - HeadBytes(behind_prefix))};
}

void StoreCell(const KeyCell& loose, size_t prefix_bytes, uint32_t payload, uint8_t* to) {
  to = EncodeVarint(to, KeyField(loose, prefix_bytes));
  if (payload == kKeyVariedPayload) to = EncodeVarint(to, PayloadField(loose));
  const size_t taken = prefix_bytes + HeadBytes(loose.tail.size() - prefix_bytes);
  const uint8_t* from = reinterpret_cast<const uint8_t*>(loose.tail.data()) + taken;
  std::memcpy(to, from, static_cast<size_t>(EndOf(loose) - from));
}

uint32_t KeyHead(std::string_view key, size_t prefix_bytes) {
  key = key.substr(0, kKeyInlineBytes);
  if (key.size() >= prefix_bytes + kKeyHeadBytes) return __builtin_bswap32(Load<uint32_t>(key.data() + prefix_bytes));
  uint8_t bytes[kKeyHeadBytes] = {};
  if (key.size() > prefix_bytes) std::memcpy(bytes, key.data() + prefix_bytes, key.size() - prefix_bytes);
  return __builtin_bswap32(Load<uint32_t>(bytes));
}

size_t CommonBytes(std::string_view a, std::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + n, b.begin()).first - a.begin());
}

absl::StatusOr<int> CompareToCell(const pager::FileView& view, std::string_view key, const KeyCell& cell) {
  std::string_view here = key.substr(cell.prefix.size());
  if (cell.head_bytes > 0 || cell.tail.empty()) {
    // Heads are equal, but for the zeros behind short ones: of those the shorter key is the beginning of the other.
    const size_t in_page = key.size() > kKeyInlineBytes ? kKeyInlineBytes - cell.prefix.size() : here.size();
    const uint32_t head_bytes = HeadBytes(in_page);
    if (head_bytes != cell.head_bytes) return head_bytes < cell.head_bytes ? -1 : 1;
    here.remove_prefix(head_bytes);
  }
  if (cell.key_chain.value() == 0) return here.compare(cell.tail);
  const int order = here.substr(0, cell.tail.size()).compare(cell.tail);
  if (order != 0) return order;
  std::string whole;
  TURDB_RETURN_IF_ERROR(ReadFullKey(view, cell, &whole));
  return key.compare(whole);
}

absl::Status ReadFullKey(const pager::FileView& view, const KeyCell& cell, std::string* key) {
  const size_t here = cell.KeyBytesHere();
  key->resize(here + kKeyHeadBytes);
  cell.CopyKeyHere(key->data());
  key->resize(here);
  if (cell.key_chain.value() == 0) return absl::OkStatus();
  Arena arena;
  TURDB_ASSIGN_OR_RETURN(
      const std::string_view rest,
      ReadOverflow(view, cell.key_chain, cell.key_bytes - static_cast<uint32_t>(here), &arena));
  key->append(rest);
  return absl::OkStatus();
}

std::string_view SmallKeyCell(std::string_view key, std::string_view payload, SmallCellBytes* bytes) {
  if (key.size() + payload.size() > kSmallCellBytes) return {};
  uint8_t* at = EncodeVarint(bytes->bytes, uint64_t{key.size()} << 1);
  at = EncodeVarint(at, uint64_t{payload.size()} << 1);
  if (!key.empty()) std::memcpy(at, key.data(), key.size());
  at += key.size();
  if (!payload.empty()) std::memcpy(at, payload.data(), payload.size());
  at += payload.size();
  return {reinterpret_cast<const char*>(bytes->bytes), static_cast<size_t>(at - bytes->bytes)};
}

absl::StatusOr<std::string> MakeKeyCell(pager::FileWriter* writer, std::string_view key, std::string_view payload) {
  if (key.size() > kMaxKeyBytes) {
    return TooBigError("a key of ", key.size(), " bytes is longer than the limit of ", kMaxKeyBytes);
  }
  const bool key_is_cut = key.size() > kKeyInlineBytes;
  const std::string_view key_here = key.substr(0, key_is_cut ? kKeyInlineBytes : key.size());
  const bool payload_is_outside = key_here.size() + payload.size() > kKeyCellBytes;
  std::string cell;
  cell.reserve(key_here.size() + (payload_is_outside ? 0 : payload.size()) + 24);
  AppendVarint(&cell, uint64_t{key.size()} << 1 | key_is_cut);
  AppendVarint(&cell, uint64_t{payload.size()} << 1 | payload_is_outside);
  cell.append(key_here);
  if (key_is_cut) {
    TURDB_ASSIGN_OR_RETURN(const OverflowRef chain, WriteOverflow(writer, key.substr(kKeyInlineBytes)));
    AppendFixed<uint32_t>(&cell, chain.value());
  }
  if (payload_is_outside) {
    TURDB_ASSIGN_OR_RETURN(const OverflowRef chain, WriteOverflow(writer, payload));
    AppendFixed<uint32_t>(&cell, chain.value());
  } else {
    cell.append(payload);
  }
  return cell;
}

absl::Status FreeKeyCell(pager::FileWriter* writer, const KeyCell& cell) {
  if (cell.key_chain.value() != 0) {
    const uint32_t rest = cell.key_bytes - static_cast<uint32_t>(cell.KeyBytesHere());
    TURDB_RETURN_IF_ERROR(FreeOverflow(writer, cell.key_chain, rest));
  }
  if (cell.payload_chain.value() != 0) {
    TURDB_RETURN_IF_ERROR(FreeOverflow(writer, cell.payload_chain, cell.payload_bytes));
  }
  return absl::OkStatus();
}

}  // namespace turdb::btree
