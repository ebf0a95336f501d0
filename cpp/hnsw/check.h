// Check: whether a graph is sound. Reads everything, changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hnsw/vectors.h"
#include "pager/file_view.h"

namespace turdb::hnsw {

// Findings as sentences, at most a hundred, empty when sound: every link in range, to another node that is there and is
// in that level, none twice; levels and blocks consistent; the header's counts and entry right; every node that is
// there within reach, once those that came last have been linked in (GraphMeta::unrepaired_count is 0); and nodes agree with
// the row ids of `vectors` (nullptr: not compared).
// An error only when the header itself cannot be read, or of `check`, which is asked time and again.
absl::StatusOr<std::vector<std::string>> Check(const pager::FileView& view, const VectorSource* vectors,
                                               const std::function<absl::Status()>& check = nullptr);

}  // namespace turdb::hnsw
