// Tells AddressSanitizer which bytes of turdb's own allocators (arenas, pooled and spilled pages) nobody may touch, so that it
// sees a use after reset or past the end there as it does on the heap. Without AddressSanitizer: nothing.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define TURDB_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TURDB_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define TURDB_THREAD_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define TURDB_THREAD_SANITIZER 1
#endif

#ifdef TURDB_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace turdb {

#ifdef TURDB_ADDRESS_SANITIZER
inline constexpr bool kIsAddressSanitized = true;
inline void Poison(const void* bytes, size_t n) { __asan_poison_memory_region(bytes, n); }
inline void Unpoison(const void* bytes, size_t n) { __asan_unpoison_memory_region(bytes, n); }
#else
inline constexpr bool kIsAddressSanitized = false;
inline void Poison(const void*, size_t) {}
inline void Unpoison(const void*, size_t) {}
#endif
#ifdef TURDB_THREAD_SANITIZER
inline constexpr bool kIsThreadSanitized = true;
#else
inline constexpr bool kIsThreadSanitized = false;
#endif
// Memory should go back to the allocator at once: a sanitizer watches it there.
inline constexpr bool kIsSanitized = kIsAddressSanitized || kIsThreadSanitized;

}  // namespace turdb
