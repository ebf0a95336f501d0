#include "base/errors.h"

#include "absl/strings/cord.h"

namespace turdb {
namespace {

constexpr char kKindUrl[] = "turdb/kind";
constexpr char kConstraintUrl[] = "turdb/constraint";

absl::StatusCode CodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kOk: return absl::StatusCode::kOk;
    case ErrorKind::kSyntax:
    case ErrorKind::kParameter:
    case ErrorKind::kBadValue:
    case ErrorKind::kDimension: return absl::StatusCode::kInvalidArgument;
    case ErrorKind::kName: return absl::StatusCode::kNotFound;
    case ErrorKind::kMisuse:
    case ErrorKind::kConstraint:
    case ErrorKind::kReadOnly:
    case ErrorKind::kForeignFile:
    case ErrorKind::kNewerFormat: return absl::StatusCode::kFailedPrecondition;
    case ErrorKind::kOverflow:
    case ErrorKind::kTooBig: return absl::StatusCode::kOutOfRange;
    case ErrorKind::kConflict:
    case ErrorKind::kDeadlock: return absl::StatusCode::kAborted;
    case ErrorKind::kBusy:
    case ErrorKind::kIo: return absl::StatusCode::kUnavailable;
    case ErrorKind::kDiskFull:
    case ErrorKind::kOutOfMemory: return absl::StatusCode::kResourceExhausted;
    case ErrorKind::kInterrupted: return absl::StatusCode::kCancelled;
    case ErrorKind::kCorruption: return absl::StatusCode::kDataLoss;
    case ErrorKind::kInternal: return absl::StatusCode::kInternal;
    case ErrorKind::kUnsupported: return absl::StatusCode::kUnimplemented;
  }
  return absl::StatusCode::kInternal;
}

int PayloadByte(const absl::Status& status, const char* url) {
  auto payload = status.GetPayload(url);
  if (!payload.has_value() || payload->size() != 1) return -1;
  return static_cast<unsigned char>((*payload)[0]);
}

}  // namespace

absl::Status MakeError(ErrorKind kind, std::string_view message) {
  absl::Status status(CodeOf(kind), ToAbsl(message));
  const char byte = static_cast<char>(kind);
  status.SetPayload(kKindUrl, absl::Cord(absl::string_view(&byte, 1)));
  return status;
}

absl::Status ConstraintError(ConstraintKind kind, std::string_view message) {
  absl::Status status = MakeError(ErrorKind::kConstraint, message);
  const char byte = static_cast<char>(kind);
  status.SetPayload(kConstraintUrl, absl::Cord(absl::string_view(&byte, 1)));
  return status;
}

ErrorKind KindOf(const absl::Status& status) {
  if (status.ok()) return ErrorKind::kOk;
  const int byte = PayloadByte(status, kKindUrl);
  return byte < 0 || byte >= kErrorKindCount ? ErrorKind::kInternal : static_cast<ErrorKind>(byte);
}

ConstraintKind ConstraintOf(const absl::Status& status) {
  const int byte = PayloadByte(status, kConstraintUrl);
  return byte < 0 ? ConstraintKind::kNone : static_cast<ConstraintKind>(byte);
}

std::string_view ErrorKindName(ErrorKind kind) {
  constexpr std::string_view kNames[] = {
      "Ok",       "Syntax",   "Name",     "Parameter",   "Misuse",      "Constraint",
      "Overflow", "BadValue", "Dimension", "TooBig",     "Conflict",    "Busy",
      "Deadlock", "Io",       "DiskFull", "ReadOnly",    "Interrupted", "OutOfMemory",
      "Corruption", "ForeignFile", "NewerFormat", "Internal", "Unsupported"};
  static_assert(std::size(kNames) == kErrorKindCount);
  return kNames[static_cast<int>(kind)];
}

}  // namespace turdb
