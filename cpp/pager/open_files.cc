#include "pager/open_files.h"

#include "pager/data_file.h"

namespace turdb::pager {
namespace {

// Files that are needed go to the end of the queue; no more than this are asked for one that is opened.
constexpr int kMostAsked = 16;

}  // namespace

void OpenFiles::NoteOpened(DataFile* file) {
  std::lock_guard<std::mutex> guard(mutex_);
  for (int asked = 0; asked < kMostAsked && files_.size() >= limit_; ++asked) {
    if (files_.front()->TryClose()) {
      places_.erase(files_.front());
      files_.pop_front();
    } else {
      files_.splice(files_.end(), files_, files_.begin());
    }
  }
  places_[file] = files_.insert(files_.end(), file);
}

void OpenFiles::Forget(DataFile* file) {
  std::lock_guard<std::mutex> guard(mutex_);
  const auto place = places_.find(file);
  if (place == places_.end()) return;
  files_.erase(place->second);
  places_.erase(place);
}

}  // namespace turdb::pager
