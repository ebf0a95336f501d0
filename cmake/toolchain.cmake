# Compiler settings that every room shares, and what the build needs from the system.
include(CheckLinkerFlag)

find_package(absl QUIET)
if(NOT absl_FOUND)
  message(FATAL_ERROR
    "turdb needs Abseil's headers and libraries (20220623 or newer): install them with "
    "`apt-get install libabsl-dev` on Debian or Ubuntu, `dnf install abseil-cpp-devel` on Fedora, "
    "or `brew install abseil` on macOS, and run the build again.")
endif()
find_package(Threads REQUIRED)
find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)
if(NOT pybind11_DIR)
  execute_process(COMMAND ${Python_EXECUTABLE} -m pybind11 --cmakedir
    OUTPUT_VARIABLE pybind11_DIR OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
set(PYBIND11_FINDPYTHON ON)
find_package(pybind11 CONFIG REQUIRED)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Without these ccache takes no compilation with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
endif()
check_linker_flag(CXX "-fuse-ld=mold" TURDB_HAS_MOLD)
if(TURDB_HAS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# -ffp-contract=off: SQL arithmetic gives the same bits on every CPU; kernels use FMA by intrinsics.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND TURDB_PRECOMPILE)
  add_compile_options(-fpch-preprocess)  # lets ccache see through precompiled headers
endif()
add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
  -fno-strict-aliasing -ffp-contract=off)
if(TURDB_WERROR)
  add_compile_options(-Werror)
endif()
if(TURDB_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(TURDB_SANITIZE)
  add_compile_options(-fsanitize=${TURDB_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${TURDB_SANITIZE})
  # As a shared library beside AddressSanitizer's, gcc's does not find the file that reports go to.
  if(TURDB_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_link_options(-static-libubsan)
  endif()
endif()
