// DateTime: a moment as SQLite's date functions keep it: milliseconds since noon of -4713-11-24 (the Julian day),
// read from time strings and changed by modifiers (https://www.sqlite.org/lang_datefunc.html).
//
// Years 0000 to 9999. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "base/arena.h"
#include "sql/exec/exec_context.h"
#include "types/cell.h"

namespace turdb::sql {

inline constexpr int64_t kUnixEpochMs = 210866760000000;  // of 1970-01-01, as Julian milliseconds
inline constexpr int64_t kDayMs = 86400000;

struct Civil {
  int64_t year = 2000, month = 1, day = 1;
  int64_t hour = 0, minute = 0;
  double second = 0;
};
Civil CivilOf(int64_t julian_ms);
int64_t JulianOf(const Civil& civil);  // days past the month's end and the like run over
int64_t DaysOf(int64_t year, int64_t month, int64_t day);  // since 1970-01-01

class DateTime {
 public:
  // From a function's arguments: a time value, then modifiers; none: now. False: the result is NULL.
  bool Read(absl::Span<const Cell> args, const ExecContext* exec, Arena* arena);

  int64_t julian_ms() const { return julian_ms_; }
  int64_t unix_seconds() const;
  Civil civil() const { return CivilOf(julian_ms_); }
  bool has_subseconds() const { return has_subseconds_; }
  void set_julian_ms(int64_t value) { julian_ms_ = value; }

 private:
  bool ReadValue(const Cell& value, const ExecContext* exec, Arena* arena);
  bool ReadText(std::string_view text, const ExecContext* exec);
  bool ReadDate(std::string_view text);
  bool ReadNumber(double value);
  bool Modify(std::string_view modifier, bool is_first);
  bool ModifyByAmount(std::string_view modifier);
  bool ModifyByTime(std::string_view modifier);
  bool ModifyByDate(std::string_view modifier);
  bool StartOf(std::string_view unit);
  bool Weekday(std::string_view day);
  bool InRange() const;
  int64_t LocalOffsetMs(int64_t julian_ms) const;

  int64_t julian_ms_ = 0;
  bool is_raw_ = false;       // came as a number, which unixepoch and auto may read differently
  bool is_valid_ = false;
  double raw_ = 0;
  bool has_subseconds_ = false;
};

}  // namespace turdb::sql
