// LiveQueries: all live queries of one window, kept up to date row by row.
//
// The protocol, in which the view (client/view.h) calls:
//  1. WillChange(key) before every Put or Erase in a visible row store, while the row is
//     still unchanged. Further calls for the same row in the same transaction have no effect: the
//     first one remembers the row.
//  2. The store's own Put or Erase.
//  3. Flush once per transaction (a commit, or one handled event), after all of its changes. It
//     compares the old state with the new one: only the net difference counts. A row that was put
//     back as it was is not a change, and neither is `revision` alone (it is not visible).
// An image that replaces whole stores is announced by WillReset instead of WillChange for each row;
// Flush follows as usual. Open and Close may be called at any time, except in the middle of a Put
// or Erase. A live query that is opened between WillChange and Flush begins with the present rows;
// that Flush reports only what changed after it was opened.
//
// Costs. WillChange: one look-up, and one decoded copy of the row, only if some live query reads
// that table. Flush: for each live query of a changed table, one evaluation of the filter per
// changed row; a change outside of filter and result visits no other row (rows_visited proves it).
// A query with a limit keeps a look-ahead of further rows, and queries the stores again only when
// the look-ahead is used up. Changes of other tables' rows, in includes, `exists` and sub-selects,
// cost only the rows that they affect.
//
// Ownership: the stores and the schema outlive it. It never calls user code: Flush returns data.
#ifndef SKERRY_CLIENT_LIVE_QUERY_H_
#define SKERRY_CLIENT_LIVE_QUERY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/vector.h"
#include "model/query.h"

namespace skerry {

// What a transaction did to the result of one live query. The lists have ids of the query's own
// table. They are disjoint, except that `moved` may repeat ids of `changed`.
struct LiveDelta {
  uint32_t live = 0;
  Vector<uint32_t> rows;        // the whole result, in the format of QueryEngine::Run
  Vector<std::string> added;    // now in the result; in its order
  Vector<std::string> removed;  // no longer in the result; in the order of the result before
  // In both results, and the row itself or what it includes differs; in the order of the result.
  Vector<std::string> changed;
  Vector<std::string> moved;  // in both; its place among the unchanged rows differs
};

class LiveQueries {
 public:
  LiveQueries(const Schema* schema, Tables* tables);
  ~LiveQueries();
  LiveQueries(const LiveQueries&) = delete;
  LiveQueries& operator=(const LiveQueries&) = delete;

  // Appends the present result to `rows` (in the format of QueryEngine::Run) and keeps it up to
  // date from now on. Live ids begin at 1 and are never reused.
  uint32_t Open(const Query& query, Vector<uint32_t>* rows);
  void Close(uint32_t live);  // unknown ids are ignored
  size_t size() const;

  // The result as of the last Flush. REQUIRES: `live` is open.
  void Render(uint32_t live, Vector<uint32_t>* rows) const;

  void WillChange(const ObjectKey& key);
  // Every row and every slot of every table may change.
  void WillReset();
  bool IsSettled() const;  // no change was announced since the last Flush
  // Appends one delta for each live query whose result differs; none if the net difference is
  // empty.
  void Flush(Vector<LiveDelta>* out);

  // Whether any live query reads this table. If not, WillChange costs nothing.
  bool Reads(TableIndex table) const;

  // The number of rows that were visited for live queries, without the changed rows themselves.
  uint64_t rows_visited() const;
  // How often a query was run from scratch, because its look-ahead was used up or after a reset.
  uint64_t requeries() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_LIVE_QUERY_H_
