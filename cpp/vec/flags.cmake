# Each kernels_<isa>.cc alone is compiled for its instruction set; nothing else is, so the library
# runs on any CPU of its architecture and picks a table at run time (vec/kernels.cc).
set(vec_dir ${PROJECT_SOURCE_DIR}/cpp/vec)
set(vec_kernel_flags "-O3 -fno-math-errno -fno-trapping-math")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64|i.86")
  set(vec_avx2_flags "-mavx2 -mfma -mf16c -mpopcnt")
  # gcc 12 warns of undefined registers that its own intrinsics make on purpose.
  set(vec_avx512_flags "-Wno-uninitialized -Wno-maybe-uninitialized ${vec_avx2_flags} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mprefer-vector-width=512")
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64")
  set(vec_neon_dot_flags "-march=armv8.2-a+dotprod")
endif()
set_source_files_properties(${vec_dir}/kernels_scalar.cc ${vec_dir}/kernels_neon.cc
  PROPERTIES COMPILE_FLAGS "${vec_kernel_flags}" SKIP_PRECOMPILE_HEADERS ON)
set_source_files_properties(${vec_dir}/kernels_neon_dot.cc
  PROPERTIES COMPILE_FLAGS "${vec_kernel_flags} ${vec_neon_dot_flags}" SKIP_PRECOMPILE_HEADERS ON)
set_source_files_properties(${vec_dir}/kernels_avx2.cc
  PROPERTIES COMPILE_FLAGS "${vec_kernel_flags} ${vec_avx2_flags}" SKIP_PRECOMPILE_HEADERS ON)
set_source_files_properties(${vec_dir}/kernels_avx512.cc
  PROPERTIES COMPILE_FLAGS "${vec_kernel_flags} ${vec_avx512_flags}" SKIP_PRECOMPILE_HEADERS ON)
