// What the CPU (and the system's saving of registers) offers, asked once. Any thread.
#pragma once

namespace turdb {

struct CpuFeatures {
  bool avx2 = false;      // AVX2, FMA and F16C
  bool avx512 = false;    // AVX-512 F, BW, DQ, VL and VNNI, on top of avx2
  bool neon = false;      // every 64-bit ARM
  bool neon_dot = false;  // the SDOT and UDOT instructions
};

const CpuFeatures& Cpu();

}  // namespace turdb
