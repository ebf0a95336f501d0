// date, time, datetime, julianday, unixepoch, strftime, timediff (sql/exec/functions.h).
#include <cstdarg>
#include <cstdio>

#include "sql/exec/cell_ops.h"
#include "sql/exec/date_time.h"
#include "sql/exec/functions.h"

namespace turdb::sql {
namespace {

using Args = absl::Span<const Cell>;

[[gnu::format(printf, 2, 3)]] void Append(std::string* out, const char* format, ...) {
  char buffer[64];
  va_list args;
  va_start(args, format);
  const int n = std::vsnprintf(buffer, sizeof(buffer), format, args);
  va_end(args);
  out->append(buffer, static_cast<size_t>(std::min<int>(n, sizeof(buffer) - 1)));
}

void AppendDate(const Civil& c, std::string* out) {
  if (c.year < 0) out->push_back('-');
  Append(out, "%04d-%02d-%02d", static_cast<int>(std::abs(c.year)), static_cast<int>(c.month), static_cast<int>(c.day));
}
void AppendTime(const Civil& c, bool has_subseconds, std::string* out) {
  Append(out, "%02d:%02d:", static_cast<int>(c.hour), static_cast<int>(c.minute));
  if (has_subseconds) Append(out, "%06.3f", c.second);
  else Append(out, "%02d", static_cast<int>(c.second));
}

template <bool kDate, bool kTime>
absl::Status DateAndTime(FunctionContext* context, Args args, Cell* result) {
  DateTime moment;
  if (!moment.Read(args, context->exec, context->arena)) return absl::OkStatus();
  std::string out;
  const Civil c = moment.civil();
  if (kDate) AppendDate(c, &out);
  if (kDate && kTime) out.push_back(' ');
  if (kTime) AppendTime(c, moment.has_subseconds(), &out);
  *result = Cell::Text(context->arena->Copy(out));
  return absl::OkStatus();
}

absl::Status JulianDay(FunctionContext* context, Args args, Cell* result) {
  DateTime moment;
  if (!moment.Read(args, context->exec, context->arena)) return absl::OkStatus();
  *result = Cell::Real(static_cast<double>(moment.julian_ms()) / static_cast<double>(kDayMs));
  return absl::OkStatus();
}

absl::Status UnixEpoch(FunctionContext* context, Args args, Cell* result) {
  DateTime moment;
  if (!moment.Read(args, context->exec, context->arena)) return absl::OkStatus();
  *result = moment.has_subseconds() ? Cell::Real(static_cast<double>(moment.julian_ms() - kUnixEpochMs) / 1000.0)
                                    : Cell::Integer(moment.unix_seconds());
  return absl::OkStatus();
}

// Weeks and days of a year.
struct YearPlace {
  explicit YearPlace(int64_t julian_ms) {
    const Civil c = CivilOf(julian_ms);
    days = DaysOf(c.year, c.month, c.day);
    day_of_year = static_cast<int>(days - DaysOf(c.year, 1, 1));
    from_monday = static_cast<int>(((days + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
    const Civil thursday = CivilOf((days + 3 - from_monday) * kDayMs + kUnixEpochMs);
    iso_year = static_cast<int>(thursday.year);
    iso_week = static_cast<int>((days + 3 - from_monday - DaysOf(thursday.year, 1, 1)) / 7 + 1);
  }
  int64_t days;
  int day_of_year;   // from 0
  int from_monday;   // 0..6
  int iso_year, iso_week;
};

// False for a conversion that does not exist.
bool AppendField(char field, const DateTime& moment, std::string* out) {
  const Civil c = moment.civil();
  const YearPlace place(moment.julian_ms());
  const int hour = static_cast<int>(c.hour), minute = static_cast<int>(c.minute), second = static_cast<int>(c.second);
  const int twelve = hour % 12 == 0 ? 12 : hour % 12;
  const int from_sunday = (place.from_monday + 1) % 7;
  switch (field) {
    case 'd': Append(out, "%02d", static_cast<int>(c.day)); return true;
    case 'e': Append(out, "%2d", static_cast<int>(c.day)); return true;
    case 'f': Append(out, "%06.3f", std::min(c.second, 59.999)); return true;
    case 'F': AppendDate(c, out); return true;
    case 'g': Append(out, "%02d", place.iso_year % 100); return true;
    case 'G': Append(out, "%04d", place.iso_year); return true;
    case 'H': Append(out, "%02d", hour); return true;
    case 'I': Append(out, "%02d", twelve); return true;
    case 'j': Append(out, "%03d", place.day_of_year + 1); return true;
    case 'J': Append(out, "%.16g", static_cast<double>(moment.julian_ms()) / static_cast<double>(kDayMs)); return true;
    case 'k': Append(out, "%2d", hour); return true;
    case 'l': Append(out, "%2d", twelve); return true;
    case 'm': Append(out, "%02d", static_cast<int>(c.month)); return true;
    case 'M': Append(out, "%02d", minute); return true;
    case 'p': out->append(hour < 12 ? "AM" : "PM"); return true;
    case 'P': out->append(hour < 12 ? "am" : "pm"); return true;
    case 'R': Append(out, "%02d:%02d", hour, minute); return true;
    case 's':
      if (moment.has_subseconds()) Append(out, "%.3f", static_cast<double>(moment.julian_ms() - kUnixEpochMs) / 1000.0);
      else Append(out, "%lld", static_cast<long long>(moment.unix_seconds()));
      return true;
    case 'S': Append(out, "%02d", second); return true;
    case 'T': Append(out, "%02d:%02d:%02d", hour, minute, second); return true;
    case 'u': Append(out, "%d", from_sunday == 0 ? 7 : from_sunday); return true;
    case 'U': Append(out, "%02d", (place.day_of_year + 7 - from_sunday) / 7); return true;
    case 'V': Append(out, "%02d", place.iso_week); return true;
    case 'w': Append(out, "%d", from_sunday); return true;
    case 'W': Append(out, "%02d", (place.day_of_year + 7 - place.from_monday) / 7); return true;
    case 'Y': Append(out, "%04d", static_cast<int>(c.year)); return true;
    case '%': out->push_back('%'); return true;
    default: return false;
  }
}

absl::Status Strftime(FunctionContext* context, Args args, Cell* result) {
  if (args[0].is_null()) return absl::OkStatus();
  DateTime moment;
  if (!moment.Read(args.subspan(1), context->exec, context->arena)) return absl::OkStatus();
  const std::string_view format = ToText(args[0], context->arena);
  std::string out;
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      out.push_back(format[at]);
    } else if (++at == format.size() || !AppendField(format[at], moment, &out)) {
      return absl::OkStatus();
    }
  }
  *result = Cell::Text(context->arena->Copy(out));
  return absl::OkStatus();
}

// What added to the second moment gives the first: "+YYYY-MM-DD HH:MM:SS.SSS".
absl::Status TimeDiff(FunctionContext* context, Args args, Cell* result) {
  DateTime a, b;
  if (!a.Read(args.subspan(0, 1), context->exec, context->arena) || !b.Read(args.subspan(1, 1), context->exec, context->arena)) {
    return absl::OkStatus();
  }
  const bool is_later = a.julian_ms() >= b.julian_ms();
  const Civil to = a.civil();
  Civil from = b.civil();
  int64_t months = (to.year - from.year) * 12 + to.month - from.month;
  if (!is_later) months = -months;
  auto move = [&] {  // b moved by the months towards a
    Civil c = from;
    const int64_t month = c.year * 12 + c.month - 1 + (is_later ? months : -months);
    c.year = month / 12;
    c.month = month % 12 + 1;
    return JulianOf(c);
  };
  while (is_later ? move() > a.julian_ms() : move() < a.julian_ms()) --months;
  const int64_t rest = std::abs(a.julian_ms() - move());
  Civil clock = CivilOf(rest + DaysOf(0, 1, 1) * kDayMs + kUnixEpochMs);
  std::string out;
  Append(&out, "%c%04d-%02d-%02d %02d:%02d:%06.3f", is_later ? '+' : '-', static_cast<int>(months / 12), static_cast<int>(months % 12),
         static_cast<int>(rest / kDayMs), static_cast<int>(clock.hour), static_cast<int>(clock.minute), clock.second);
  *result = Cell::Text(context->arena->Copy(out));
  return absl::OkStatus();
}

}  // namespace

void AddDateFunctions(FunctionRegistry* r) {
  // 'now' is the moment of the statement: nothing may be folded into a plan that runs again.
  r->Add("date", 0, -1, DateAndTime<true, false>)->is_deterministic = false;
  r->Add("time", 0, -1, DateAndTime<false, true>)->is_deterministic = false;
  r->Add("datetime", 0, -1, DateAndTime<true, true>)->is_deterministic = false;
  r->Add("julianday", 0, -1, JulianDay)->is_deterministic = false;
  r->Add("unixepoch", 0, -1, UnixEpoch)->is_deterministic = false;
  r->Add("strftime", 1, -1, Strftime)->is_deterministic = false;
  r->Add("timediff", 2, 2, TimeDiff)->is_deterministic = false;
  r->Add("current_date", 0, 0, DateAndTime<true, false>)->is_deterministic = false;
  r->Add("current_time", 0, 0, DateAndTime<false, true>)->is_deterministic = false;
  r->Add("current_timestamp", 0, 0, DateAndTime<true, true>)->is_deterministic = false;
}

}  // namespace turdb::sql
