// The makers of evaluators, one family a file (eval_*.cc); called by Compile (compile.cc) alone.
#pragma once

#include <memory>
#include <vector>

#include "sql/exec/evaluator.h"

namespace turdb::sql {

// eval_leaf.cc
EvaluatorPtr MakeConstant(const Value& value);
EvaluatorPtr MakeParameter(uint32_t number, ExecContext* context);
EvaluatorPtr MakeSlot(int slot);
EvaluatorPtr MakeRegister(int register_index, ExecContext* context);
struct OnceState;  // shared by the places where a kOnce expression stands
std::shared_ptr<OnceState> MakeOnceState(EvaluatorPtr inner);
EvaluatorPtr MakeOnce(std::shared_ptr<OnceState> state);
const Evaluator& InnerOf(const OnceState& state);

// eval_arithmetic.cc
EvaluatorPtr MakeArithmetic(ArithmeticOp op, EvaluatorPtr a, EvaluatorPtr b);
EvaluatorPtr MakeUnary(ArithmeticOp op, EvaluatorPtr a);
EvaluatorPtr MakeConcat(EvaluatorPtr a, EvaluatorPtr b);

// eval_compare.cc
struct Comparison {
  CompareOp op = CompareOp::kEqual;
  Affinity affinity = Affinity::kNone;
  Collation collation = Collation::kBinary;
};
EvaluatorPtr MakeCompare(const Comparison& comparison, EvaluatorPtr a, EvaluatorPtr b, ExecContext* context);

// eval_logic.cc
EvaluatorPtr MakeLogic(bool is_and, std::vector<EvaluatorPtr> args);
EvaluatorPtr MakeNot(EvaluatorPtr arg);
EvaluatorPtr MakeIsNull(bool is_negated, EvaluatorPtr arg);

// eval_case.cc
EvaluatorPtr MakeCase(std::vector<EvaluatorPtr> args);      // [when, then]..., else
EvaluatorPtr MakeCoalesce(std::vector<EvaluatorPtr> args);

// eval_function.cc
EvaluatorPtr MakeCast(const LogicalType& type, EvaluatorPtr arg);
EvaluatorPtr MakeAffinity(Affinity affinity, EvaluatorPtr arg);
EvaluatorPtr MakeCall(const BoundExpr& expr, std::vector<EvaluatorPtr> args, ExecContext* context);
EvaluatorPtr MakeRaise(EvaluatorPtr message);

// eval_in.cc
EvaluatorPtr MakeInList(const BoundExpr& expr, std::vector<EvaluatorPtr> args, ExecContext* context);

// eval_subquery.cc; `plan` is the built subquery
EvaluatorPtr MakeScalarSubquery(const BoundExpr& expr, std::unique_ptr<Operator> plan, ExecContext* context);
EvaluatorPtr MakeExists(const BoundExpr& expr, std::unique_ptr<Operator> plan, ExecContext* context);
EvaluatorPtr MakeInSubquery(const BoundExpr& expr, std::vector<EvaluatorPtr> args, std::unique_ptr<Operator> plan,
                            ExecContext* context);

}  // namespace turdb::sql
