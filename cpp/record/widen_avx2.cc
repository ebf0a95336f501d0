// The loops for AVX2; empty on other architectures. record/flags.cmake gives this file alone the flags.
#if defined(__x86_64__)
#define TURDB_WIDEN_NAMESPACE avx2
#include "record/widen_loops.h"
#endif
