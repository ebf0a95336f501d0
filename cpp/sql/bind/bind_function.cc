// Function calls: which kind of call a name with arguments is, and the functions that are syntax in disguise.
#include <cmath>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/bind/binding.h"
#include "sql/syntax/syntax_error.h"

namespace turdb::sql {
namespace {

// A name in lower case, on the stack when it is short.
class LowerName {
 public:
  explicit LowerName(std::string_view name) {
    if (name.size() > sizeof(buffer_)) {
      long_ = AsciiLowerCopy(name);
      view_ = long_;
      return;
    }
    for (size_t i = 0; i < name.size(); ++i) buffer_[i] = AsciiLower(name[i]);
    view_ = {buffer_, name.size()};
  }
  LowerName(const LowerName&) = delete;
  LowerName& operator=(const LowerName&) = delete;
  std::string_view view() const { return view_; }

 private:
  char buffer_[48];
  std::string long_;
  std::string_view view_;
};

// The collation that a call like min(a, b) compares under: of the first argument that has one.
Collation CallCollation(const std::vector<ExprPtr>& args) {
  for (const ExprPtr& arg : args) {
    if (arg->has_collation) return arg->collation;
  }
  return Collation::kBinary;
}

}  // namespace

absl::Status Binding::WrongArgumentCount(const FunctionExpr& expr) const {
  return NameProblem(Cat("wrong number of arguments to function ", expr.name.text, "()"), expr.pos);
}

absl::Status Binding::NoSuchFunction(const FunctionExpr& expr, std::string_view lower_name) const {
  if (functions_.HasName(lower_name)) return WrongArgumentCount(expr);
  const std::vector<std::string> similar = functions_.SimilarNames(lower_name);
  return NameProblem(Cat("no such function: ", expr.name.text), expr.name.pos,
                     similar.empty() ? "" : Cat("did you mean ", similar[0], "?"));
}

ExprResult Binding::BindFunction(const FunctionExpr& expr) {
  const LowerName lower(expr.name.text);
  if (expr.over == nullptr && IsSpecialForm(lower.view())) return BindSpecialForm(expr, lower.view());
  const int count = expr.is_star ? 0 : static_cast<int>(expr.arguments.size());
  if (const AggregateFunction* aggregate = functions_.FindAggregate(lower.view(), count)) {
    if (expr.over != nullptr) return BindWindowCall(expr, *aggregate);
    if (aggregate->is_window_only) return Misuse(Cat("misuse of window function ", expr.name.text, "()"), expr.pos);
    return BindAggregateCall(expr, *aggregate);
  }
  const ScalarFunction* scalar = functions_.FindScalar(lower.view(), count);
  if (scalar == nullptr || expr.is_star) return NoSuchFunction(expr, lower.view());
  if (expr.over != nullptr) {
    return Misuse(Cat(expr.name.text, "() may not be used as a window function"), expr.pos);
  }
  if (expr.filter != nullptr) {
    return Misuse(Cat("FILTER may not be used with non-aggregate ", expr.name.text, "()"), expr.pos);
  }
  if (!expr.order_by.empty()) {
    return Misuse(Cat("ORDER BY may not be used with non-aggregate ", expr.name.text, "()"), expr.pos);
  }
  return BindScalarCall(expr, *scalar);
}

ExprResult Binding::BindScalarCall(const FunctionExpr& expr, const ScalarFunction& function) {
  std::vector<ExprPtr> args;
  TURDB_RETURN_IF_ERROR(BindList(expr.arguments, &args));
  return CallFunction(function, std::move(args), expr.pos);
}

ExprResult Binding::CallFunction(const ScalarFunction& function, std::vector<ExprPtr> args, SourcePos pos) {
  const bool is_prohibited = !prohibited_in_.empty() && !are_all_functions_allowed_;
  if (is_prohibited && !function.is_deterministic) return Prohibited("non-deterministic functions", pos);
  ExprPtr call = NewExpr(BoundKind::kFunction, pos);
  call->function = &function;
  call->affinity = function.result_affinity;
  if (function.needs_collation) call->compare_collation = CallCollation(args);
  call->args = std::move(args);
  InheritCollation(call.get());
  return call;
}

ExprResult Binding::Call(std::string_view name, std::vector<ExprPtr> args, SourcePos pos) {
  const ScalarFunction* function = functions_.FindScalar(name, static_cast<int>(args.size()));
  if (function == nullptr) return NameProblem(Cat("no such function: ", name), pos);
  return CallFunction(*function, std::move(args), pos);
}

// operand LIKE pattern is like(pattern, operand).
ExprResult Binding::BindLike(const LikeExpr& expr) {
  std::vector<ExprPtr> args(2);
  TURDB_ASSIGN_OR_RETURN(args[1], BindExpr(*expr.operand));
  TURDB_ASSIGN_OR_RETURN(args[0], BindExpr(*expr.pattern));
  if (expr.escape != nullptr) {
    TURDB_ASSIGN_OR_RETURN(ExprPtr escape, BindExpr(*expr.escape));
    args.push_back(std::move(escape));
  }
  constexpr std::string_view kNames[] = {"like", "glob", "regexp", "match"};
  TURDB_ASSIGN_OR_RETURN(ExprPtr call, Call(kNames[static_cast<int>(expr.op)], std::move(args), expr.pos));
  return expr.is_negated ? NewNot(std::move(call), expr.pos) : std::move(call);
}

// --- functions whose arguments are not all evaluated, or that vanish ------------------------------

bool Binding::IsSpecialForm(std::string_view name) const {
  switch (name.size()) {
    case 2: return name == "if";
    case 3: return name == "iif";
    case 6: return name == "ifnull" || name == "likely";
    case 8: return name == "coalesce" || name == "unlikely";
    case 10: return name == "likelihood";
    default: return false;
  }
}

ExprResult Binding::BindSpecialForm(const FunctionExpr& expr, std::string_view name) {
  if (expr.filter != nullptr) {
    return Misuse(Cat("FILTER may not be used with non-aggregate ", expr.name.text, "()"), expr.pos);
  }
  const size_t count = expr.arguments.size();
  if (name == "coalesce") return count < 2 ? WrongArgumentCount(expr) : BindCoalesce(expr);
  if (name == "ifnull") return count != 2 ? WrongArgumentCount(expr) : BindCoalesce(expr);
  if (name == "iif" || name == "if") return count != 3 ? WrongArgumentCount(expr) : BindIif(expr);
  return BindLikelihood(expr, name);
}

// A call when sql/exec has one (it evaluates the arguments one after another), else
// CASE WHEN a IS NOT NULL THEN a WHEN b IS NOT NULL THEN b ... ELSE z
ExprResult Binding::BindCoalesce(const FunctionExpr& expr) {
  if (const auto* function = functions_.FindScalar("coalesce", static_cast<int>(expr.arguments.size()))) {
    return BindScalarCall(expr, *function);
  }
  std::vector<ExprPtr> args;
  for (size_t i = 0; i + 1 < expr.arguments.size(); ++i) {
    TURDB_ASSIGN_OR_RETURN(ExprPtr value, BindExpr(*expr.arguments[i]));
    value = ShareInCase(std::move(value));
    ExprPtr again = ShareAgain(*value);
    args.push_back(NewIsNull(std::move(value), true, expr.pos));
    InheritCollation(args.back().get());
    args.push_back(std::move(again));
  }
  TURDB_ASSIGN_OR_RETURN(ExprPtr last, BindExpr(*expr.arguments.back()));
  args.push_back(std::move(last));
  return NewCase(std::move(args), expr.pos);
}

ExprResult Binding::BindIif(const FunctionExpr& expr) {
  std::vector<ExprPtr> args;
  TURDB_RETURN_IF_ERROR(BindList(expr.arguments, &args));
  return NewCase(std::move(args), expr.pos);
}

// Hints to SQLite's planner; the value is the first argument's.
ExprResult Binding::BindLikelihood(const FunctionExpr& expr, std::string_view name) {
  const bool has_probability = name == "likelihood";
  if (expr.arguments.size() != (has_probability ? 2 : 1)) return WrongArgumentCount(expr);
  if (has_probability) {
    const Expr& probability = *expr.arguments[1];
    const bool is_real =
        probability.kind == ExprKind::kLiteral && probability.As<LiteralExpr>().literal == LiteralKind::kReal;
    const double value = is_real ? probability.As<LiteralExpr>().real : -1;
    if (!(value >= 0 && value <= 1)) {
      return Misuse("second argument to likelihood() must be a constant between 0.0 and 1.0", probability.pos);
    }
  }
  return BindExpr(*expr.arguments[0]);
}

}  // namespace turdb::sql
