// Offers: the mutations by which a client gives back the rows of a realm that the server has lost
// (docs/design.md, "Signed realms").
#ifndef SKERRY_CLIENT_OFFERS_H_
#define SKERRY_CLIENT_OFFERS_H_

#include <optional>
#include <string>

#include "base/id.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/op.h"

namespace skerry {

// The mutations are limited in size, so that several of them fit into one update.
inline constexpr size_t kMaxOffersPerMutation = 1'000;
inline constexpr size_t kMaxOfferedBytes = 512 << 10;

struct OfferedRealm {
  std::string realm;
  std::optional<std::string> user;  // of the database
  double at = 0;                    // the estimated time of the server
};

// Whether the user was an owner of the realm when the server lost it. What is pending does not
// count: who wants to leave leaves once the realm is there.
bool IsOwnRealm(const View& view, const OfferedRealm& offered);

// An owner founds the realm again first, by the membership that the server had, and gives back the
// other members; a realm that exists stays as it is by that. Then come the rows as they are shown,
// each after those that its refs name, because the server deletes a row whose parent is missing.
Vector<Mutation> MakeOffers(const View& view, const OfferedRealm& offered, UuidGenerator* ids);

}  // namespace skerry

#endif  // SKERRY_CLIENT_OFFERS_H_
