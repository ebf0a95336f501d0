// The loops of widen.h as a table, one for each instruction set.
#pragma once

#include "record/widen.h"

namespace turdb::record {

struct WidenTable {
  void (*widen)(const uint8_t* from, uint32_t width, uint32_t n, int64_t* to);
  void (*widen_keys)(const uint8_t* from, uint32_t width, uint32_t n, int64_t base, int64_t* to);
  void (*narrow)(const int64_t* from, uint32_t width, uint32_t n, uint8_t* to);
  IntRange (*range)(const int64_t* values, uint32_t n);
};
namespace plain {
extern const WidenTable kTable;
}
namespace avx2 {
extern const WidenTable kTable;
}

}  // namespace turdb::record
