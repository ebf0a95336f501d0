#include "sql/exec/date_time.h"

#include <cmath>
#include <ctime>

#include "base/strings.h"
#include "sql/exec/cell_ops.h"
#include "types/number_text.h"

namespace turdb::sql {
namespace {

constexpr int64_t kLastMs = 464269060799999;      // 9999-12-31 23:59:59.999
constexpr double kLastJulianDay = 5373484.5;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// Reads exactly `digits` digits.
bool ReadDigits(std::string_view s, size_t* at, int digits, int64_t* value) {
  *value = 0;
  for (int i = 0; i < digits; ++i, ++*at) {
    if (*at >= s.size() || s[*at] < '0' || s[*at] > '9') return false;
    *value = *value * 10 + (s[*at] - '0');
  }
  return true;
}
bool ReadChar(std::string_view s, size_t* at, char c) {
  if (*at >= s.size() || s[*at] != c) return false;
  ++*at;
  return true;
}
void SkipSpaces(std::string_view s, size_t* at) {
  while (*at < s.size() && (s[*at] == ' ' || (s[*at] >= '\t' && s[*at] <= '\r'))) ++*at;
}

// HH:MM[:SS[.SSS]] to milliseconds.
bool ReadClock(std::string_view s, size_t* at, int64_t* ms) {
  int64_t hour, minute, second = 0;
  if (!ReadDigits(s, at, 2, &hour) || hour > 24 || !ReadChar(s, at, ':') || !ReadDigits(s, at, 2, &minute) || minute > 59) return false;
  double fraction = 0;
  if (*at < s.size() && s[*at] == ':') {
    ++*at;
    if (!ReadDigits(s, at, 2, &second) || second > 59) return false;
    if (*at + 1 < s.size() && s[*at] == '.' && s[*at + 1] >= '0' && s[*at + 1] <= '9') {
      double scale = 0.1;
      for (++*at; *at < s.size() && s[*at] >= '0' && s[*at] <= '9'; ++*at, scale /= 10) fraction += (s[*at] - '0') * scale;
    }
  }
  if (fraction > 0.999) fraction = 0.999;
  *ms = (hour * 60 + minute) * 60000 + static_cast<int64_t>((static_cast<double>(second) + fraction) * 1000 + 0.5);
  return true;
}

// A time of day with an optional zone; nothing may follow.
bool ReadTime(std::string_view s, int64_t* ms) {
  size_t at = 0;
  if (!ReadClock(s, &at, ms)) return false;
  SkipSpaces(s, &at);
  if (at == s.size()) return true;
  if (s[at] == 'Z' || s[at] == 'z') {
    ++at;
  } else if (s[at] == '+' || s[at] == '-') {
    const int64_t sign = s[at++] == '-' ? -1 : 1;
    int64_t hour, minute;
    if (!ReadDigits(s, &at, 2, &hour) || hour > 14 || !ReadChar(s, &at, ':') || !ReadDigits(s, &at, 2, &minute) || minute > 59) return false;
    *ms -= sign * (hour * 60 + minute) * 60000;
  } else {
    return false;
  }
  SkipSpaces(s, &at);
  return at == s.size();
}

}  // namespace

int64_t DaysOf(int64_t year, int64_t month, int64_t day) {
  // Years begin in March, so that the leap day is the last one.
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = FloorDivide(y, 400), year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468 + day - 1;
}

int64_t JulianOf(const Civil& c) {
  return DaysOf(c.year, c.month, c.day) * kDayMs + kUnixEpochMs + (c.hour * 60 + c.minute) * 60000 +
         static_cast<int64_t>(c.second * 1000 + 0.5);
}

Civil CivilOf(int64_t julian_ms) {
  const int64_t unix_ms = julian_ms - kUnixEpochMs;
  const int64_t days = FloorDivide(unix_ms, kDayMs) + 719468;
  const int64_t era = FloorDivide(days, 146097), day_of_era = days - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;
  Civil c;
  c.day = day_of_year - (153 * month + 2) / 5 + 1;
  c.month = month < 10 ? month + 3 : month - 9;
  c.year = year_of_era + era * 400 + (c.month <= 2);
  const int64_t ms = unix_ms - FloorDivide(unix_ms, kDayMs) * kDayMs;
  c.hour = ms / 3600000;
  c.minute = ms / 60000 % 60;
  c.second = static_cast<double>(ms % 60000) / 1000.0;
  return c;
}

int64_t DateTime::unix_seconds() const { return FloorDivide(julian_ms_ - kUnixEpochMs, 1000); }
bool DateTime::InRange() const { return julian_ms_ >= 0 && julian_ms_ <= kLastMs; }

bool DateTime::Read(absl::Span<const Cell> args, const ExecContext* exec, Arena* arena) {
  if (args.empty()) return ReadText("now", exec);
  if (!ReadValue(args[0], exec, arena)) return false;
  for (size_t i = 1; i < args.size(); ++i) {
    if (args[i].is_null() || !Modify(ToText(args[i], arena), i == 1)) return false;
  }
  return is_valid_ && InRange();
}

bool DateTime::ReadValue(const Cell& value, const ExecContext* exec, Arena* arena) {
  if (value.is_null()) return false;
  if (value.is_numeric()) return ReadNumber(ToReal(value));
  return ReadText(ToText(value, arena), exec);
}

bool DateTime::ReadNumber(double value) {
  is_raw_ = true;
  raw_ = value;
  is_valid_ = value >= 0 && value < kLastJulianDay;
  if (is_valid_) julian_ms_ = static_cast<int64_t>(value * static_cast<double>(kDayMs) + 0.5);
  return true;
}

bool DateTime::ReadText(std::string_view text, const ExecContext* exec) {
  if (ReadDate(text)) return is_valid_ = true;
  int64_t ms;
  if (ReadTime(text, &ms)) {
    julian_ms_ = DaysOf(2000, 1, 1) * kDayMs + kUnixEpochMs + ms;
    return is_valid_ = true;
  }
  const bool is_subsec = EqualsIgnoreCase(text, "subsec") || EqualsIgnoreCase(text, "subsecond");
  if (EqualsIgnoreCase(text, "now") || is_subsec) {
    has_subseconds_ = is_subsec;
    const auto now = exec == nullptr ? std::chrono::system_clock::now() : exec->Now();
    julian_ms_ = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() + kUnixEpochMs;
    return is_valid_ = true;
  }
  const ParsedNumber number = ParseNumber(text);
  return number.is_whole && ReadNumber(number.real);
}

// [-]YYYY-MM-DD[( |T)time]
bool DateTime::ReadDate(std::string_view s) {
  size_t at = 0;
  const bool is_negative = ReadChar(s, &at, '-');
  Civil c;
  if (!ReadDigits(s, &at, 4, &c.year) || !ReadChar(s, &at, '-') || !ReadDigits(s, &at, 2, &c.month) || !ReadChar(s, &at, '-') ||
      !ReadDigits(s, &at, 2, &c.day) || c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31) {
    return false;
  }
  if (is_negative) c.year = -c.year;
  while (at < s.size() && (s[at] == 'T' || s[at] == ' ' || (s[at] >= '\t' && s[at] <= '\r'))) ++at;
  int64_t ms = 0;
  if (at < s.size() && !ReadTime(s.substr(at), &ms)) return false;
  julian_ms_ = JulianOf(c) + ms;
  return true;
}

bool DateTime::Modify(std::string_view given, bool is_first) {
  std::string modifier = AsciiLowerCopy(given);
  if (modifier == "auto") {
    if (!is_first) return false;
    if (!is_raw_ || is_valid_) return true;
    modifier = "unixepoch";
  }
  if (modifier == "unixepoch") {
    if (!is_raw_ || !is_first) return false;
    const double ms = raw_ * 1000.0 + static_cast<double>(kUnixEpochMs);
    is_valid_ = ms >= 0 && ms < 464269060800000.0;
    if (is_valid_) julian_ms_ = static_cast<int64_t>(ms + 0.5);
    return is_valid_;
  }
  if (modifier == "julianday") return is_raw_ && is_first && is_valid_;
  is_raw_ = false;
  if (!is_valid_) return false;
  if (modifier == "subsec" || modifier == "subsecond") return has_subseconds_ = true;
  if (modifier == "localtime") {
    julian_ms_ += LocalOffsetMs(julian_ms_);
    return true;
  }
  if (modifier == "utc") {
    int64_t guess = julian_ms_;
    for (int i = 0; i < 4; ++i) guess = julian_ms_ - LocalOffsetMs(guess);
    julian_ms_ = guess;
    return true;
  }
  if (modifier.rfind("start of ", 0) == 0) return StartOf(std::string_view(modifier).substr(9));
  if (modifier.rfind("weekday ", 0) == 0) return Weekday(std::string_view(modifier).substr(8));
  if (modifier.empty() || !(modifier[0] == '+' || modifier[0] == '-' || modifier[0] == '.' || (modifier[0] >= '0' && modifier[0] <= '9'))) {
    return false;
  }
  return ModifyByDate(modifier) || ModifyByTime(modifier) || ModifyByAmount(modifier);
}

bool DateTime::StartOf(std::string_view unit) {
  Civil c = civil();
  c.hour = c.minute = 0;
  c.second = 0;
  if (unit == "month" || unit == "year") c.day = 1;
  if (unit == "year") c.month = 1;
  if (unit != "month" && unit != "year" && unit != "day") return false;
  julian_ms_ = JulianOf(c);
  return true;
}

bool DateTime::Weekday(std::string_view text) {
  const ParsedNumber number = ParseNumber(text);
  int64_t wanted;
  if (!number.is_whole || !RealIsInteger(number.real, &wanted) || wanted < 0 || wanted > 6) return false;
  const int64_t today = (julian_ms_ + kDayMs * 3 / 2) / kDayMs % 7;
  julian_ms_ += (wanted - today + (today > wanted ? 7 : 0)) * kDayMs;
  return true;
}

// (+|-)HH:MM[:SS[.SSS]]
bool DateTime::ModifyByTime(std::string_view s) {
  size_t at = 0;
  const bool is_negative = s[0] == '-';
  if (s[0] == '+' || s[0] == '-') ++at;
  int64_t ms;
  if (!ReadClock(s, &at, &ms) || at != s.size()) return false;
  julian_ms_ += is_negative ? -ms : ms;
  return true;
}

// (+|-)YYYY-MM-DD[ HH:MM[:SS[.SSS]]]: months are 0 to 11, days 0 to 30.
bool DateTime::ModifyByDate(std::string_view s) {
  if (s[0] != '+' && s[0] != '-') return false;
  const int64_t sign = s[0] == '-' ? -1 : 1;
  size_t at = 1;
  int64_t years, months, days, ms = 0;
  if (!ReadDigits(s, &at, 4, &years) || !ReadChar(s, &at, '-') || !ReadDigits(s, &at, 2, &months) || months > 11 ||
      !ReadChar(s, &at, '-') || !ReadDigits(s, &at, 2, &days) || days > 30) {
    return false;
  }
  if (at < s.size() && (!ReadChar(s, &at, ' ') || !ReadClock(s, &at, &ms) || at != s.size())) return false;
  Civil c = civil();
  const int64_t month = c.year * 12 + c.month - 1 + sign * (years * 12 + months);
  c.year = FloorDivide(month, 12);
  c.month = month - c.year * 12 + 1;
  julian_ms_ = JulianOf(c) + sign * (days * kDayMs + ms);
  return true;
}

// NNN days, hours, minutes, seconds, months or years.
bool DateTime::ModifyByAmount(std::string_view s) {
  size_t end = 0;
  while (end < s.size() && s[end] != ' ') ++end;
  const ParsedNumber number = ParseNumber(s.substr(0, end));
  if (!number.is_whole) return false;
  std::string_view unit = s.substr(end);
  while (!unit.empty() && unit[0] == ' ') unit.remove_prefix(1);
  if (!unit.empty() && unit.back() == 's') unit.remove_suffix(1);
  const double n = number.real;
  struct Unit { std::string_view name; double most, ms; };
  static constexpr Unit kUnits[] = {{"second", 4.6427e+14, 1000},         {"minute", 7.7379e+12, 60000},
                                    {"hour", 1.2897e+11, 3600000},        {"day", 5373485, 86400000},
                                    {"month", 176546, 30.0 * 86400000},   {"year", 14713, 365.0 * 86400000}};
  for (const Unit& u : kUnits) {
    if (u.name != unit) continue;
    if (!(n > -u.most && n < u.most)) return false;
    double rest = n;
    if (unit == "month" || unit == "year") {
      const int64_t whole = static_cast<int64_t>(n);
      Civil c = civil();
      const int64_t month = c.year * 12 + c.month - 1 + whole * (unit == "year" ? 12 : 1);
      c.year = FloorDivide(month, 12);
      c.month = month - c.year * 12 + 1;
      julian_ms_ = JulianOf(c);
      rest = n - static_cast<double>(whole);
    }
    julian_ms_ += static_cast<int64_t>(rest * u.ms + (n < 0 ? -0.5 : 0.5));
    return true;
  }
  return false;
}

// Outside of the years that zone tables know, a like year stands in.
int64_t DateTime::LocalOffsetMs(int64_t julian_ms) const {
  Civil c = CivilOf(julian_ms);
  if (c.year < 1971 || c.year > 2037) c.year = 2000 + c.year % 4;
  c.second = static_cast<double>(static_cast<int64_t>(c.second));
  const int64_t base = JulianOf(c);
  const time_t seconds = static_cast<time_t>((base - kUnixEpochMs) / 1000);
  struct tm local;
  if (localtime_r(&seconds, &local) == nullptr) return 0;
  Civil there;
  there.year = local.tm_year + 1900;
  there.month = local.tm_mon + 1;
  there.day = local.tm_mday;
  there.hour = local.tm_hour;
  there.minute = local.tm_min;
  there.second = local.tm_sec;
  return JulianOf(there) - base;
}

}  // namespace turdb::sql
