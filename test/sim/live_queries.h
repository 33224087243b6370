// The live queries that simulated windows have open, each also as a plain function over all rows:
// what it must show, recomputed by looking at everything.
#ifndef SKERRY_TEST_SIM_LIVE_QUERIES_H_
#define SKERRY_TEST_SIM_LIVE_QUERIES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/vector.h"
#include "client/view.h"
#include "model/row_store.h"

namespace skerry::sim {

// One row as a query shows it, with the rows that it includes. Its slot is part of it, because that
// is all that JavaScript is told; its revision is not, because nobody sees it.
struct Shown {
  const TableDef* table = nullptr;
  Slot slot = kNoSlot;
  std::string id;
  Row row;
  Vector<Shown> included;
  friend bool operator==(const Shown&, const Shown&) = default;
};
using Look = Vector<Shown>;

// All visible rows of a window, by table and id.
struct AllRows {
  const Schema* schema = nullptr;
  Vector<std::map<std::string, Shown>> tables;
  const std::map<std::string, Shown>& Of(const char* table) const {
    return tables[schema->FindTable(table)];
  }
};
AllRows RowsOf(const View& view);

struct PlainQuery {
  const char* description;           // JSON, as js/api gives it (docs/internals.md, section 7)
  const char* table;                 // of its rows
  const char* included;              // of those that it includes; null: none
  Look (*look)(const AllRows& all);  // what it shows
};
const Vector<PlainQuery>& PlainQueries();

// A stream of slots as rows.
Look LookOf(const PlainQuery& query, const Vector<uint32_t>& stream, const AllRows& all);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_LIVE_QUERIES_H_
