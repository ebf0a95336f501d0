# The minipage loops are compiled once for every CPU of the architecture and once for AVX2, chosen at run time.
set(record_dir ${PROJECT_SOURCE_DIR}/cpp/record)
set(widen_flags "-O3")
if(TURDB_SANITIZE MATCHES "thread")
  set(widen_flags "-O3 -fno-sanitize=thread")  # gcc 12 fails on these loops otherwise; they touch what they are given only
endif()
set_source_files_properties(${record_dir}/widen.cc PROPERTIES COMPILE_FLAGS "${widen_flags}" SKIP_PRECOMPILE_HEADERS ON)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set_source_files_properties(${record_dir}/widen_avx2.cc PROPERTIES COMPILE_FLAGS "${widen_flags} -mavx2" SKIP_PRECOMPILE_HEADERS ON)
endif()
