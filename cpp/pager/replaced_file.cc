#include "pager/replaced_file.h"

#include <charconv>

#include "base/status_macros.h"
#include "base/strings.h"

namespace turdb::pager {
namespace {

constexpr std::string_view kPrefix = "old.";

}  // namespace

std::string ReplacedFileName(ReplacedName of) { return Cat(kPrefix, of.file.value(), ".", of.lsn.value()); }

std::optional<ReplacedName> ParseReplacedFileName(std::string_view name) {
  if (name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  uint32_t file = 0;
  uint64_t lsn = 0;
  const char* const end = name.data() + name.size();
  const auto id = std::from_chars(name.data() + kPrefix.size(), end, file);
  if (id.ec != std::errc() || id.ptr == end || *id.ptr != '.') return std::nullopt;
  const auto at = std::from_chars(id.ptr + 1, end, lsn);
  if (at.ec != std::errc() || at.ptr != end) return std::nullopt;
  return ReplacedName{FileId(file), Lsn(lsn)};
}

absl::StatusOr<std::string> FindReplacedFile(env::Env* env, const std::string& directory, FileId file, Lsn known) {
  TURDB_ASSIGN_OR_RETURN(const auto names, env->ListDir(directory));
  std::string best;
  Lsn best_lsn{0};
  for (const std::string& name : names) {
    const auto parsed = ParseReplacedFileName(name);
    if (!parsed || parsed->file != file || parsed->lsn <= known) continue;
    if (!best.empty() && parsed->lsn >= best_lsn) continue;
    best = name;
    best_lsn = parsed->lsn;
  }
  return best.empty() ? best : Cat(directory, "/", best);
}

}  // namespace turdb::pager
