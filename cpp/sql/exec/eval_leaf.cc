// Evaluators of constants, parameters, slots, registers, and of expressions computed once a row (sql/exec/evaluators.h).
#include "base/status_macros.h"
#include "sql/exec/evaluators.h"

namespace turdb::sql {
namespace {

class Constant : public Evaluator {
 public:
  explicit Constant(const Value& value) : value_(value) { result_.SetConstant(value_.cell()); }
  absl::Status Eval(const Frame&, const ColumnVector** result) override {
    *result = &result_;
    return absl::OkStatus();
  }
  bool GetAtOnce(Arena*, Cell* value) override {
    *value = value_.cell();
    return true;
  }

 private:
  Value value_;
};

class Parameter : public Evaluator {
 public:
  Parameter(uint32_t number, ExecContext* context) : number_(number), context_(context) {}
  absl::Status Eval(const Frame&, const ColumnVector** result) override {
    result_.SetConstant(Get());
    *result = &result_;
    return absl::OkStatus();
  }
  bool GetAtOnce(Arena*, Cell* value) override {
    *value = Get();
    return true;
  }

 private:
  Cell Get() const {
    const auto& parameters = context_->parameters;  // not bound: NULL, as in SQLite
    return number_ <= parameters.size() ? parameters[number_ - 1].cell() : Cell();
  }
  uint32_t number_;
  ExecContext* context_;
};

class Slot : public Evaluator {
 public:
  explicit Slot(int slot) : slot_(slot) {}
  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    *result = &frame.columns[slot_];
    return absl::OkStatus();
  }

 private:
  int slot_;
};

// The value is copied to the frame's arena: the register may change while the result is still in use.
class Register : public Evaluator {
 public:
  Register(int index, ExecContext* context) : index_(index), context_(context) {}
  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const auto& registers = context_->registers;
    Cell cell = index_ < static_cast<int>(registers.size()) ? registers[index_].cell() : Cell();
    if (cell.has_bytes()) cell.bytes = frame.arena->Copy(cell.view()).data();
    result_.SetConstant(cell);
    *result = &result_;
    return absl::OkStatus();
  }

 private:
  int index_;
  ExecContext* context_;
};

}  // namespace

struct OnceState {
  EvaluatorPtr inner;
  uint64_t serial = 0;  // of the frame that `value` belongs to
  ColumnVector value;
};

namespace {

class Once : public Evaluator {
 public:
  explicit Once(std::shared_ptr<OnceState> state) : state_(std::move(state)) {}

  absl::Status Eval(const Frame& frame, const ColumnVector** result) override {
    const Frame* at = &frame;
    while (at != nullptr && at->serial != state_->serial) at = at->parent;
    if (at == nullptr) {
      const ColumnVector* value = nullptr;
      TURDB_RETURN_IF_ERROR(state_->inner->Eval(frame, &value));
      state_->value.Reference(*value);
      state_->serial = frame.serial;
      at = &frame;
    }
    if (at == &frame) {
      *result = &state_->value;
      return absl::OkStatus();
    }
    rows_.resize(frame.rows);
    for (uint32_t i = 0; i < frame.rows; ++i) {
      uint32_t row = i;
      for (const Frame* f = &frame; f != at; f = f->parent) row = f->parent_rows[row];
      rows_[i] = row;
    }
    result_ = ColumnVector();
    result_.Gather(state_->value, rows_.data(), frame.rows);
    *result = &result_;
    return absl::OkStatus();
  }

 private:
  std::shared_ptr<OnceState> state_;
  std::vector<uint32_t> rows_;
};

}  // namespace

EvaluatorPtr MakeConstant(const Value& value) { return std::make_unique<Constant>(value); }
EvaluatorPtr MakeParameter(uint32_t number, ExecContext* context) { return std::make_unique<Parameter>(number, context); }
EvaluatorPtr MakeSlot(int slot) { return std::make_unique<Slot>(slot); }
EvaluatorPtr MakeRegister(int register_index, ExecContext* context) {
  return std::make_unique<Register>(register_index, context);
}
std::shared_ptr<OnceState> MakeOnceState(EvaluatorPtr inner) {
  auto state = std::make_shared<OnceState>();
  state->inner = std::move(inner);
  return state;
}
EvaluatorPtr MakeOnce(std::shared_ptr<OnceState> state) { return std::make_unique<Once>(std::move(state)); }
const Evaluator& InnerOf(const OnceState& state) { return *state.inner; }

}  // namespace turdb::sql
