// A page change of the log, applied to a version of the page: at most once, since moves within a page cannot be made again.
//
// A version knows up to which LSN it is. One that was copied from the file is as far as the page's header says: a checkpoint may
// have brought the file past the state that the log is read from. Not thread-safe.
#pragma once

#include "pager/page_table.h"
#include "wal/log_reader.h"

namespace turdb::txn {

// Takes the LSN of a version whose bytes were read from a file from the page's header.
void TakeLsnOfPage(pager::PageVersion* version);

// False when the change is damaged. `is_new`: the version did not have the change yet, and gets its LSN when the frame has been read.
bool ApplyPageChange(const wal::PageChange& change, pager::PageVersion* version, bool* is_new);

}  // namespace turdb::txn
