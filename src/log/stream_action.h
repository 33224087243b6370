// StreamAction: a confirmed action of a stream, as records and the store `actions` hold it.
#ifndef SKERRY_LOG_STREAM_ACTION_H_
#define SKERRY_LOG_STREAM_ACTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/status.h"
#include "base/vector.h"
#include "log/body.h"
#include "log/members.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

// Its place in its stream, in this order: the revision of its entry, and the index among the
// entry's actions in the stream.
using ActionPlace = std::pair<uint64_t, uint64_t>;

struct StreamAction {
  ActionPlace place;
  std::string id;  // UUID
  std::string name;
  std::string arg;     // JSON text
  double at = 0;       // ms, of the entry
  double made_at = 0;  // ms, of the action itself
  std::string author;  // the user who pushed it
  friend bool operator==(const StreamAction&, const StreamAction&) = default;
};

// The actions that an entry at `revision` appends to each stream of a realm, with their places.
// `ops`: of the whole update; `skipped`: the places, ascending, of those among them that have had no effect.
// REQUIRES: every append is of one of `actions`.
Vector<std::pair<std::string, StreamAction>> AppendsOf(const Vector<Action>& actions,
                                                       const Vector<Op>& ops,
                                                       const Vector<uint64_t>& skipped,
                                                       std::string_view realm, uint64_t revision,
                                                       double at, std::string_view author);

//   actions = varint *action
//   action  = revision:varint position:varint id name:text arg:text at:f64le madeAt:f64le author:text
void PutActions(const Vector<StreamAction>& actions, BodyWriter* out);
Vector<StreamAction> TakeActions(BodyReader* in);

// As a body of its own: what a row of the store `actions` holds.
std::string EncodeActions(const Schema& schema, const Vector<StreamAction>& actions);
Result<Vector<StreamAction>> DecodeActions(const Schema& schema, std::string_view bytes);

// As JavaScript has it, and a file of an export.
struct ConfirmedAction {
  std::string id;
  std::string name;
  Data arg;
  double at = 0;
  double made_at = 0;
  std::string author;
  std::tuple<uint64_t, uint64_t> place;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("name", self.name);
    member("arg", self.arg);
    member("at", self.at);
    member("madeAt", self.made_at);
    member("author", self.author);
    member("place", self.place);
  }
};

// A list of ConfirmedAction.
Data ActionsToData(const Vector<StreamAction>& actions);

}  // namespace skerry

#endif  // SKERRY_LOG_STREAM_ACTION_H_
