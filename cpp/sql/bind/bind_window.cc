// Window calls: function(..) OVER (..). Each stands in its expression as a column of the query's LogicalWindow.
#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"

namespace turdb::sql {

absl::StatusOr<const WindowSpec*> Binding::FindWindow(const Name& name) const {
  if (scope_->core != nullptr) {
    for (const WindowSpec* window : scope_->core->windows) {
      if (EqualsIgnoreCase(window->name.text, name.text)) return window;
    }
  }
  return NameProblem(Cat("no such window: ", name.text), name.pos);
}

// OVER (base ...) takes what base says and adds to it.
absl::Status Binding::BindWindowSpec(const WindowSpec& spec, WindowCall* call) {
  if (spec.is_reference) {
    TURDB_ASSIGN_OR_RETURN(const WindowSpec* window, FindWindow(spec.name));
    return BindWindowSpec(*window, call);
  }
  if (!spec.base.empty()) {
    TURDB_ASSIGN_OR_RETURN(const WindowSpec* base, FindWindow(spec.base));
    if (base == &spec) return NameProblem(Cat("no such window: ", spec.base.text), spec.base.pos);
    const auto cannot = [&](std::string_view what) {
      return Misuse(Cat("cannot override ", what, " of window: ", spec.base.text), spec.base.pos);
    };
    if (!spec.partition_by.empty()) return cannot("PARTITION clause");
    if (!base->order_by.empty() && !spec.order_by.empty()) return cannot("ORDER BY clause");
    if (base->has_frame) return cannot("frame specification");
    Restore<int> deeper(&select_depth_, select_depth_ + 1);  // bases that name each other in a ring
    if (select_depth_ > kMaxSelectDepth) return Misuse("windows refer to each other", spec.base.pos);
    TURDB_RETURN_IF_ERROR(BindWindowSpec(*base, call));
  }
  TURDB_RETURN_IF_ERROR(BindList(spec.partition_by, &call->partition_by));
  TURDB_RETURN_IF_ERROR(BindSortKeys(spec.order_by, &call->order_by));
  return BindFrame(spec, call);
}

absl::Status Binding::BindFrame(const WindowSpec& spec, WindowCall* call) {
  auto frame = std::make_unique<WindowSpec>(spec);
  if (spec.has_frame) {
    const bool is_backwards = spec.start.kind == FrameBoundKind::kUnboundedFollowing ||
                              spec.end.kind == FrameBoundKind::kUnboundedPreceding || spec.start.kind > spec.end.kind;
    if (is_backwards) return Misuse("unsupported frame specification", spec.pos);
    const bool has_offset = spec.start.offset != nullptr || spec.end.offset != nullptr;
    if (spec.mode == FrameMode::kRange && has_offset && call->order_by.size() != 1) {
      return Misuse("RANGE with offset PRECEDING/FOLLOWING requires one ORDER BY expression", spec.pos);
    }
  }
  if (spec.start.offset != nullptr) {
    TURDB_ASSIGN_OR_RETURN(call->start_offset, BindExpr(*spec.start.offset));
  }
  if (spec.end.offset != nullptr) {
    TURDB_ASSIGN_OR_RETURN(call->end_offset, BindExpr(*spec.end.offset));
  }
  // The frame outlives the syntax tree: nothing in it may point there.
  frame->name = frame->base = {};
  frame->partition_by = {};
  frame->order_by = {};
  frame->start.offset = frame->end.offset = nullptr;
  call->frame = frame.get();
  bound_.frames.push_back(std::move(frame));
  return absl::OkStatus();
}

ExprResult Binding::BindWindowCall(const FunctionExpr& expr, const AggregateFunction& function) {
  if (scope_ == nullptr || !scope_->are_windows_allowed) {
    return Misuse(Cat("misuse of window function ", expr.name.text, "()"), expr.pos);
  }
  if (expr.is_distinct) return Misuse("DISTINCT is not supported for window functions", expr.pos);
  if (expr.filter != nullptr && function.is_window_only) {
    return Misuse("FILTER clause may only be used with aggregate window functions", expr.pos);
  }
  WindowCall window;
  window.call.function = &function;
  {
    Restore<bool> no_windows(&scope_->are_windows_allowed, false);
    TURDB_RETURN_IF_ERROR(BindAggregateParts(expr, &window.call));
    TURDB_RETURN_IF_ERROR(BindWindowSpec(*expr.over, &window));
  }
  OutColumn out;
  out.id = window.call.output = NewColumn(text_.substr(expr.pos.offset, expr.pos.length));
  scope_->windows.push_back(std::move(window));
  scope_->window_ids.push_back(out.id);
  return NewColumnExpr(out, expr.pos);
}

}  // namespace turdb::sql
