// SearchScratch: the memory of one search, kept from one to the next so that a search allocates nothing.
//
// CandidatePool is a sorted array: for the few hundred entries a search keeps, shifting a cache line or
// two beats a heap, and the next node to expand is found by walking. VisitedSet is a bitmap, a bit a
// node, whose set bits are undone from the list of nodes that were visited.
// One thread at a time.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/base/optimization.h"

namespace turdb::hnsw {

struct Candidate {
  float key;
  uint32_t id;  // the top bit is CandidatePool's mark
};

class CandidatePool {
 public:
  static constexpr uint32_t kExpanded = 0x80000000u;

  void Reset(uint32_t capacity) {
    if (capacity > space_) {
      space_ = capacity;
      entries_ = std::make_unique<Candidate[]>(size_t{capacity} + 1);
    }
    capacity_ = capacity;
    size_ = 0;
    next_ = 0;
  }
  // Keeps the nearest `capacity`. False when it was too far.
  bool Insert(float key, uint32_t id) {
    if (size_ == capacity_ && !(key < entries_[size_ - 1].key)) return false;
    uint32_t low = 0, count = size_;
    while (count > 0) {
      const uint32_t half = count / 2;
      const bool right = !(key < entries_[low + half].key);
      low = right ? low + half + 1 : low;
      count = right ? count - half - 1 : half;
    }
    if (size_ < capacity_) ++size_;
    std::memmove(&entries_[low + 1], &entries_[low], (size_ - 1 - low) * sizeof(Candidate));
    entries_[low] = {key, id};
    if (low < next_) next_ = low;
    return true;
  }
  // Marks the nearest one not yet expanded and gives its id. False when all are.
  bool Next(uint32_t* id) {
    while (next_ < size_ && (entries_[next_].id & kExpanded) != 0) ++next_;
    if (next_ == size_) return false;
    *id = entries_[next_].id;
    entries_[next_].id |= kExpanded;
    return true;
  }
  bool is_full() const { return size_ == capacity_; }
  float worst() const { return entries_[size_ - 1].key; }
  uint32_t size() const { return size_; }
  uint32_t id(uint32_t i) const { return entries_[i].id & ~kExpanded; }
  float key(uint32_t i) const { return entries_[i].key; }

 private:
  std::unique_ptr<Candidate[]> entries_;
  uint32_t space_ = 0;
  uint32_t capacity_ = 0;
  uint32_t size_ = 0;
  uint32_t next_ = 0;  // everything before it is expanded
};

class VisitedSet {
 public:
  void Reset(uint32_t node_count) {
    const size_t words = (size_t{node_count} + 63) / 64;
    if (words_.size() < words) words_.resize(words);
    // Undoing costs about a store a node; wiping a word, 1/8 of one.
    if (list_.size() * 8 < words_.size()) {
      for (const uint32_t id : list_) words_[id / 64] = 0;
    } else if (!list_.empty()) {
      std::memset(words_.data(), 0, words_.size() * sizeof(uint64_t));
    }
    list_.clear();
  }
  // True when it was not in the set.
  bool Add(uint32_t id) {
    uint64_t& word = words_[id / 64];
    const uint64_t bit = uint64_t{1} << (id % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    list_.push_back(id);
    return true;
  }

 private:
  std::vector<uint64_t> words_;
  std::vector<uint32_t> list_;
};

// Neighbours of a node: what is to be computed, and then its keys.
struct NeighbourBatch {
  uint32_t count = 0;
  std::vector<const uint8_t*> nodes;
  std::vector<uint32_t> ids;
  std::vector<float> keys;

  void Prepare(uint32_t capacity) {
    if (nodes.size() >= capacity) return;
    nodes.resize(capacity);
    ids.resize(capacity);
    keys.resize(capacity);
  }
};

struct SearchScratch {
  VisitedSet visited;
  CandidatePool pool;
  std::vector<Candidate> frontier;  // heap of a filtered search
  NeighbourBatch batches[2];
  std::vector<int8_t> query_codes;
  std::vector<float> floats;   // a vector gathered or normalised
  std::vector<float> query;    // the query as it is compared with floats
  uint64_t visited_count = 0;  // nodes whose links were followed
  uint64_t computed_count = 0;
  bool hit_damage = false;     // a page could not be read

  // Room for batches of `max_links` and vectors of `dim`.
  void Prepare(uint32_t max_links, uint32_t dim, uint32_t padded_dim) {
    for (NeighbourBatch& batch : batches) batch.Prepare(max_links);
    if (query_codes.size() < padded_dim) query_codes.resize(padded_dim);
    if (floats.size() < dim) floats.resize(dim);
    if (query.size() < dim) query.resize(dim);
    visited_count = computed_count = 0;
    hit_damage = false;
  }
};

}  // namespace turdb::hnsw
