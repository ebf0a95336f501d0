#define TURDB_WIDEN_NAMESPACE plain
#include "record/widen_loops.h"

#include "base/cpu.h"

namespace turdb::record {
namespace {

const WidenTable& Table() {
#if defined(__x86_64__)
  static const WidenTable& table = Cpu().avx2 ? avx2::kTable : plain::kTable;
  return table;
#else
  return plain::kTable;
#endif
}

}  // namespace

void WidenInts(const uint8_t* from, uint32_t width, uint32_t n, int64_t* to) { Table().widen(from, width, n, to); }
void WidenKeys(const uint8_t* from, uint32_t width, uint32_t n, int64_t base, int64_t* to) {
  Table().widen_keys(from, width, n, base, to);
}
void NarrowInts(const int64_t* from, uint32_t width, uint32_t n, uint8_t* to) {
  Table().narrow(from, width, n, to);
}
IntRange RangeOf(const int64_t* values, uint32_t n) { return Table().range(values, n); }

}  // namespace turdb::record
