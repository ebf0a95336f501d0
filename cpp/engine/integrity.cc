#include "engine/integrity.h"

#include <functional>
#include <map>

#include "base/errors.h"
#include "base/status_macros.h"
#include "btree/row_tree.h"
#include "catalog/table_files.h"
#include "sql/exec/schema_statements.h"
#include "table/check_pages.h"

namespace turdb::engine {
namespace {

class IntegrityCheck {
 public:
  IntegrityCheck(sql::ExecContext* context, const IntegrityRequest& request) : context_(context), request_(request) {}

  absl::StatusOr<std::vector<std::string>> Run() {
    if (request_.table.empty()) {
      TURDB_RETURN_IF_ERROR(Note(CheckCatalog()));
      CheckFiles();
    }
    for (const catalog::TableDef* table : context_->catalog->Tables()) {
      TURDB_RETURN_IF_ERROR(context_->CheckInterrupt());
      if (findings_.size() >= request_.max_findings) break;
      const bool is_wanted = request_.table.empty() || EqualsIgnoreCase(request_.table, table->name);
      if (is_wanted && table->kind == catalog::TableKind::kTable) TURDB_RETURN_IF_ERROR(CheckOne(*table));
    }
    if (findings_.size() > request_.max_findings) findings_.resize(request_.max_findings);
    return std::move(findings_);
  }

 private:
  absl::Status Note(const absl::Status& status) {
    if (KindOf(status) == ErrorKind::kInterrupted) return status;
    if (!status.ok()) findings_.push_back(std::string(FromAbsl(status.message())));
    return absl::OkStatus();
  }
  void AddAll(const std::vector<std::string>& findings) {
    findings_.insert(findings_.end(), findings.begin(), findings.end());
  }

  absl::Status CheckCatalog() {
    TURDB_ASSIGN_OR_RETURN(const pager::FileView view, context_->txn->View(txn::kCatalogFile));
    std::vector<PageId> used;
    TURDB_ASSIGN_OR_RETURN(const std::vector<std::string> found, btree::CheckRowTree(view, &used, check_));
    for (const std::string& finding : found) findings_.push_back(Cat(view.path(), ": ", finding));
    if (found.empty()) table::CheckPageUse(view, used, context_->txn->is_writing(), &findings_);
    return absl::OkStatus();
  }

  // Files against the objects that the catalog has.
  void CheckFiles() {
    std::map<uint32_t, const catalog::TableDef*> owners;
    for (const catalog::TableDef* table : context_->catalog->Tables()) {
      for (const FileId file : catalog::FilesOf(*table)) {
        const auto [owner, is_new] = owners.emplace(file.value(), table);
        if (!is_new) findings_.push_back(Cat("file ", file.value(), " belongs to table ", owner->second->name, " and to table ", table->name));
      }
    }
    for (const FileId file : context_->txn->Files()) {
      if (file == txn::kCatalogFile || owners.count(file.value()) > 0) continue;
      const auto view = context_->txn->View(file);
      findings_.push_back(Cat("file ", file.value(), view.ok() ? Cat(" (", view->path(), ")") : "", " belongs to no table"));
    }
  }

  absl::Status CheckOne(const catalog::TableDef& table) {
    if (request_.is_quick) {
      TURDB_ASSIGN_OR_RETURN(const auto found, table::CheckTableStructure(context_->txn, table, check_));
      AddAll(found);
      return absl::OkStatus();
    }
    auto* const state = static_cast<ConnectionState*>(context_->owner);
    const sql::ParsedStatement none;
    sql::SchemaContext schema;
    schema.exec = context_;
    schema.functions = &state->functions;
    sql::SchemaStatement statement{none, &schema};
    auto expressions = sql::TableExpressions::Make(table, &statement);
    if (!expressions.ok()) {  // an index over a function that this connection does not have
      findings_.push_back(Cat("table ", table.name, " cannot be compared with its indexes: ", FromAbsl(expressions.status().message())));
      TURDB_ASSIGN_OR_RETURN(const auto found, table::CheckTableStructure(context_->txn, table, check_));
      AddAll(found);
      return absl::OkStatus();
    }
    TURDB_ASSIGN_OR_RETURN(const auto found, table::CheckTable(context_->txn, table, (*expressions)->index_callback(), check_));
    AddAll(found);
    return absl::OkStatus();
  }

  sql::ExecContext* context_;
  const IntegrityRequest& request_;
  const std::function<absl::Status()> check_ = [this] { return context_->CheckInterrupt(); };
  std::vector<std::string> findings_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> CheckIntegrity(sql::ExecContext* context, const IntegrityRequest& request) {
  return IntegrityCheck(context, request).Run();
}

}  // namespace turdb::engine
