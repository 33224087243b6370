// LiveQueries: all live queries of one window, kept up to date row by row.
//
// The protocol, in which the view (client/view.h) calls:
//   1. WillChange(table, id) before every Put or Erase in a visible row store, while the row is
//   still as it was. Further
//      calls for the same row in the same transaction change nothing: the first one remembers the
//      row.
//   2. The store's own Put or Erase.
//   3. Flush once per transaction (a commit, or one handled event), after all of its changes. It
//   compares what was with
//      what is: only the net difference counts. A row that was put back as it was is not a change;
//      `revision` alone is not a change (nobody sees it).
// An image that replaces whole stores is announced by WillReset instead of WillChange for each row;
// Flush follows as usual. Open and Close may be called at any time while the stores are whole. A
// live query that is opened between WillChange and Flush begins with what is there; that Flush
// tells it only of what changed after it was opened.
//
// Costs. WillChange: one look-up, and one decoded copy of the row, only where some live query reads
// that table. Flush: for each live query of a changed table, per changed row one evaluation of the
// filter; a change outside of filter and result visits no other row (rows_visited proves it).
// Queries with a limit hold a look-ahead beyond it, and ask the stores again only when that is
// drained. Rows of other tables, in includes, exists and sub-selects, cost only the rows that they
// concern.
//
// Ownership: the stores and the schema outlive it. User code is never called: Flush returns data.
#ifndef SKERRY_CLIENT_LIVE_QUERY_H_
#define SKERRY_CLIENT_LIVE_QUERY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/vector.h"
#include "model/query.h"

namespace skerry {

// What a transaction did to the result of one live query. The lists hold ids of the query's own
// table and are disjoint but for `moved`, which may name rows of `changed` too.
struct LiveDelta {
  uint32_t live = 0;
  Vector<uint32_t> rows;        // the whole result as QueryEngine::Run gives it
  Vector<std::string> added;    // now in the result; in its order
  Vector<std::string> removed;  // no longer in the result; in the order of the result before
  Vector<std::string>
      changed;  // in both; the row itself or what it includes differs; in the result's order
  Vector<std::string> moved;  // in both; its place among the rows that did not change is another
};

class LiveQueries {
 public:
  LiveQueries(const Schema* schema, Tables* tables);
  ~LiveQueries();
  LiveQueries(const LiveQueries&) = delete;
  LiveQueries& operator=(const LiveQueries&) = delete;

  // Appends the result as it is now to `rows` (as QueryEngine::Run would) and keeps it up to date
  // from here on. Live ids begin at 1 and are not used again.
  uint32_t Open(const Query& query, Vector<uint32_t>* rows);
  void Close(uint32_t live);  // unknown ids are ignored
  size_t size() const;

  // The result now, as of the last Flush. REQUIRES: `live` is open.
  void Render(uint32_t live, Vector<uint32_t>* rows) const;

  void WillChange(TableIndex table, std::string_view id);
  // Every row of every table may change, and every slot.
  void WillReset();
  bool IsSettled() const;  // nothing has been announced since the last Flush
  // Appends one delta for each live query whose result differs; nothing where the net difference is
  // nothing.
  void Flush(Vector<LiveDelta>* out);

  // Does any live query read this table? WillChange is free where not.
  bool Reads(TableIndex table) const;

  // Rows looked at on account of live queries, other than the changed rows themselves.
  uint64_t rows_visited() const;
  // How often a drained look-ahead (or a reset) made a query run from scratch, since construction.
  uint64_t requeries() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_LIVE_QUERY_H_
