// A file of a store in memory and the transaction that changes it; the bytes of a whole store, to be damaged and reopened; damage.
#pragma once

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "env/env.h"
#include "format/file_header.h"
#include "fuzz/target.h"
#include "pager/file_writer.h"
#include "txn/store.h"

namespace turdb::fuzz {

inline constexpr char kStorePath[] = "db";

// Every file below a folder, and every folder as a name that ends with a slash.
inline void CollectFiles(env::Env* env, const std::string& folder, std::map<std::string, std::string>* files) {
  for (const std::string& name : MustBeOk(env->ListDir(folder))) {
    const std::string path = folder + "/" + name;
    if (env->DirExists(path)) {
      files->emplace(path + "/", "");
      CollectFiles(env, path, files);
      continue;
    }
    const auto file = MustBeOk(env->OpenFile(path, env::OpenMode::kReadOnly));
    std::string bytes(MustBeOk(file->Size()), '\0');
    MustBeOk(file->ReadAt(0, bytes.data(), bytes.size()));
    (*files)[path] = std::move(bytes);
  }
}
inline std::map<std::string, std::string> FilesOf(env::Env* env, const std::string& folder) {
  std::map<std::string, std::string> files;
  CollectFiles(env, folder, &files);
  return files;
}
// A file system in memory that holds them.
inline std::unique_ptr<env::Env> EnvOf(const std::map<std::string, std::string>& files) {
  std::unique_ptr<env::Env> env = env::NewMemoryEnv();
  for (const auto& [path, bytes] : files) {
    MustBeOk(env->CreateDir(path.substr(0, path.rfind('/'))));
    if (path.back() == '/') continue;
    const auto file = MustBeOk(env->OpenFile(path, env::OpenMode::kCreate));
    MustBeOk(file->WriteAt(0, bytes.data(), bytes.size()));
  }
  return env;
}

// Bytes of a page that change. Its head, with directories and the beginnings of entries, is hit more often than what lies behind.
struct PageChange {
  PageChange(Input* input, uint8_t head_bytes, uint8_t most_bytes) {
    page = input->Byte();
    const uint8_t place = input->Byte();
    offset = place < head_bytes ? 4 + place : input->Number<uint16_t>() % (format::kPageBytes - 8);
    bytes = input->Bytes(1 + input->Byte() % most_bytes);
  }
  void Apply(uint8_t* to) const { std::memcpy(to + offset, bytes.data(), bytes.size()); }

  uint32_t page;
  size_t offset;
  std::string_view bytes;
};

// In the bytes of a data file; the page is sealed.
inline void DamageFile(const PageChange& change, FileId file, std::string* bytes) {
  const PageId id(change.page % static_cast<uint32_t>(bytes->size() / format::kPageBytes));
  uint8_t* const page = reinterpret_cast<uint8_t*>(bytes->data()) + id.value() * format::kPageBytes;
  change.Apply(page);
  format::SealPage(file, id, page);
}
// In a private version of the page, where AddressSanitizer sees a step past its end; pages before `first` are left alone.
inline void DamagePage(const PageChange& change, pager::FileWriter* writer, PageId first = PageId(0)) {
  const PageId id(change.page % writer->view().page_count());
  if (id < first) return;
  const auto page = writer->MutablePage(id);
  if (page.ok()) change.Apply(*page);
}

class StoredFile {
 public:
  StoredFile() : env_(env::NewMemoryEnv()) {
    store_ = MustBeOk(txn::Store::Open(env_.get(), kStorePath, {}));
    Begin();
    file_ = AddFile("root/t.tbd");
  }
  FileId AddFile(const std::string& path) {
    std::string chosen;
    const FileId file = MustBeOk(txn_->CreateFile(path, &chosen));
    FUZZ_CHECK(chosen == path);
    return file;
  }
  txn::Transaction* txn() { return txn_.get(); }
  pager::FileWriter* writer(FileId file) { return MustBeOk(txn_->Writer(file)); }
  pager::FileWriter* writer() { return writer(file_); }
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
    std::map<std::string, std::string> files = FilesOf(env_.get(), kStorePath);
    const std::unique_ptr<env::Env> copy = EnvOf(files);  // undamaged, they can be opened: what a target does is not in vain
    MustBeOk(MustBeOk(txn::Store::Open(copy.get(), kStorePath, {}))->Close());
    return files;
  }

 private:
  void Begin() {
    txn_ = store_->Begin();
    MustBeOk(txn_->StartWriting(std::chrono::milliseconds(0)));
  }

  std::unique_ptr<env::Env> env_;
  std::unique_ptr<txn::Store> store_;
  std::unique_ptr<txn::Transaction> txn_;
  FileId file_;
};

}  // namespace turdb::fuzz
