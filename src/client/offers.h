// Offers: what a client gives back to a server that was restored from a backup (docs/design.md,
// "Another history"). Base is kept, and offered in portions, before a pull replaces it.
#ifndef SKERRY_CLIENT_OFFERS_H_
#define SKERRY_CLIENT_OFFERS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/id.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/lost_appends.h"
#include "client/lost_changes.h"
#include "client/view.h"
#include "log/op.h"

namespace skerry {

// One request has no more.
inline constexpr size_t kMaxOffersAtOnce = 500;
inline constexpr size_t kMaxOfferedBytes = 512 << 10;

struct OfferedRealm {
  std::string realm;
  std::optional<std::string> user;  // of the database
  double at = 0;                    // the estimated time of the server
};

// Whether the user was an owner of the realm when the server lost it. What is pending does not
// count: who wants to leave leaves once the realm is there.
bool IsOwnRealm(const View& view, const OfferedRealm& offered);

// An owner founds the realm again, by the membership that the server had, and gives back the other
// members; a realm that exists stays as it is by that.
Mutation MakeFounding(const View& view, const OfferedRealm& offered, UuidGenerator* ids);

// A row that this client has deleted, at this revision and time of the realm.
struct OwnDelete {
  std::string action;
  ObjectKey key;
  uint64_t revision = 0;
  double at = 0;
};

// `own`: all of the store `own`.
Vector<OwnDelete> OwnDeletes(const Schema& schema, const Data& own, const std::string& realm);

// The rows of one realm, as base has them: those that were changed in the history that is lost, each
// after those that its refs name, because the server deletes a row whose parent is missing; then
// what this client has deleted in it, and appended to its streams. First it asks from which revision on that is.
class Offering {
 public:
  struct Request {
    std::string path;
    std::string body;
  };
  // What this client has changed in the realm, and base does not have.
  struct Own {
    Vector<OwnDelete> deletes;
    Vector<OwnAppend> appends;
  };

  Offering(const Schema* schema, const View* view)
      : schema_(schema), view_(view), appends_(schema) {}

  bool active() const { return !realm_.empty(); }
  const std::string& realm() const { return realm_; }
  // `cursor`: how far the client knew the history that is lost. `client`: its identity.
  void Begin(std::string realm, std::string cursor, std::string client, Own own);
  void Stop() { realm_.clear(); }
  // The next request: a wire::OfferRequest, or a push of what was appended. `now`: the estimated time of the server.
  // REQUIRES: active().
  Request Ask(UuidGenerator* ids, double now);
  // Takes its answer. Returns whether there is more to ask.
  bool Take(const Data& answer);

  // What the server has not taken, of what was offered.
  const NotTaken& not_taken() const { return not_taken_; }

 private:
  bool has_rows() const { return !is_asked_ || checks_ || next_ < offered_.size(); }
  std::string AskRows();
  void TakeRows(const Data& answer);
  void FindRows(uint64_t common);
  void AddAfterParents(const ObjectKey& first, uint64_t common, Set<ObjectKey>* seen);

  struct Offered {
    ObjectKey key;
    const OwnDelete* deleted = nullptr;  // of deletes_; null: it is a row
  };

  const Schema* schema_;
  const View* view_;
  std::string realm_;  // empty: nothing is offered
  std::string cursor_;
  std::string client_;
  bool is_asked_ = false;  // from which revision on
  Vector<OwnDelete> deletes_;
  Vector<Offered> offered_;
  size_t next_ = 0;   // the first that was not offered
  size_t asked_ = 0;  // how many the last request has
  // Entries that the log has, if the server was not restored since it took what it has been given; and whether to ask
  // for them, because a push does not.
  Vector<std::string> given_;
  bool checks_ = false;
  LostAppends appends_;
  NotTaken not_taken_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_OFFERS_H_
