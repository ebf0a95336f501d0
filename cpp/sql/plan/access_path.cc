#include "sql/plan/access_path.h"

#include <algorithm>
#include <cmath>

#include "table/table_reader.h"

namespace turdb::sql {
namespace {

// Measured on column-wise leaves (docs/decisions/0002): a row of a scan takes about 4 ns, so a plan that touches rows one
// by one has to touch few of them.
constexpr double kSeekCost = 60;           // descending a tree
constexpr double kFetchCost = 60;          // a table row found through an index entry
constexpr double kIndexEntryCost = 25;     // decoding an entry of an index
constexpr double kRangeFraction = 0.25;    // of one bound
constexpr double kBetweenFraction = 0.005; // of two bounds: people who give both look for few

struct Candidate {
  const LogicalGet& get;
  const std::vector<const BoundExpr*>& conjuncts;
  std::vector<Sarg> sargs;      // by conjunct
  std::vector<bool> is_sarg;
  double table_rows;
  Statistics* statistics;
};

bool MatchesPartial(const catalog::IndexDef& index) { return index.where_sql.empty(); }

double RowsOfPrefix(const Candidate& c, const catalog::IndexDef* index, size_t prefix, size_t index_columns) {
  const bool is_unique = index == nullptr || index->is_unique;
  if (prefix == index_columns && is_unique) return 1;
  if (prefix == 0) return c.table_rows;
  if (index != nullptr) {
    const double known = c.statistics->RowsPerKey(*c.get.table, *index, prefix);
    if (known > 0) return known;
  }
  // Nothing known: keys repeat about as often as there are different ones.
  return std::max(1.0, std::pow(c.table_rows, 1.0 / (1.0 + static_cast<double>(prefix))));
}

// Adds equalities on the leading columns, then an IN or bounds on the next one.
AccessPath IndexPath(const Candidate& c, const catalog::IndexDef* index) {
  AccessPath path;
  path.kind = AccessPath::Kind::kIndex;
  path.index = index;
  const auto columns = PathIndexColumns(*c.get.table, index);
  auto find = [&](const catalog::IndexColumn& column, auto accept) {
    for (size_t i = 0; i < c.conjuncts.size(); ++i) {
      // An index may name a column twice; a comparison gives its value away once.
      const bool is_taken = std::find(path.prefix.begin(), path.prefix.end(), i) != path.prefix.end();
      if (is_taken || !c.is_sarg[i] || !accept(c.sargs[i].kind)) continue;
      if (IndexColumnAnswers(*c.get.table, column, c.sargs[i])) return static_cast<int>(i);
    }
    return -1;
  };
  size_t next = 0;
  for (; next < columns.size(); ++next) {
    const int equal = find(columns[next], [](SargKind k) {
      return k == SargKind::kEqual || k == SargKind::kNullSafeEqual || k == SargKind::kIsNull;
    });
    if (equal < 0) break;
    path.prefix.push_back(static_cast<size_t>(equal));
  }
  double rows = RowsOfPrefix(c, index, next, columns.size());
  double seeks = 1;
  if (next < columns.size()) {
    path.in_list = find(columns[next], [](SargKind k) { return k == SargKind::kIn; });
    if (path.in_list >= 0) {
      seeks = static_cast<double>(c.conjuncts[path.in_list]->args.size() - 1);
      rows = std::min(rows, seeks * RowsOfPrefix(c, index, next + 1, columns.size()));
    } else {
      path.lower = find(columns[next], [](SargKind k) { return k == SargKind::kLower; });
      path.upper = find(columns[next], [](SargKind k) { return k == SargKind::kUpper; });
      if (path.lower >= 0 && path.upper >= 0) rows *= kBetweenFraction;
      else if (path.lower >= 0 || path.upper >= 0) rows *= kRangeFraction;
    }
  }
  path.is_covering = index == nullptr || table::IsCovering(*c.get.table, *index, c.get.columns);
  path.rows = std::max(rows, 1.0);
  path.cost = seeks * kSeekCost + path.rows * (kIndexEntryCost + (path.is_covering ? 0 : kFetchCost));
  return path;
}

bool UsesKey(const AccessPath& path) {
  return !path.prefix.empty() || path.in_list >= 0 || path.lower >= 0 || path.upper >= 0;
}

AccessPath RowIdPath(const Candidate& c) {
  AccessPath path;
  path.rows = c.table_rows;
  path.cost = c.table_rows + kSeekCost;
  if (c.get.table->is_without_rowid) return path;
  for (size_t i = 0; i < c.conjuncts.size(); ++i) {
    if (!c.is_sarg[i] || !RowIdAnswers(c.sargs[i])) continue;
    const SargKind kind = c.sargs[i].kind;
    if (kind == SargKind::kEqual || kind == SargKind::kIn) {
      path = AccessPath();
      path.kind = AccessPath::Kind::kRowIdLookup;
      path.in_list = static_cast<int>(i);
      path.rows = kind == SargKind::kEqual ? 1.0 : static_cast<double>(c.conjuncts[i]->args.size() - 1);
      path.cost = path.rows * kSeekCost;
      return path;
    }
    path.kind = AccessPath::Kind::kRowIdRange;
    int& bound = kind == SargKind::kLower ? path.lower : path.upper;
    if (bound >= 0) continue;
    bound = static_cast<int>(i);
    path.rows *= kRangeFraction;
    path.cost = path.rows + kSeekCost;
  }
  return path;
}

std::vector<Sarg> FindSargs(const LogicalGet& get, const std::vector<const BoundExpr*>& conjuncts, std::vector<bool>* is_sarg) {
  const ColumnSet own = ColumnSet::Of(get.output);
  std::vector<Sarg> sargs(conjuncts.size());
  is_sarg->resize(conjuncts.size());
  for (size_t i = 0; i < conjuncts.size(); ++i) (*is_sarg)[i] = MatchSarg(*conjuncts[i], get, own, &sargs[i]);
  return sargs;
}

// The value as the comparison would convert it before looking at the column.
ExprPtr KeyValue(ExprPtr value, Affinity affinity) {
  if (affinity == Affinity::kNone || affinity == Affinity::kBlob) return value;
  auto converted = std::make_unique<BoundExpr>(BoundKind::kAffinity);
  converted->affinity = affinity;
  converted->args.push_back(std::move(value));
  return converted;
}

// Takes the value side out of a conjunct that becomes a key.
ExprPtr TakeValue(BoundExpr* conjunct, const Sarg& sarg) {
  if (sarg.kind == SargKind::kIsNull) return std::make_unique<BoundExpr>(BoundKind::kConstant);
  for (ExprPtr& arg : conjunct->args) {
    if (arg.get() == sarg.value) return KeyValue(std::move(arg), sarg.compare_affinity);
  }
  return nullptr;
}

std::vector<ExprPtr> TakeList(BoundExpr* conjunct, const Sarg& sarg) {
  std::vector<ExprPtr> values;
  for (size_t i = 1; i < conjunct->args.size(); ++i) {
    values.push_back(KeyValue(std::move(conjunct->args[i]), sarg.compare_affinity));
  }
  return values;
}

// Builds the scan of a path, taking the keys out of the conjuncts that it uses.
struct ScanMaker {
  const AccessPath& path;
  const std::vector<Sarg>& sargs;
  Conjuncts* conjuncts;

  Bound TakeBound(int i) const {
    if (i < 0) return {};
    return {TakeValue((*conjuncts)[i].get(), sargs[i]), sargs[i].is_inclusive};
  }

  PhysicalPtr RowIdLookup() const {
    auto scan = std::make_unique<PhysicalRowIdLookup>();
    BoundExpr* conjunct = (*conjuncts)[path.in_list].get();
    const Sarg& sarg = sargs[path.in_list];
    if (sarg.kind == SargKind::kEqual) {
      scan->values.push_back(TakeValue(conjunct, sarg));
    } else {
      scan->values = TakeList(conjunct, sarg);
    }
    return scan;
  }

  PhysicalPtr IndexScan() const {
    auto scan = std::make_unique<PhysicalIndexScan>();
    scan->index = path.index;
    scan->is_covering = path.is_covering;
    for (size_t i : path.prefix) {
      scan->prefix_is_null_safe.push_back(sargs[i].kind != SargKind::kEqual);
      scan->prefix.push_back(TakeValue((*conjuncts)[i].get(), sargs[i]));
    }
    if (path.in_list >= 0) scan->in_list = TakeList((*conjuncts)[path.in_list].get(), sargs[path.in_list]);
    scan->lower = TakeBound(path.lower);
    scan->upper = TakeBound(path.upper);
    return scan;
  }

  PhysicalPtr TableScan() const {
    auto scan = std::make_unique<PhysicalTableScan>();
    scan->lower = TakeBound(path.lower);
    scan->upper = TakeBound(path.upper);
    return scan;
  }
};

template <typename Scan>
void FillScan(Scan* scan, const LogicalGet& get, ExprPtr filter) {
  scan->table = get.table;
  scan->alias = get.alias;
  scan->columns = get.columns;
  scan->filter = std::move(filter);
}

}  // namespace

std::vector<catalog::IndexColumn> PathIndexColumns(const catalog::TableDef& table, const catalog::IndexDef* index) {
  if (index != nullptr) return index->columns;
  std::vector<catalog::IndexColumn> columns;
  for (int column : table.primary_key) {
    columns.push_back({column, "", table.columns[column].collation, false});
  }
  return columns;
}

AccessPath ChooseAccessPath(const LogicalGet& get, const std::vector<const BoundExpr*>& conjuncts, Statistics* statistics) {
  Candidate c{get, conjuncts, {}, {}, std::max(1.0, statistics->RowCount(*get.table)), statistics};
  c.sargs = FindSargs(get, conjuncts, &c.is_sarg);
  if (get.indexed_by != nullptr) return IndexPath(c, get.indexed_by);
  AccessPath best = RowIdPath(c);
  if (get.table->is_without_rowid) {
    const AccessPath path = IndexPath(c, nullptr);
    if (UsesKey(path)) best = path;
  }
  if (get.is_not_indexed) return best;
  for (const catalog::IndexDef& index : get.table->indexes) {
    if (index.kind != catalog::IndexKind::kBtree || !MatchesPartial(index)) continue;
    if (get.table->is_without_rowid && index.origin == catalog::IndexOrigin::kPrimaryKey) continue;
    const AccessPath path = IndexPath(c, &index);
    if ((UsesKey(path) || path.is_covering) && path.cost < best.cost) best = path;
  }
  return best;
}

PhysicalPtr MakeScan(const LogicalGet& get, const AccessPath& path, Conjuncts conjuncts) {
  std::vector<const BoundExpr*> views;
  for (const ExprPtr& conjunct : conjuncts) views.push_back(conjunct.get());
  std::vector<bool> is_sarg;
  const std::vector<Sarg> sargs = FindSargs(get, views, &is_sarg);
  std::vector<bool> used(conjuncts.size());
  for (size_t i : path.prefix) used[i] = true;
  for (int i : {path.in_list, path.lower, path.upper}) {
    if (i >= 0) used[i] = true;
  }
  const ScanMaker maker{path, sargs, &conjuncts};
  PhysicalPtr scan = path.kind == AccessPath::Kind::kRowIdLookup ? maker.RowIdLookup()
                     : path.kind == AccessPath::Kind::kIndex     ? maker.IndexScan()
                                                                 : maker.TableScan();
  Conjuncts rest;
  double selectivity = 1;
  for (size_t i = 0; i < conjuncts.size(); ++i) {
    if (used[i]) continue;
    selectivity *= GuessSelectivity(*conjuncts[i]);
    rest.push_back(std::move(conjuncts[i]));
  }
  ExprPtr filter = MergeConjuncts(std::move(rest));
  if (path.kind == AccessPath::Kind::kRowIdLookup) FillScan(&scan->As<PhysicalRowIdLookup>(), get, std::move(filter));
  else if (path.kind == AccessPath::Kind::kIndex) FillScan(&scan->As<PhysicalIndexScan>(), get, std::move(filter));
  else FillScan(&scan->As<PhysicalTableScan>(), get, std::move(filter));
  scan->output = get.output;
  scan->estimated_rows = std::max(1.0, path.rows * selectivity);
  return scan;
}

}  // namespace turdb::sql
