// The last owner on the device: a realm whose members the device sees is not left without an owner, which
// the server would refuse. The server has the last word: it knows who has accepted.
#ifndef SKERRY_CLIENT_OWNER_RULE_H_
#define SKERRY_CLIENT_OWNER_RULE_H_

#include "base/status.h"
#include "base/vector.h"
#include "client/view.h"
#include "log/op.h"

namespace skerry {

// Whether the ops have left a realm with members, and without an owner: kLastOwner. REQUIRES: the view
// shows the ops.
Status CheckOwnersAfter(const View& view, const Vector<Op>& ops);

}  // namespace skerry

#endif  // SKERRY_CLIENT_OWNER_RULE_H_
