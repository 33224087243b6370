// The live queries that simulated windows have open. Each is also a plain function over all rows,
// which computes from scratch what the query must show.
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

// One row as a query shows it, with the rows that it includes. It has the slot, because JavaScript
// gets only slots. Revisions are not compared, because an application does not see them.
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
  const char* description;           // JSON, as js/api sends it (docs/internals.md, section 7)
  const char* table;                 // of its rows
  const char* included;              // the table of the included rows; null: none
  Look (*look)(const AllRows& all);  // the rows that it must show
};
const Vector<PlainQuery>& PlainQueries();

// The rows of a stream of slots.
Look LookOf(const PlainQuery& query, const Vector<uint32_t>& stream, const AllRows& all);

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_LIVE_QUERIES_H_
