// What a pull is asked, what it needs, and what is loaded for it (docs/authority.md, section 4).
#ifndef SKERRY_AUTHORITY_PULL_INPUT_H_
#define SKERRY_AUTHORITY_PULL_INPUT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "authority/cursor.h"
#include "authority/placed_key.h"
#include "authority/scope.h"
#include "authority/stream_scope.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/wire/pull_answer.h"
#include "log/wire/pull_loaded.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

struct PullInput {
  double now = 0;  // ms
  std::string client;
  Map<std::string, Cursor> cursors;
  Map<std::string, Cursor> given;  // of realms without a cursor: entries that the log must have
  Set<std::string> have;
  std::optional<Set<std::string>> known;  // action ids: the client asks which are in the log
  Scopes scopes;
  Vector<StreamScope> streams;
  uint32_t version = 0;  // of the client's schema; 0: the server's
  uint64_t limit = 0;    // entries of a realm; 0: the server's own limit
  bool accepts_refill = false;
  bool asks_for_floors = false;
  bool accepts_images = true;
  bool is_partial = false;  // more realms are readable than this pull is given
};
struct PullRealm {
  uint64_t head = 0;
  double head_at = 0;
  uint64_t rows = 0;  // live rows, an estimate
  Cursor floor;       // what came up to here is forgotten
};

// A declared entry of an update of `have`, with its ops as they are folded.
struct PulledOwn {
  wire::LoadedOwn entry;
  Vector<Op> ops;
};
struct PulledPage {
  Vector<std::pair<ObjectKey, Row>> rows;  // by id
  bool has_more = false;
  // With `has_more`: all rows up to this id were looked at, also if none of the last ones matches.
  std::optional<std::string> upto;
};

struct PullNeeds {
  struct Entries {
    std::string realm;
    uint64_t from = 0;
    uint64_t limit = 0;
    std::string client;  // not empty: only entries of this client
  };
  struct State {
    std::string realm;
    Set<TableIndex> tables;
  };
  struct RowAt {
    PlacedKey key;
    uint64_t after = 0;
  };
  Vector<Entries> entries;
  Vector<std::pair<std::string, uint64_t>> changes;  // realm, from
  Vector<std::string> own;
  Vector<std::string> actions;
  Vector<State> state;
  Vector<size_t> pages;  // indexes of scopes
  Vector<std::string> page_realms;
  Vector<std::pair<std::string, uint64_t>> images;  // realm, and the least revision
  Vector<RowAt> rows;
  // For a sub-select: the live rows of the outer table whose prop has one of the values.
  struct Candidates {
    std::string realm;
    size_t join = 0;
    Vector<Value> values;
  };
  // For a sub-select: which of the values are selected by live inner rows that match, and have not
  // changed above revision `upto`.
  struct Selected {
    std::string realm;
    size_t join = 0;
    Vector<Value> values;
    uint64_t upto = 0;
  };
  // Actions above revision `from`, up to `upto`. `last`: only the last so many; 0: all.
  struct Streams {
    size_t scope = 0;  // index of PullInput::streams
    std::string realm;
    uint64_t from = 0;
    uint64_t upto = 0;
    uint64_t last = 0;
  };
  Vector<Candidates> candidates;
  Vector<Selected> selected;
  Vector<Streams> streams;
  bool empty() const {
    return streams.empty() && entries.empty() && changes.empty() && own.empty() &&
           actions.empty() && state.empty() && pages.empty() && images.empty() && rows.empty() &&
           candidates.empty() && selected.empty();
  }
};

// A sub-select of a scope.
struct PullJoin {
  size_t scope = 0;
  TableIndex outer = kNone;
  SubSelect select;
};

// What the parts of a pull share. Each part adds what it needs, and writes its own members of the
// answer.
struct PullIo {
  const Schema* schema;
  std::optional<Schema> names = {};  // of the client's release, if it has others
  PullInput request = {};
  PullNeeds needs = {};
  wire::PullAnswer answer = {};
};

// By the names of the client's release.
inline const Schema& NamesFor(const PullIo& io) { return io.names ? *io.names : *io.schema; }
inline wire::Scope NameOf(const PullIo& io, const Scope& scope) {
  return {NamesFor(io).table(scope.table).name, scope.where};
}

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_INPUT_H_
