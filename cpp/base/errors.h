// The kinds of error and the only functions that make one.
//
// A Status carries an ErrorKind beside its message; cpp/bindings/errors.cc maps each kind to a PEP 249
// class. A message says operation, resource and cause, and where it helps what to do:
// "cannot open database 'x.turdb': it is being written by process 4711".
// No exception crosses a room; a broken invariant of our own is Internal(), never a wrong answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/strings.h"

namespace turdb {

enum class ErrorKind : uint8_t {
  kOk = 0,
  // ProgrammingError
  kSyntax,     // the SQL text does not parse
  kName,       // no such (or ambiguous, or already existing) table, column, function, ...
  kParameter,  // wrong number or name of parameters
  kMisuse,     // use after close, wrong thread, nested BEGIN, ...
  // IntegrityError
  kConstraint,
  // DataError
  kOverflow,   // out of the range of its type
  kBadValue,   // a value that its type or function cannot take (bad cast, NaN in a vector, ...)
  kDimension,  // a vector of the wrong number of dimensions
  kTooBig,     // a string, blob or statement over its limit
  // OperationalError
  kConflict,     // another transaction committed first; retry
  kBusy,         // a lock was not granted within the timeout
  kDeadlock,     // chosen as the victim; retry
  kIo,
  kDiskFull,
  kReadOnly,
  kInterrupted,
  kOutOfMemory,
  // DatabaseError
  kCorruption,
  kForeignFile,  // not a turdb file
  kNewerFormat,
  // InternalError, NotSupportedError
  kInternal,
  kUnsupported,
};
inline constexpr int kErrorKindCount = static_cast<int>(ErrorKind::kUnsupported) + 1;

// Which constraint failed, for SQLite-compatible extended error codes. kNone for other errors.
enum class ConstraintKind : uint8_t {
  kNone = 0,
  kUnique,
  kPrimaryKey,
  kRowId,
  kNotNull,
  kCheck,
  kForeignKey,
  kDataType,
};

[[nodiscard]] absl::Status MakeError(ErrorKind kind, std::string_view message);
[[nodiscard]] absl::Status ConstraintError(ConstraintKind kind, std::string_view message);

// kOk for an OK status, kInternal for one that no factory here made.
ErrorKind KindOf(const absl::Status& status);
ConstraintKind ConstraintOf(const absl::Status& status);
std::string_view ErrorKindName(ErrorKind kind);  // "Syntax", "Constraint", ...

// One factory a kind; arguments are concatenated as Cat() does.
#define TURDB_ERROR_FACTORY(Name, kind)                      \
  template <typename... Ts>                                  \
  [[nodiscard]] absl::Status Name(const Ts&... parts) {      \
    return MakeError(ErrorKind::kind, Cat(parts...));        \
  }
TURDB_ERROR_FACTORY(SyntaxError, kSyntax)
TURDB_ERROR_FACTORY(NameError, kName)
TURDB_ERROR_FACTORY(ParameterError, kParameter)
TURDB_ERROR_FACTORY(MisuseError, kMisuse)
TURDB_ERROR_FACTORY(OverflowError, kOverflow)
TURDB_ERROR_FACTORY(BadValueError, kBadValue)
TURDB_ERROR_FACTORY(DimensionError, kDimension)
TURDB_ERROR_FACTORY(TooBigError, kTooBig)
TURDB_ERROR_FACTORY(ConflictError, kConflict)
TURDB_ERROR_FACTORY(BusyError, kBusy)
TURDB_ERROR_FACTORY(DeadlockError, kDeadlock)
TURDB_ERROR_FACTORY(IoError, kIo)
TURDB_ERROR_FACTORY(DiskFullError, kDiskFull)
TURDB_ERROR_FACTORY(ReadOnlyError, kReadOnly)
TURDB_ERROR_FACTORY(InterruptedError, kInterrupted)
TURDB_ERROR_FACTORY(OutOfMemoryError, kOutOfMemory)
TURDB_ERROR_FACTORY(CorruptionError, kCorruption)
TURDB_ERROR_FACTORY(ForeignFileError, kForeignFile)
TURDB_ERROR_FACTORY(NewerFormatError, kNewerFormat)
TURDB_ERROR_FACTORY(InternalError, kInternal)
TURDB_ERROR_FACTORY(UnsupportedError, kUnsupported)
#undef TURDB_ERROR_FACTORY

}  // namespace turdb
