// SetAside: what becomes of mutations when updates are undone or refused (DESIGN sections 6 and
// 10). Fed pages of the store `mutations` in key order, inside one transaction: members of undone
// updates become ungrouped; culprits, and later ungrouped mutations on the same objects, go to the
// conflict inbox; `known` and `alone` marks are set.
#ifndef SKERRY_SYNC_SET_ASIDE_H_
#define SKERRY_SYNC_SET_ASIDE_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/data.h"
#include "model/schema.h"

namespace skerry {

struct Refusal {
  std::string reason = "rejected";
  std::string code;
  std::string detail;
  Data theirs;  // as far as the answer told
};

class SetAside {
 public:
  SetAside(const Schema* schema, double now) : schema_(schema), now_(now) {}

  // What is to happen, before the first page.
  void Undo(
      const Data& update);  // an outbox record that was taken out: its members become ungrouped
  void Refuse(const std::string& mutation, Refusal refusal) {
    culprits_.emplace(mutation, std::move(refusal));
  }
  void Know(const std::string& mutation, Data revisions) {
    known_.emplace(mutation, std::move(revisions));
  }
  void Alone(const std::string& mutation) { alone_.insert(mutation); }
  // Every ungrouped mutation that touches the realm goes to the inbox with this refusal.
  void RefuseRealm(const std::string& realm, Refusal refusal) {
    realms_.emplace(realm, std::move(refusal));
  }

  bool empty() const {
    return undone_.empty() && culprits_.empty() && known_.empty() && alone_.empty() &&
           realms_.empty();
  }
  void Add(const Data& mutations_range, Data::Array* writes);

  const Data& refused() const { return refused_; }  // [{id, key, code}..]
  double highest_refused_key() const { return highest_; }
  const Data& known() const { return now_known_; }  // [{id, key, realms}..]
  bool refused_any() const { return !refused_.items().empty(); }
  const std::set<std::string>& undone() const { return undone_; }

 private:
  void AddOne(const Data& key, Data record, Data::Array* writes);
  const Refusal* WhyRefused(const Data& record, Refusal* dependant) const;
  Data InboxRecord(const Data& record, const Refusal& why) const;

  const Schema* schema_;
  double now_;
  std::set<std::string> undone_;  // update ids
  std::map<std::string, Refusal> culprits_;
  std::map<std::string, Refusal> realms_;
  std::map<std::string, Data> known_;
  std::set<std::string> alone_;
  std::map<std::string, std::string> bad_keys_;  // object -> the refused mutation that touched it
  Data refused_ = Data::MakeArray();
  Data now_known_ = Data::MakeArray();
  double highest_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SET_ASIDE_H_
