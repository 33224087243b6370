// What the user's own role forbids in a realm, as far as memberships are known here.
#ifndef SKERRY_CLIENT_MEMBER_RIGHTS_H_
#define SKERRY_CLIENT_MEMBER_RIGHTS_H_

#include <optional>
#include <string>

#include "base/map.h"
#include "base/status.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/op.h"
#include "model/members.h"

namespace skerry {

// A role counts as it is at the first op in its realm, so that what a transaction does to it does not
// matter: use one object for each transaction. The view outlives it.
class MemberRights {
 public:
  MemberRights(const View* view, std::optional<std::string> user)
      : view_(view), user_(std::move(user)) {}

  // Refuses only what a membership forbids, and what a frozen realm does: a realm may be open to the
  // user in ways that are not known here.
  Status Check(const Op& op);
  // The same for all ops of what was made without a transaction. Refuses only with kReadOnly: what
  // else is wrong with an op, the server says. The detail names the realms of the op.
  Status CheckReadOnly(const Vector<Op>& ops);
  // Whether rows of this realm may be changed.
  bool MayWrite(const std::string& realm);
  // Begins again with the present roles.
  void Reset() { roles_.clear(); }

 private:
  std::optional<MemberRole> RoleIn(const std::string& realm);

  const View* view_;
  const std::optional<std::string> user_;
  Map<std::string, std::optional<MemberRole>> roles_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_MEMBER_RIGHTS_H_
