// LINKS: wal
// The log reader on segments whose frames are intact but hold anything (so that the operations are reached), on segments of
// any bytes, and page deltas by themselves.
#include <memory>

#include "env/env.h"
#include "format/page.h"
#include "format/page_delta.h"
#include "format/page_moves.h"
#include "fuzz/target.h"
#include "wal/log_files.h"
#include "wal/log_reader.h"

namespace turdb::fuzz {
namespace {

constexpr uint64_t kSalt = 77;

class Applier final : public wal::LogVisitor {
 public:
  absl::Status OnCreate(FileId, const std::string&) override { return absl::OkStatus(); }
  absl::Status OnDrop(FileId) override { return absl::OkStatus(); }
  absl::Status OnPage(FileId, PageId, const wal::PageChange& change) override {
    if (change.moves != nullptr) {
      FUZZ_CHECK(format::ApplyPageMoves(change.moves, change.moves_end, page_.get()) == change.moves_end);
    }
    (void)format::ApplyPageDelta(change.delta, change.delta_end, page_.get());
    return absl::OkStatus();
  }
  absl::Status OnFrameEnd(format::FrameKind, Lsn lsn) override {
    FUZZ_CHECK(lsn > last_);
    last_ = lsn;
    return absl::OkStatus();
  }

 private:
  const std::unique_ptr<uint8_t[]> page_ = std::make_unique<uint8_t[]>(format::kPageBytes);  // bounds known to ASan
  Lsn last_{0};
};

std::string SegmentOf(Input* input, uint32_t number, Lsn start) {
  std::string bytes(format::kSegmentHeaderBytes, '\0');
  format::SegmentHeader header{1, number, kSalt, start, 0};
  format::EncodeSegmentHeader(header, reinterpret_cast<uint8_t*>(bytes.data()));
  FUZZ_CHECK(format::DecodeSegmentHeader(reinterpret_cast<const uint8_t*>(bytes.data()), &header));
  uint32_t crc = header.crc;
  while (!input->empty()) {
    const uint8_t choice = input->Byte();
    if (choice == 0xff) break;
    const std::string_view payload = input->Bytes(input->Byte());
    if (choice % 8 == 7) {
      bytes.append(payload);  // no frame
    } else {
      crc = format::AppendFrame(crc, choice % 2 == 0 ? format::FrameKind::kCommit : format::FrameKind::kPart, payload, &bytes);
    }
  }
  return bytes;
}

void Write(env::Env* env, const std::string& path, std::string_view bytes) {
  const auto file = MustBeOk(env->OpenFile(path, env::OpenMode::kCreate));
  MustBeOk(file->WriteAt(0, bytes.data(), bytes.size()));
}

}  // namespace

void FuzzWalReader(const uint8_t* data, size_t size) {
  const std::unique_ptr<env::Env> env = env::NewMemoryEnv();
  MustBeOk(env->CreateDir("wal"));
  Input input(data, size);
  const uint8_t mode = input.Byte();
  if (mode % 4 == 0) {
    Write(env.get(), wal::SegmentPath("wal", 1), input.Rest());
  } else {
    const std::string first = SegmentOf(&input, 1, Lsn(0));
    Write(env.get(), wal::SegmentPath("wal", 1), first);
    if (mode % 4 == 2) {
      const Lsn start(first.size() - format::kSegmentHeaderBytes);
      Write(env.get(), wal::SegmentPath("wal", 2), SegmentOf(&input, 2, start));
    }
  }
  wal::LogReader reader(env.get(), "wal", kSalt, 1, Lsn(mode >= 128 ? 1 : 0));
  Applier applier;
  if (reader.Scan().ok()) (void)reader.Replay(&applier);
  const auto page = std::make_unique<uint8_t[]>(format::kPageBytes);
  (void)format::ApplyPageDelta(data, data + size, page.get());
  (void)format::SkipPageDelta(data, data + size);
  (void)format::ApplyPageMoves(data, data + size, page.get());
  (void)format::SkipPageMoves(data, data + size);
}

}  // namespace turdb::fuzz
