# The typed loops over columns are worth full vectorisation.
set_source_files_properties(${PROJECT_SOURCE_DIR}/cpp/sql/exec/kernels_row.cc PROPERTIES COMPILE_FLAGS "-O3" SKIP_PRECOMPILE_HEADERS ON)
