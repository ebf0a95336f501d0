// A file of a store in memory and the transaction that changes it; the bytes of a whole store, to be damaged and reopened.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "env/env.h"
#include "format/file_header.h"
#include "fuzz/target.h"
#include "txn/store.h"

namespace turdb::fuzz {

inline constexpr char kStorePath[] = "db";

class StoredFile {
 public:
  StoredFile() : env_(env::NewMemoryEnv()) {
    store_ = MustBeOk(txn::Store::Open(env_.get(), kStorePath, {}));
    Begin();
    std::string path;
    file_ = MustBeOk(txn_->CreateFile("root/t.tbd", &path));
  }
  pager::FileWriter* writer() { return MustBeOk(txn_->Writer(file_)); }
  pager::FileView view() { return MustBeOk(txn_->View(file_)); }
  FileId file() const { return file_; }
  void Commit() {
    MustBeOk(txn_->Commit(txn::Synchronous::kOff));
    Begin();
  }
  // Every page but page 0 is in use or free.
  void CheckPages(size_t used) {
    const pager::FileView pages = view();
    FUZZ_CHECK(used + Load<uint32_t>(pages.Page(PageId(0)) + format::kHeaderFreeCountOffset) + 1 == pages.page_count());
  }
  // Commits, closes the store and gives its files.
  std::map<std::string, std::string> Close() {
    MustBeOk(txn_->Commit(txn::Synchronous::kOff));
    txn_.reset();
    MustBeOk(store_->Close());
    std::map<std::string, std::string> files;
    Collect(kStorePath, &files);
    return files;
  }

 private:
  void Begin() {
    txn_ = store_->Begin();
    MustBeOk(txn_->StartWriting(std::chrono::milliseconds(0)));
  }
  void Collect(const std::string& folder, std::map<std::string, std::string>* files) {
    for (const std::string& name : MustBeOk(env_->ListDir(folder))) {
      const std::string path = folder + "/" + name;
      if (env_->DirExists(path)) {
        Collect(path, files);
        continue;
      }
      const auto file = MustBeOk(env_->OpenFile(path, env::OpenMode::kReadOnly));
      std::string bytes(MustBeOk(file->Size()), '\0');
      MustBeOk(file->ReadAt(0, bytes.data(), bytes.size()));
      (*files)[path] = std::move(bytes);
    }
  }

  std::unique_ptr<env::Env> env_;
  std::unique_ptr<txn::Store> store_;
  std::unique_ptr<txn::Transaction> txn_;
  FileId file_;
};

}  // namespace turdb::fuzz
