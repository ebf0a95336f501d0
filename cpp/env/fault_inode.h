// What the disk of a FaultEnv has of a file, and what programs changed in it and in its names since.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace turdb::env {

// A file as the disk has it, and the changes not yet synced, in order.
struct Inode {
  struct Change {
    uint64_t offset;
    std::string bytes;
    bool is_truncate;  // to `offset`
  };
  std::string durable;
  std::vector<Change> pending;

  static void Apply(const Change& change, std::string* content) {
    if (change.is_truncate) {
      content->resize(change.offset);
      return;
    }
    if (content->size() < change.offset + change.bytes.size()) content->resize(change.offset + change.bytes.size());
    std::memcpy(content->data() + change.offset, change.bytes.data(), change.bytes.size());
  }
  void Sync() {
    for (const Change& change : pending) Apply(change, &durable);
    pending.clear();
  }
  void FailSync(uint64_t seed) {
    std::mt19937_64 random(seed);
    for (const Change& change : pending) {
      if (random() % 2 == 0) Apply(change, &durable);
    }
    pending.clear();
  }
};

struct NameChange {
  std::string path;
  std::shared_ptr<Inode> inode;  // null: the name is gone
  std::string renamed_from;      // the other half of a rename
};

}  // namespace turdb::env
