// What clients give back to a restored server (docs/design.md, "Another history").
#include <algorithm>
#include <optional>

#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {
// The changes of an object above a revision, each with the state before it: those by others, and the time
// of the last offer among them.
Server::Since Server::ChangesSince(const std::string& realm, const Key& key,
                                   uint64_t common) const {
  Since since;
  std::optional<bool> was_others;  // of the last change
  for (uint64_t revision = common + 1; revision <= head(realm); ++revision) {
    const std::optional<Row> before = FindRow(states_.at(realm)[revision - 1], key);
    const std::optional<Row> after = FindRow(states_.at(realm)[revision], key);
    const auto taken = offered_.find({realm, revision});
    const bool is_offer = taken != offered_.end() && taken->second.contains(key);
    if (is_offer) since.last = std::max(since.last, taken->second.at(key));
    if (before.has_value() == after.has_value() && (!before || before->props == after->props))
      continue;
    // What the change before it has led to is the state before this one.
    if (was_others == true) since.others.back().second = before;
    if (!is_offer) since.others.emplace_back(before, after);
    was_others = !is_offer;
  }
  if (was_others == true) since.others.back().second = FindRow(rows_.at(realm), key);
  return since;
}

// What of the offer the object takes; none: nothing.
std::optional<Op> Server::Merged(const std::string& realm, const Offer& offer,
                                 uint64_t common) const {
  const Since since = ChangesSince(realm, offer.key, common);
  const std::optional<Row> now = FindRow(rows_.at(realm), offer.key);
  if (offer.at < since.last || (!now && moved_.contains({realm, offer.key}))) return std::nullopt;
  Op op{now ? "update" : "create", offer.key, realm, "", {}, {}, {"offer"}};
  if (offer.deletes) {
    if (!now || !since.others.empty() || offer.at == since.last) return std::nullopt;
    op.op = "delete";
    return op;
  }
  if (!now && (!since.others.empty() || offer.at == since.last)) return std::nullopt;
  for (const auto& [before, after] : since.others) {
    if (!before || !after) return std::nullopt;
  }
  for (const auto& [prop, value] : offer.set) {
    const auto in = [&prop = prop](const Row& row) {
      const auto found = row.props.find(prop);
      return found == row.props.end() ? Data() : found->second;
    };
    const bool by_others =
        std::any_of(since.others.begin(), since.others.end(),
                    [&](const auto& change) { return !(in(*change.first) == in(*change.second)); });
    if (now && (by_others || in(*now) == value)) continue;
    if (now && offer.at == since.last && !in(*now).is_null()) continue;
    if (now || !value.is_null()) op.set[prop] = value;
  }
  if (now && op.set.empty()) return std::nullopt;
  return op;
}

size_t Server::TakeBack(const std::string& realm, uint64_t common, const Vector<Offer>& offers,
                        double at, const Rights& rights, const std::string& user) {
  std::map<Key, double> taken, gone;
  for (const Offer& offer : offers) {
    const std::optional<Op> op = Merged(realm, offer, common);
    if (!op) {
      if (IsGone(realm, offer, common)) gone[offer.key] = offer.at;
      continue;
    }
    const AllRows rows = rows_;
    const auto moved = moved_;
    const auto left = left_;
    const Update update{"offer", "offer", {{realm, {}}}, {"offer"}, {*op}};
    Result result;
    const bool is_sound = Step(update, {0}, at, rights, user, {}, &result);
    // It may have followed its parent to another realm.
    const bool is_there = std::any_of(rows_.begin(), rows_.end(), [&](const auto& item) {
      return item.second.contains(offer.key);
    });
    if (is_sound && (is_there || offer.deletes)) {
      taken[offer.key] = offer.at;
      continue;
    }
    rows_ = rows;
    moved_ = moved;
    left_ = left;
  }
  const uint64_t last = head(realm);
  LogForeign(at);
  if (head(realm) == last && !gone.empty()) {
    log_[realm].push_back({at, "foreign", {}, {}, {}, false});
    states_[realm].push_back(rows_[realm]);
  }
  const size_t count = taken.size();
  taken.merge(gone);
  if (count > 0) given_back_[realm] = at;
  if (head(realm) > last) offered_[{realm, head(realm)}] = taken;
  origins_.clear();
  return count;
}

// Whether an increment may be in what was given back.
bool Server::MayCountTwice(const Update& update) const {
  return std::any_of(update.ops.begin(), update.ops.end(), [&](const Op& op) {
    const auto given = given_back_.find(op.realm);
    if (op.add.empty() || given == given_back_.end()) return false;
    if (update.sent && *update.sent < given->second) return true;
    return std::any_of(op.by.begin(), op.by.end(), [&](const std::string& action) {
      if (update.again.contains(action)) return true;
      return update.replayed.contains(action) && update.made.at(action) <= given->second;
    });
  });
}

// Whether it is a delete of an object that is not there, and was not while others changed it.
bool Server::IsGone(const std::string& realm, const Offer& offer, uint64_t common) const {
  const Since since = ChangesSince(realm, offer.key, common);
  const bool is_there = FindRow(rows_.at(realm), offer.key).has_value();
  return offer.deletes && !is_there && since.others.empty() && offer.at > since.last &&
         !moved_.contains({realm, offer.key});
}

}  // namespace skerry::test::naive
