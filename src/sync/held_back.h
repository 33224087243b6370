// HeldBack: which mutations wait because an earlier one is held (docs/design.md, "Grouping"): those
// that change an object of it, have a ref to one that it creates, or are in a realm that it founds;
// and in turn what waits for these.
#ifndef SKERRY_SYNC_HELD_BACK_H_
#define SKERRY_SYNC_HELD_BACK_H_

#include <string>
#include <utility>

#include "base/map.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

// What a mutation names.
struct NamedObjects {
  const Vector<std::string>& keys;  // ObjectTexts
  const Vector<std::string>& realms;
  const Vector<Op>* ops = nullptr;  // null: they cannot be read
};

// Mutations are passed in their order.
class HeldBack {
 public:
  explicit HeldBack(const Schema* schema) : schema_(schema) {}
  // The user of the database. A held mutation on the user's membership in a realm may found it.
  void OfUser(std::string user) { user_ = std::move(user); }

  // This mutation is held, or waits.
  void Hold(const NamedObjects& mutation);
  // Whether it waits for one that was passed to Hold.
  bool Waits(const NamedObjects& mutation) const;

 private:
  bool RefersToHeld(const Op& op) const;

  const Schema* schema_;
  std::string user_;
  Set<std::string> keys_;
  Set<std::string> realms_;
  Set<ObjectKey> created_;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_HELD_BACK_H_
