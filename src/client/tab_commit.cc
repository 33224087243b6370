// Group commits: what of this window's mutations goes into storage, and when (docs/window.md,
// section 3).
#include <algorithm>
#include <utility>

#include "base/fields.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"
#include "client/effect.h"
#include "client/mutation_record.h"
#include "client/tab.h"
#include "log/codec.h"
#include "log/fold.h"
#include "log/steps_writer.h"

namespace skerry {
namespace {

// Often enough for a worker that makes images.
constexpr double kLoggedMs = 200;

// A large body is not sent to every window: those that want it read the record.
Data RecordMessage(Data record) {
  if (record["body"].as_bytes().size() > kMaxBroadcastBytes) record.Set("body", nullptr);
  return Fields{{"type", "record"}, {"record", std::move(record)}};
}

}  // namespace

void Tab::Commit(std::unique_ptr<Pending> pending, Data* effects) {
  Mutation& mutation = pending->mutation;
  for (String& realm : RealmsOf(mutation.ops)) {
    const uint64_t revision = mirror_.CursorRevision(realm);
    mutation.base.emplace_back(std::move(realm), revision);
  }
  promises_.Track(mutation.action.id);
  mirror_.AddOwn(std::move(pending));
  if (frozen_) return Keep(effects);
  TryCommit(effects);
}

void Tab::TryCommit(Data* effects) {
  if (!ready_ || frozen_ || committing_ || commit_timer_) return;
  if (mirror_.pending().unkeyed_count() == 0) return;
  committing_ = true;
  Tx tx;
  if (leaving_) TellLeft(effects);
  if (!options_.remote) {
    tx.kind = Kind::kLocalCommit;
    tx.careful = careful_;
    Data reads = Data::MakeArray();
    reads.Push(GetRead("sync", "sync"));
    Transact(std::move(tx), {"sync", "updates", "mutations", "outbox"}, std::move(reads), true,
             effects);
    return;
  }
  tx.kind = Kind::kCommit;
  tx.careful = careful_;
  if (careful_) {
    Transact(std::move(tx), {"sync", "updates", "mutations", "outbox"}, FullReads(mirror_.n()),
             true, effects);
  } else {
    Transact(std::move(tx), {"mutations"}, Data::MakeArray(), true, effects);
  }
}

void Tab::WriteGroup(Tx* tx, Data* writes) {
  Set<std::string_view> stored;
  if (tx->careful) {
    const Reading reading = ReadingOf(*tx);
    for (const Data& item : reading.mutations->items())
      stored.insert(item["value"]["id"].as_string());
    for (const Data& item : reading.updates->items()) {
      for (const char* list : {"confirmed", "refused"}) {
        for (const Data& named : item["value"][list].items())
          stored.insert(named["id"].as_string());
      }
    }
  }
  tx->items = Data::MakeArray();
  const size_t most = failed_size_ > 0 ? failed_size_ : kMaxGroup;
  size_t seen = 0;
  size_t bytes = 0;
  for (const Pending* pending : mirror_.pending().Unkeyed()) {
    if (seen++ == most || bytes > kMaxGroupBytes) break;
    const String& id = pending->mutation.action.id;
    if (stored.contains(id)) continue;
    Data record = MutationRecord(*schema_, pending->mutation);
    bytes += record["body"].as_bytes().size();
    tx->ids.push_back(id);
    tx->items.Push(Fields{{"id", id}, {"record", record}});
    writes->Push(Fields{{"store", "mutations"}, {"add", std::move(record)}});
  }
}

void Tab::Recovered(const Tx& tx, Data* effects) {
  if (failures_ > 0) {
    effects->Push(Fields{{"type", "notify"}, {"kind", "storageRecovered"}});
  }
  failures_ = 0;
  quota_failures_ = 0;
  failed_size_ = 0;
  // One from before a freeze says nothing of what was kept in it.
  if (tx.careful) careful_ = false;
}

void Tab::FinishCommit(Tx* tx, const Data& keys, Data* effects) {
  committing_ = false;
  Recovered(*tx, effects);
  if (tx->careful) {
    const Reading reading = ReadingOf(*tx);
    TakeSync(*reading.sync, effects);
    mirror_.FindStored(*reading.mutations);
    if (load_ == Load::kNone) {
      const Fit fit = mirror_.Take(reading, false);
      if (fit == Fit::kGap || fit == Fit::kDamaged) {
        StartLoading(effects);
      } else {
        OnFit(fit, effects);
      }
    }
  }
  Data added = Data::MakeArray();
  for (size_t i = 0; i < tx->ids.size() && i < keys.items().size(); ++i) {
    if (!mirror_.Completed(tx->ids[i], keys.items()[i].as_u64())) continue;
    Data& item = tx->items.mutable_items()[i];
    item.Set("key", keys.items()[i]);
    added.Push(std::move(item));
  }
  TellAdded(std::move(added), effects);
  TryCommit(effects);
}

void Tab::TellAdded(Data items, Data* effects) {
  if (items.items().empty()) return;
  effects->Push(BroadcastEffect(
      Fields{{"type", "added"}, {"tab", options_.tab}, {"items", std::move(items)}}));
  effects->Push(PostEffect(Fields{{"type", "mutated"}}));
}

// What is being stored now, or may have been, will not be told of by this window any more: the
// others look for it.
void Tab::TellLeft(Data* effects) {
  if (!frozen_ && MayBeStoring()) TellStored(effects);
}

bool Tab::MayBeStoring() const {
  return committing_ || (careful_ && mirror_.pending().unkeyed_count() > 0);
}

void Tab::TellStored(Data* effects) {
  effects->Push(BroadcastEffect(Fields{{"type", "left"}}));
  if (options_.remote) effects->Push(PostEffect(Fields{{"type", "mutated"}}));
}

// What was written by the time of the freeze is on its way, whether or not its outcome is heard.
// After a failure it is not known what is stored, and the order among mutations counts: then all
// wait.
void Tab::Freeze(bool ends, Data* effects) {
  ends_ = ends;
  if (frozen_) return;
  frozen_ = true;
  keeps_ = ready_ && !careful_;
  leaves_ = MayBeStoring();
  for (const auto& [id, tx] : open_) {
    const bool commits = tx.kind == Kind::kCommit || tx.kind == Kind::kLocalCommit;
    if (commits && tx.was_read) kept_.insert(tx.ids.begin(), tx.ids.end());
  }
  Keep(effects);
}

void Tab::Keep(Data* effects) {
  if (!keeps_) return;
  Data records = Data::MakeArray();
  for (const Pending* pending : mirror_.pending().Unkeyed()) {
    if (!kept_.insert(pending->mutation.action.id).second) continue;
    records.Push(MutationRecord(*schema_, pending->mutation));
  }
  if (records.items().empty()) return;
  has_kept_ = true;
  effects->Push(Fields{{"type", "keep"}, {"records", std::move(records)}});
}

// Nothing more can be kept. An engine drops a page that has been put aside, and what it is storing,
// where another window would have to wait for it (Chromium): so the others are to look a while
// later.
void Tab::StandStill(Data* effects) {
  keeps_ = false;
  if (has_kept_ && !ends_) {
    effects->Push(BroadcastEffect(Fields{{"type", "kept"}}));
  } else if (has_kept_ || leaves_) {
    TellStored(effects);
  }
  has_kept_ = leaves_ = false;
}

// Whether nobody wrote since this window last heard of it.
bool Tab::FollowsOwn(const Data& sync) const {
  return sync["n"].as_u64() == mirror_.n() && load_ == Load::kNone;
}

// Those that a frozen page has kept, here or in another window, leave the store as they are logged:
// `{id, key}` of all that is pending.
Data Tab::ConfirmAll(Tx* tx, Data* sync, Data* writes) {
  Map<std::string_view, uint64_t> stored;
  if (tx->careful) {
    for (const Data& item : ReadingOf(*tx).mutations->items())
      stored[item["value"]["id"].as_string()] = item["key"].as_u64();
  }
  Data confirmed = Data::MakeArray();
  double gone = (*sync)["goneUpTo"].as_number();
  for (const Pending* pending : mirror_.pending().InOrder()) {
    const String& id = pending->mutation.action.id;
    const auto found = stored.find(id);
    const uint64_t key = found == stored.end() ? pending->key : found->second;
    tx->ids.push_back(id);
    confirmed.Push(Fields{{"id", id}, {"key", key}});
    if (key == 0) continue;
    writes->Push(Fields{{"store", "mutations"}, {"delete", key}});
    gone = std::max(gone, static_cast<double>(key));
  }
  if (gone > 0) sync->Set("goneUpTo", gone);
  return confirmed;
}

// Without a remote the window is the authority: it logs what its mutations do to base, effects on
// other objects included.
void Tab::WriteLocal(Tx* tx, Data* writes) {
  const Data& stored = tx->results.items()[0];
  if (!FollowsOwn(stored)) return;
  Data sync = stored.is_object() ? stored : Data::MakeObject();
  const uint64_t n = mirror_.n() + 1;
  const Data confirmed = ConfirmAll(tx, &sync, writes);
  // The sync worker completes a new one.
  if (sync["v"].is_null()) sync.Set("v", 1);
  Data cursors = Data::MakeObject();
  for (const auto& [realm, cursor] : mirror_.cursors()) cursors.Set(realm, cursor);
  cursors.Set("local", ToText(n) + "@" + ToText(static_cast<int64_t>(now_)));
  StepsWriter steps(*schema_);
  view_->WriteDiff(n, &steps);
  String body = steps.Seal();
  sync.Set("recordBytes", sync["recordBytes"].as_u64() + body.size());
  tx->record = Fields{{"v", 1},
                      {"n", n},
                      {"kind", "local"},
                      {"confirmed", confirmed},
                      {"refused", Data::MakeArray()},
                      {"partly", Data::MakeArray()},
                      {"cursors", cursors},
                      {"body", Data::Bytes(std::move(body))}};
  sync.Set("n", n);
  sync.Set("cursors", std::move(cursors));
  tx->items = Fields{{"type", "logged"},
                     {"n", n},
                     {"cursors", sync["cursors"]},
                     {"recordBytes", sync["recordBytes"]}};
  writes->Push(PutWrite("updates", tx->record, n));
  writes->Push(PutWrite("sync", std::move(sync), "sync"));
}

void Tab::FinishLocal(Tx* tx, Data* effects) {
  committing_ = false;
  Recovered(*tx, effects);
  if (tx->record.is_object()) {
    // Nothing but this window's own writes can have come since: messages wait meanwhile.
    if (mirror_.pending().size() == tx->ids.size() && FollowsOwn(tx->results.items()[0])) {
      mirror_.OwnRecord(tx->record);
    } else {
      OnFit(mirror_.Record(tx->record), effects);
    }
    effects->Push(BroadcastEffect(RecordMessage(std::move(tx->record))));
    // Workers hear of several at once.
    if (logged_.is_null()) effects->Push(TimerEffect("logged", kLoggedMs));
    logged_ = std::move(tx->items);
  } else if (load_ == Load::kNone) {
    // Another window was first. What it wrote is applied, then this one tries again.
    const Fit fit = mirror_.Take(ReadingOf(*tx), true);
    if (fit == Fit::kGap) return StartLoading(effects);
    OnFit(fit, effects);
  } else {
    return;  // loading goes on, and commits when it is through
  }
  TryCommit(effects);
}

void Tab::FailCommit(const Tx& tx, const Data& error, Data* effects) {
  committing_ = false;
  careful_ = true;
  ++failures_;
  if (tx.was_read) failed_size_ = std::max<size_t>(tx.ids.size(), 1);
  if (frozen_) return;
  effects->Push(Fields{{"type", "notify"}, {"kind", "storageFailed"}, {"error", error}});
  const bool quota = error["name"].as_string().find("Quota") != String::npos;
  quota_failures_ = quota ? quota_failures_ + 1 : 0;
  if (quota_failures_ >= kMaxQuotaFailures && tx.was_read) {
    Withdraw(tx.ids, "quota", error["message"].as_string(), effects);
    quota_failures_ = 0;
    failed_size_ = 0;
  }
  double delay_ms = kFirstRetryMs;
  for (int i = 1; i < failures_ && delay_ms < kLastRetryMs; ++i) delay_ms *= 2;
  commit_timer_ = true;
  effects->Push(TimerEffect("commit", std::min(delay_ms, kLastRetryMs)));
}

// Later mutations that build on a withdrawn one go with it: they name the same objects, or refer to
// one that it made.
void Tab::Withdraw(const Vector<String>& ids, std::string_view code, std::string_view detail,
                   Data* effects) {
  const Set<String> failed(ids.begin(), ids.end());
  Set<ObjectKey> objects;
  for (const Pending* pending : mirror_.pending().Unkeyed()) {
    const Mutation& mutation = pending->mutation;
    bool depends = failed.contains(mutation.action.id);
    for (const Op& op : mutation.ops) {
      depends = depends || objects.contains({op.table, op.id});
      for (const PropValue& set : op.set) {
        const PropDef& prop = schema_->table(op.table).props[set.prop];
        depends = depends || (prop.type == PropType::kRef &&
                              objects.contains({prop.ref_table, set.value.text()}));
      }
    }
    if (!depends) continue;
    for (const Op& op : mutation.ops) objects.insert({op.table, op.id});
    const String id = mutation.action.id;
    mirror_.Remove(id);
    promises_.Withdrawn(id, code, detail, effects);
  }
  view_->Derive();
}

}  // namespace skerry
