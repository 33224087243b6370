#include <algorithm>

#include "base/vector.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::test::naive {

Names RealmsOf(const Vector<Op>& ops) {
  Names realms;
  for (const Op& op : ops) {
    realms.insert(op.realm);
    if (op.op == "move") realms.insert(op.to);
  }
  return realms;
}

Vector<Op> FoldOps(const Vector<Op>& ops) {
  Vector<Op> folded;
  for (const Op& op : ops) {
    Op* last = nullptr;
    for (Op& other : folded) {
      if (other.key == op.key) last = &other;
    }
    const bool sets = last && (last->op == "create" || last->op == "update");
    if (!last || last->realm != op.realm || last->by != op.by) {
      folded.push_back(op);
      continue;
    }
    if (op.op == "update" && sets) {
      for (const auto& [prop, value] : op.set) last->set[prop] = value;
    } else if (op.op == "inc" && last->op == "inc") {
      for (const auto& [prop, by] : op.add) last->add[prop] += by;
    } else if (op.op == "delete" && (last->op == "update" || last->op == "inc")) {
      last->op = "delete";
      last->set.clear();
      last->add.clear();
    } else {
      folded.push_back(op);
    }
  }
  return folded;
}

Client::Client(std::string client_name, Names realms, Scope wanted, Breaks broken)
    : name(std::move(client_name)), id(name), scope(std::move(wanted)), broken_(std::move(broken)) {
  for (const std::string& realm : realms) {
    base[realm] = {};
    cursors[realm] = 0;
  }
}

Names Client::Have() const {
  Names have;
  for (const Sent& sent : outbox) have.insert(sent.update.id);
  return have;
}

std::string Client::Mutate(Vector<Op> ops, uint64_t* serial) {
  Mutation mutation;
  mutation.key = ++next_key_;
  mutation.action = "a" + std::to_string(++*serial);
  for (Op& op : ops) op.by = {mutation.action};
  mutation.ops = std::move(ops);
  keys[mutation.action] = mutation.key;
  mutations.push_back(mutation);
  return mutation.action;
}

void Client::Group(size_t most, uint64_t* serial) {
  Vector<Mutation*> ready;
  size_t seen = 0;
  for (Mutation& mutation : mutations) {
    if (!mutation.update.empty() || !mutation.known.empty()) continue;
    if (seen++ == most) break;
    const Names realms = RealmsOf(mutation.ops);
    if (!ready.empty() && (realms.size() > 1 || realms != RealmsOf(ready[0]->ops))) break;
    ready.push_back(&mutation);
  }
  if (ready.empty() || outbox.size() > 3) return;
  Sent sent;
  sent.update.id = "u" + std::to_string(++*serial);
  sent.update.client = id;
  Vector<Op> ops;
  for (Mutation* mutation : ready) {
    ops.insert(ops.end(), mutation->ops.begin(), mutation->ops.end());
    sent.update.actions.push_back(mutation->action);
    mutation->update = sent.update.id;
  }
  sent.update.ops = FoldOps(ops);
  for (const std::string& realm : RealmsOf(ops)) {
    Link& link = chain_[realm];
    sent.update.after[realm] = link;
    link = {link.seq + 1, sent.update.id};
  }
  outbox.push_back(std::move(sent));
}

Vector<Update> Client::ToSend() {
  Vector<Update> updates;
  for (Sent& sent : outbox) {
    if (sent.state == "new") sent.state = "sent";
    if (sent.state == "sent") updates.push_back(sent.update);
  }
  return updates;
}

// Ungroups an update and, transitively, all that follow it in any realm under the same identity.
void Client::Ungroup(size_t index, const Names& culprits,
                     const std::map<std::string, std::map<std::string, uint64_t>>& known) {
  Names gone, realms;
  const Update first = outbox[index].update;
  for (size_t i = index; i < outbox.size(); ++i) {
    const Update& update = outbox[i].update;
    bool follows = i == index;
    for (const auto& [realm, link] : update.after) {
      follows = follows || (update.client == first.client && realms.contains(realm));
    }
    if (!follows) continue;
    for (const auto& [realm, link] : update.after) {
      // A chain belongs to one identity.
      if (realms.insert(realm).second && update.client == id) chain_[realm] = link;
    }
    gone.insert(update.id);
  }
  erase_if(outbox, [&](const Sent& sent) { return gone.contains(sent.update.id); });
  for (Mutation& mutation : mutations) {
    if (gone.contains(mutation.update)) mutation.update.clear();
    if (const auto found = known.find(mutation.action); found != known.end())
      mutation.known = found->second;
  }
  erase_if(mutations, [&](const Mutation& mutation) {
    if (culprits.contains(mutation.action)) inbox.insert(mutation.action);
    return culprits.contains(mutation.action);
  });
}

void Client::Answered(const std::string& update, const Result& result, const Server& server,
                      uint64_t* serial) {
  const auto found = std::find_if(outbox.begin(), outbox.end(),
                                  [&](const Sent& s) { return s.update.id == update; });
  if (found == outbox.end() || found->state == "received") return;  // no other answer counts
  const auto index = static_cast<size_t>(found - outbox.begin());
  if (result.status == "applied" || result.status == "duplicate") {
    found->state = "received";
    if (!broken_.contains(Break::kConfirmOnAnswer)) return;
    for (const Op& op : found->update.ops) FoldOp(op, 0, 0, true, &base[op.realm]);
    erase_if(mutations, [&](const Mutation& mutation) { return mutation.update == update; });
    outbox.erase(found);
  } else if (result.status == "rejected") {
    Names culprits;
    for (const size_t op : result.bad)
      culprits.insert(found->update.ops[op].by.begin(), found->update.ops[op].by.end());
    if (result.bad.empty() && result.known.empty())
      culprits.insert(found->update.actions.begin(), found->update.actions.end());
    std::map<std::string, std::map<std::string, uint64_t>> known;
    for (const std::string& action : result.known) {
      for (const auto& [realm, rows] : base) {
        for (uint64_t revision = 1; revision <= server.head(realm); ++revision) {
          const Vector<std::string>& actions = server.log(realm)[revision - 1].actions;
          if (std::find(actions.begin(), actions.end(), action) != actions.end())
            known[action][realm] = revision;
        }
      }
    }
    Ungroup(index, culprits, known);
  } else if (result.status == "forked") {
    Ungroup(index, {}, {});
    id = name + "'" + std::to_string(++*serial);
    chain_.clear();
  }
}

void Client::FoldOwn(const Answer& answer) {
  for (auto& [realm, rows] : base) {
    std::map<uint64_t, std::pair<double, Sent*>> in_order;
    for (Sent& sent : outbox) {
      const auto own = answer.own.find(sent.update.id);
      if (own == answer.own.end() || !own->second.contains(realm)) continue;
      const Logged place = own->second.at(realm);
      in_order[place.revision] = {place.at, &sent};
    }
    for (auto& [revision, item] : in_order) {
      Sent& sent = *item.second;
      sent.confirmed.insert(realm);
      const bool folded =
          answer.have.contains(sent.update.id) || broken_.contains(Break::kFoldAllOwn);
      if (revision <= answer.from.at(realm) || !folded || broken_.contains(Break::kNoOwnInBase))
        continue;
      for (const Op& op : sent.update.ops) {
        if (op.realm == realm) FoldOp(op, item.first, revision, true, &rows);
      }
    }
  }
}

void Client::ApplyChanges(const Answer& answer) {
  for (const auto& [realm, changes] : answer.changes) {
    Rows& rows = base[broken_.contains(Break::kOneBaseForAll) ? base.begin()->first : realm];
    for (const auto& [key, row] : changes) {
      if (row) {
        rows[key] = *row;
      } else {
        rows.erase(key);
      }
    }
  }
}

// A page replaces its whole range of keys. Until then, rows of a scope that is filled again stay.
void Client::ApplyPage(const Answer& answer) {
  if (answer.is_refill && !broken_.contains(Break::kRefillForgotten)) {
    filled.clear();
    whole = false;
  }
  if (!answer.has_page) return;
  for (auto& [realm, rows] : base) {
    erase_if(rows, [&](const auto& item) {
      const bool in_range =
          item.first > answer.was_filled && (answer.whole || item.first <= answer.filled);
      return in_range && !broken_.contains(Break::kPageAddsOnly);
    });
  }
  for (const auto& [realm, rows] : answer.page) {
    for (const auto& [key, row] : rows) base[realm][key] = row;
  }
  filled = answer.filled;
  whole = answer.whole;
}

void Client::Confirm(const Answer& answer) {
  cursors = answer.cursors;
  Names done;
  for (const Sent& sent : outbox) {
    const auto& after = sent.update.after;
    const bool confirmed = std::all_of(after.begin(), after.end(), [&](const auto& item) {
      return sent.confirmed.contains(item.first);
    });
    if (confirmed) done.insert(sent.update.id);
  }
  erase_if(outbox, [&](const Sent& sent) { return done.contains(sent.update.id); });
  erase_if(mutations, [&](const Mutation& mutation) {
    const auto& known = mutation.known;
    const bool reached = std::all_of(known.begin(), known.end(), [&](const auto& item) {
      return cursors[item.first] >= item.second;
    });
    return done.contains(mutation.update) || (!known.empty() && reached);
  });
}

void Client::Pulled(const Answer& answer) {
  if (answer.from != cursors || answer.was_filled != filled || answer.was_whole != whole)
    return;  // another tab was faster
  const Names have = Have();
  for (const auto& [update, places] : answer.own) {
    // Happens only after a fork that ungroups too much.
    if (answer.have.contains(update) && !have.contains(update)) return;
  }
  FoldOwn(answer);
  ApplyChanges(answer);
  ApplyPage(answer);
  Confirm(answer);
}

Rows Client::Visible() const {
  Rows visible;
  for (const auto& [realm, rows] : base) {
    for (const auto& [key, row] : rows) {
      const auto found = visible.find(key);
      // In the middle of a move, the later modified row shows.
      if (found == visible.end() || found->second.modified < row.modified) visible[key] = row;
    }
  }
  for (const Mutation& mutation : mutations) {
    Names confirmed;
    for (const Sent& sent : outbox) {
      if (sent.update.id == mutation.update) confirmed = sent.confirmed;
    }
    for (const Op& op : mutation.ops) {
      if (!confirmed.contains(op.realm)) FoldOp(op, 1e15, 0, false, &visible);
    }
  }
  return visible;
}

}  // namespace skerry::test::naive
