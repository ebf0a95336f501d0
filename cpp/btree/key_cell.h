// KeyCell: a key and its payload, as a cell of a page (format/key_page.h) or loose, between pages.
//
// A loose cell is a byte string that stands for itself: varint key length * 2 + (cut), varint payload length * 2 +
// (outside), then the key, its chain, the payload or its chain. Pages of the first layout hold such cells as they are;
// in others the page's prefix, the head and the payload's length are taken off. Damaged bytes make Parse functions
// return false.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/arena.h"
#include "format/key_page.h"
#include "pager/file_writer.h"

namespace turdb::btree {

struct KeyCell {
  // The key's part in the page: prefix, head, tail.
  std::string_view prefix;
  uint32_t head = 0;
  uint32_t head_bytes = 0;
  std::string_view tail;
  std::string_view payload;  // empty when it is outside
  uint32_t key_bytes = 0;    // of the whole key
  uint32_t payload_bytes = 0;
  OverflowRef key_chain{0};  // 0 when the key is whole
  OverflowRef payload_chain{0};
  const uint8_t* start = nullptr;  // of the cell
  uint32_t size = 0;               // of the cell

  size_t KeyBytesHere() const { return prefix.size() + head_bytes + tail.size(); }
  // REQUIRES: room for KeyBytesHere() + kKeyHeadBytes.
  void CopyKeyHere(char* to) const {
    if (!prefix.empty()) std::memcpy(to, prefix.data(), prefix.size());
    Store<uint32_t>(to + prefix.size(), __builtin_bswap32(head));
    if (!tail.empty()) std::memcpy(to + prefix.size() + head_bytes, tail.data(), tail.size());
  }
  bool HasPayloadOf(uint32_t bytes) const { return payload_bytes == bytes && payload_chain.value() == 0; }
};

// How a page keeps its cells.
struct KeyCellForm {
  std::string_view prefix;
  uint32_t payload = format::kKeyVariedPayload;
};

// A loose cell; its key is all tail.
bool ParseKeyCell(const uint8_t* at, const uint8_t* end, KeyCell* cell);
bool ParseKeyCell(std::string_view loose, KeyCell* cell);
// A cell at [at, end) of a page with this form and the cell's head.
bool ParseStoredCell(const uint8_t* at, const uint8_t* end, const KeyCellForm& form, uint32_t head, KeyCell* cell);
// The loose form of any cell, in the arena.
std::string_view LooseCell(const KeyCell& cell, Arena* arena);

// What a loose cell becomes in a page. REQUIRES for both: its key begins with the prefix; its payload is the form's.
struct StoredSize {
  uint32_t cell = 0;     // bytes of the heap
  uint32_t padding = 0;  // bytes of the head without use
};
StoredSize StoredSizeOf(const KeyCell& loose, size_t prefix_bytes, uint32_t payload);
// Writes StoredSizeOf().cell bytes.
void StoreCell(const KeyCell& loose, size_t prefix_bytes, uint32_t payload, uint8_t* to);
// The head of a key whose page has a prefix of so many bytes. Of a long key only the part in the page counts.
uint32_t KeyHead(std::string_view key, size_t prefix_bytes);

// How many bytes two strings have in common at their beginning.
size_t CommonBytes(std::string_view a, std::string_view b);
// A search key against a cell with the same prefix and head.
absl::StatusOr<int> CompareToCell(const pager::FileView& view, std::string_view key, const KeyCell& cell);
// The whole key.
absl::Status ReadFullKey(const pager::FileView& view, const KeyCell& cell, std::string* key);

// A loose cell; long keys and payloads go to overflow chains.
absl::StatusOr<std::string> MakeKeyCell(pager::FileWriter* writer, std::string_view key, std::string_view payload);
// As that for a short key and payload, without an allocation; empty when they are not short.
inline constexpr size_t kSmallCellBytes = 1000;
struct SmallCellBytes {
  uint8_t bytes[kSmallCellBytes + 2 * kMaxVarintBytes];
};
std::string_view SmallKeyCell(std::string_view key, std::string_view payload, SmallCellBytes* bytes);
// Frees the chains that a cell refers to.
absl::Status FreeKeyCell(pager::FileWriter* writer, const KeyCell& cell);

}  // namespace turdb::btree
