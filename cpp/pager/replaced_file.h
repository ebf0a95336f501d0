// Names of data files that a checkpoint has replaced and other processes still read.
//
// A checkpoint that must not write to a file, because a snapshot of another process reads it, puts a copy in its place. The file
// as it was is left alone; whoever has it open or mapped keeps it, and for those who open it late it has a second
// name in the log's directory, wal/old.<file id>.<LSN>: states before that LSN, written by the checkpoint, read it
// (docs/decisions/0010). Of several the one with the smallest LSN behind a reader's is the reader's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/strong_id.h"
#include "env/env.h"

namespace turdb::pager {

struct ReplacedName {
  FileId file;
  Lsn lsn;
};
std::string ReplacedFileName(ReplacedName of);
std::optional<ReplacedName> ParseReplacedFileName(std::string_view name);

// The path of the file that a state reads which knows of replacements up to `known`; empty when it is the present one.
// REQUIRES: the present file was opened before, so that one that is replaced meanwhile is not missed.
absl::StatusOr<std::string> FindReplacedFile(env::Env* env, const std::string& directory, FileId file, Lsn known);

}  // namespace turdb::pager
