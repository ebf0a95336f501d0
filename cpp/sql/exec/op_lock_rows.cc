// LockRows (sql/exec/operators.h): FOR UPDATE and FOR SHARE.
//
// Stands above the sort and below LIMIT, so that the rows locked are those that the statement returns. Under a LIMIT, and in
// nested selects, it hands on row after row and locks none ahead. A row of a join is left out when one of its parts cannot be had.
#include <algorithm>

#include "base/errors.h"
#include "base/status_macros.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_store.h"
#include "table/index_codec.h"
#include "table/row_locker.h"

namespace turdb::sql {
namespace {

using WhenLocked = table::RowLocker::WhenLocked;

WhenLocked WhenLockedOf(RowLockWait wait) {
  switch (wait) {
    case RowLockWait::kWait: return WhenLocked::kWait;
    case RowLockWait::kSkipLocked: return WhenLocked::kSkip;
    case RowLockWait::kNoWait: return WhenLocked::kFail;
  }
  return WhenLocked::kWait;
}

class LockRows : public Operator {
 public:
  LockRows(const PhysicalLockRows& node, OperatorPtr child, ExecContext* context)
      : node_(node), child_(std::move(child)), context_(context) {}

  // Tables are locked before the child reads, so that what it reads is not old after a wait.
  absl::Status Open() override {
    lockers_.clear();
    for (const RowLock& lock : node_.locks) {
      const txn::LockMode mode = lock.strength == RowLockStrength::kUpdate ? txn::LockMode::kExclusive : txn::LockMode::kShared;
      lockers_.emplace_back(context_->txn, *lock.table, mode, WhenLockedOf(lock.wait));
      TURDB_RETURN_IF_ERROR(lockers_.back().Open());
    }
    input_.Clear();
    next_ = 0;
    return child_->Open();
  }

  absl::Status Next(ColumnBatch* batch) override {
    Release(batch);
    for (;;) {
      if (next_ == input_.size) {
        TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
        TURDB_RETURN_IF_ERROR(child_->Next(&input_));
        next_ = 0;
        batch->size = 0;
        if (input_.size == 0) return absl::OkStatus();
      }
      kept_.clear();
      const uint32_t end = node_.is_one_by_one ? next_ + 1 : input_.size;
      for (; next_ < end; ++next_) {
        TURDB_ASSIGN_OR_RETURN(const bool is_locked, Lock(next_));
        if (is_locked) kept_.push_back(next_);
      }
      if (kept_.empty()) continue;
      Forward(input_, kept_.data(), static_cast<uint32_t>(kept_.size()), batch);
      return absl::OkStatus();
    }
  }
  void Close() override { child_->Close(); }

 private:
  absl::StatusOr<bool> Lock(uint32_t row) {
    for (size_t i = 0; i < lockers_.size(); ++i) {
      const RowLock& lock = node_.locks[i];
      table::RowRef ref;
      if (lock.table->is_without_rowid) {
        EncodeKey(lock, row);
        ref = table::RowRef(std::string_view(key_));
      } else {
        ref = RowId(input_.columns[lock.key[0]->slot].Get(row).integer);
      }
      TURDB_ASSIGN_OR_RETURN(const bool is_locked, lockers_[i].Lock(ref));
      if (!is_locked) return false;
    }
    return true;
  }

  void EncodeKey(const RowLock& lock, uint32_t row) {
    const catalog::TableDef& table = *lock.table;
    cells_.resize(std::max(cells_.size(), table.columns.size()));
    for (size_t k = 0; k < table.primary_key.size(); ++k) {
      cells_[table.primary_key[k]] = input_.columns[lock.key[k]->slot].Get(row);
    }
    key_.clear();
    table::AppendPrimaryKey(table, cells_.data(), &key_);
  }

  const PhysicalLockRows& node_;
  OperatorPtr child_;
  ExecContext* context_;
  std::vector<table::RowLocker> lockers_;
  ColumnBatch input_;
  uint32_t next_ = 0;
  std::vector<uint32_t> kept_;
  std::vector<Cell> cells_;
  std::string key_;
};

}  // namespace

BuiltOperator BuildLockRows(const PhysicalLockRows& node, Builder* builder) {
  TURDB_ASSIGN_OR_RETURN(OperatorPtr child, builder->Build(*node.children[0]));
  return OperatorPtr(std::make_unique<LockRows>(node, std::move(child), builder->context));
}

}  // namespace turdb::sql
