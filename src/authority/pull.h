// Pull computes the answer to one pull request: for each realm diff(F, E), where F is what the
// client will hold after folding its own updates of `have`, and E is what it should hold
// (docs/design.md, "The answer to a pull"). It does no I/O: needs() says what the caller must read.
//
// Use: call Begin. While needs() is not empty, read and load what it names, and call Run. Then
// answer() holds the answer.
//
// Four parts do the work, each with its own input and output: ranges, rows, joins and streams (the
// headers below).
//
// A realm is answered in one of three ways. kRange: the cursor is in this history, and the answer
// covers (cursor, to]. kState: the client holds nothing of the realm (its cursor is 0@0, or of
// another history), so everything in scope is sent. kImage: as kState, but the realm is large: the
// answer names an image, and has nothing else of that realm.
//
// Changes that are too large for an answer (of an entry with many changes, or a whole realm) are
// not read. LoadUnread names their tables. Then the cursor moves past them, the answer has no
// changes of these tables, and `refill` names their scopes, which the client fills again by pages.
// A client that does not understand `refill` (see `accepts_refill`) must load everything again
// (is_too_large).
#ifndef SKERRY_AUTHORITY_PULL_H_
#define SKERRY_AUTHORITY_PULL_H_

#include <string>

#include "authority/pull_input.h"
#include "authority/pull_joins.h"
#include "authority/pull_ranges.h"
#include "authority/pull_rows.h"
#include "authority/pull_streams.h"

namespace skerry {

class Pull {
 public:
  explicit Pull(const Schema* schema)
      : io_{schema},
        ranges_(&io_),
        rows_(&io_, &ranges_),
        joins_(&io_, &ranges_, &rows_),
        streams_(&io_, &ranges_) {}
  Pull(const Pull&) = delete;
  Pull& operator=(const Pull&) = delete;

  void Begin(PullInput request, const Map<std::string, PullRealm>& realms);
  const PullNeeds& needs() const { return io_.needs; }
  const PullInput& request() const { return io_.request; }

  // What needs() names is loaded into the part that asks for it.
  PullRanges& ranges() { return ranges_; }
  PullRows& rows() { return rows_; }
  PullJoins& joins() { return joins_; }
  const PullJoins& joins() const { return joins_; }
  PullStreams& streams() { return streams_; }

  // REQUIRES: everything in needs() is loaded. Afterwards needs() has more, or it is empty and
  // answer() is complete, unless is_too_large().
  void Run();
  const wire::PullAnswer& answer() const { return io_.answer; }
  // 410: no answer can hold the changes, or they are forgotten; the client loads all again.
  bool is_too_large() const { return ranges_.is_too_large(); }

 private:
  enum class Phase { kLog, kRows, kCandidates, kSelected };

  bool RunLog();

  PullIo io_;
  Phase phase_ = Phase::kLog;
  PullRanges ranges_;
  PullRows rows_;
  PullJoins joins_;
  PullStreams streams_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_H_
