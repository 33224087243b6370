#include "test/core/model_check/production_server.h"

#include <algorithm>

#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/codec.h"
#include "sync/records.h"
#include "test/core/model_check/check_schema.h"
#include "test/core/model_check/stored_rows.h"

namespace skerry::test {
namespace {

// Ops of the log, without the actions that they come from.
Vector<Op> OpsOf(const Schema& schema, const Data& list) {
  Vector<Op> ops;
  for (Data item : list.items()) {
    item.Remove("by");
    ops.push_back(OpFromData(schema, item, 1).value());
  }
  return ops;
}

}  // namespace

ProductionServer::ProductionServer(const Schema* schema, const naive::Names& realms)
    : schema_(schema) {
  for (const std::string& realm : realms) {
    heads_[realm] = {};
    log_[realm] = {};
  }
}

// ---- push ----

Admission::Input ProductionServer::InputOf(const std::string& client, const Vector<Data>& updates,
                                           const Set<std::string>& locked, double now,
                                           const naive::Rights& may) const {
  Admission::Input input;
  input.now = now;
  Map<std::string, Right>& rights = input.rights.emplace_back();
  for (const auto& [realm, head] : heads_) {
    if (locked.contains(realm)) input.realms[realm] = {true, head.head, head.at};
    const naive::May right = naive::RightIn(may, realm);
    if (right == naive::May::kNothing) continue;
    rights[realm] = right == naive::May::kWrite ? Right::kWrite : Right::kRead;
  }
  input.actions = actions_;
  input.requests.push_back({client, "anna", updates});
  return input;
}

void ProductionServer::LoadChains(const std::string& client, Admission* admission) const {
  for (const auto& [key, row] : chains_) {
    if (key.second == client) admission->chains().Load(key.first, key.second, row);
  }
  for (const auto& [key, answer] : applied_) {
    if (key.first == client) admission->chains().LoadApplied(key.first, key.second, answer);
  }
}

Data::Array ProductionServer::Push(const std::string& client, const Vector<Data>& updates,
                                   double now, const naive::Rights& rights) {
  // Locks only the named realms, until the authority requests more.
  Set<std::string> locked;
  for (const Data& update : updates) {
    for (const auto& [realm, link] : update["after"].members()) locked.insert(realm);
  }
  for (;;) {
    Admission admission(schema_);
    LoadChains(client, &admission);
    REQUIRE(admission.Begin(InputOf(client, updates, locked, now, rights)).ok());
    Admission::Outcome outcome = admission.Run();
    for (int round = 0; outcome == Admission::Outcome::kNeeds; ++round) {
      REQUIRE(round < 300);
      LoadNeeded(rows_, admission.TakeNeeds(), &admission.rows());
      admission.rows().Settle();
      outcome = admission.Run();
    }
    if (outcome == Admission::Outcome::kDone) {
      Store(admission);
      return admission.results()[0];
    }
    for (const std::string& realm : admission.locks()) REQUIRE(locked.insert(realm).second);
  }
}

void ProductionServer::Store(const Admission& admission) {
  for (const WorkingSet::Final& final_row : admission.final_rows()) {
    // Like the server's SQL: overwrites a row only in a locked realm.
    const auto there = rows_.find(final_row.stored.key);
    REQUIRE((there == rows_.end() || admission.realms().contains(there->second.row.realm)));
    rows_[final_row.stored.key] = final_row.stored;
  }
  for (const LogEntry& entry : admission.entries()) {
    Entry stored;
    stored.pulled.revision = entry.revision;
    stored.pulled.at = admission.at();
    stored.pulled.client = entry.client;
    stored.pulled.update = entry.update;
    stored.pulled.is_declared = entry.is_declared;
    for (const auto& [realm, revision] : entry.spans.members())
      stored.pulled.spans.emplace_back(realm, revision.as_u64());
    stored.ops = OpsOf(*schema_, entry.ops);
    Vector<Entry>& log = log_[entry.realm];
    log.push_back(std::move(stored));
    REQUIRE(log.size() == entry.revision);
    if (entry.is_declared) applied_[{entry.client, entry.update}] = entry.answer;
  }
  for (const LogChange& change : admission.changes()) {
    changes_[{change.realm, change.key}].push_back({change.revision, change.before});
  }
  for (const LogAction& action : admission.new_actions()) actions_.push_back(action);
  for (const auto& [key, row] : admission.chains().rows()) chains_[key] = row;
  for (const auto& [realm, state] : admission.realms()) heads_[realm] = {state.head, state.head_at};
}

// ---- pull ----

PullAnswer ProductionServer::Pull(const Data& request, Reads reads, size_t page_rows, double now,
                                  const naive::Rights& rights) {
  PullInput input;
  input.client = request["client"].as_string();
  for (const auto& [realm, cursor] : request["cursors"].members()) {
    input.cursors[realm] = ParseCursor(cursor.as_string()).value();
  }
  for (const Data& id : request["have"].items()) input.have.insert(id.as_string());
  input.scopes = Scopes::Parse(*schema_, request["scopes"]).value();
  input.limit = request["limit"].as_u64();
  input.knows_refill = request["refill"].as_bool();
  Map<std::string, PullRealm> realms;
  for (const auto& [realm, head] : heads_) {
    if (naive::RightIn(rights, realm) != naive::May::kNothing)
      realms[realm] = {head.head, head.at, 0};
  }
  class Pull pull(schema_);
  pull.Begin(input, std::move(realms));
  for (int round = 0;; ++round) {
    REQUIRE(round < 5);
    Answer(input, pull.needs(), reads, page_rows, &pull);
    pull.Run();
    if (pull.needs().empty()) break;
  }
  return AnswerOf(input, pull.answer(), now);
}

void ProductionServer::Answer(const PullInput& request, const PullNeeds& needs, Reads reads,
                              size_t page_rows, class Pull* pull) const {
  const bool tells = reads < Reads::kNoChanges;
  const auto leave_out = [&](const std::string& realm, Set<TableIndex> tables) {
    pull->LoadUntold(realm, reads == Reads::kNoOps ? std::nullopt : std::optional(tables));
  };
  std::map<std::string, uint64_t> last;
  for (const PullNeeds::Entries& need : needs.entries) {
    uint64_t left = need.limit;
    if (reads != Reads::kAll && need.client.empty()) left = 2;  // one is the entry at the cursor
    if (reads == Reads::kNoOps) leave_out(need.realm, {});
    for (const Entry& entry : log_.at(need.realm)) {
      if (entry.pulled.revision < need.from || left == 0) continue;
      if (!need.client.empty() && entry.pulled.client != need.client) continue;
      --left;
      last[need.realm] = entry.pulled.revision;
      pull->LoadEntry(need.realm, entry.pulled);
    }
  }
  for (const auto& [realm, from] : needs.changes) {
    Set<TableIndex> changed;
    for (const auto& [key, changes] : changes_) {
      for (const Change& change : changes) {
        if (key.first != realm || change.revision <= from || change.revision > last[realm])
          continue;
        changed.insert(key.second.table);
        if (tells) pull->LoadChange(realm, change.revision, key.second, change.before);
      }
    }
    if (!tells) leave_out(realm, std::move(changed));
  }
  for (const std::string& id : needs.own) {
    for (const auto& [realm, log] : log_) {
      for (const Entry& entry : log) {
        if (!entry.pulled.is_declared || entry.pulled.update != id) continue;
        const Vector<Op> ops = reads == Reads::kNoOps ? Vector<Op>() : entry.ops;
        pull->LoadOwn(realm, {id, entry.pulled.revision, entry.pulled.at, ops, {}});
      }
    }
  }
  for (const PullNeeds::State& need : needs.state) {
    if (!tells) {
      leave_out(need.realm, need.tables);
      continue;
    }
    for (const auto& [key, stored] : rows_) {
      const bool wanted =
          !stored.deleted_at && stored.row.realm == need.realm && need.tables.contains(key.table);
      if (wanted) pull->LoadState(key, stored.row);
    }
  }
  for (size_t i = 0; i < needs.pages.size(); ++i) {
    pull->LoadPage(i, PageOf(request.scopes.list()[needs.pages[i]], needs.page_realms, page_rows));
  }
  for (const PullNeeds::RowAt& need : needs.rows)
    pull->LoadRow(need.key, RowAfter(need.key, need.after));
}

PulledPage ProductionServer::PageOf(const Scope& scope, const Vector<std::string>& realms,
                                    size_t page_rows) const {
  PulledPage page;
  for (const auto& [key, stored] : rows_) {
    if (stored.deleted_at || key.table != scope.table || key.id <= scope.filled) continue;
    if (std::find(realms.begin(), realms.end(), stored.row.realm) == realms.end()) continue;
    if (!Matches(scope.filter, key.id, stored.row, nullptr)) continue;
    page.has_more = page.rows.size() >= page_rows;
    if (page.has_more) break;
    page.rows.emplace_back(key, stored.row);
  }
  return page;
}

std::optional<Row> ProductionServer::RowAfter(const RealmKey& key, uint64_t revision) const {
  if (const auto changes = changes_.find(key); changes != changes_.end()) {
    for (const Change& change : changes->second) {
      if (change.revision > revision) return change.before;
    }
  }
  const auto row = rows_.find(key.second);
  if (row == rows_.end() || row->second.deleted_at || row->second.row.realm != key.first)
    return std::nullopt;
  return row->second.row;
}

PullAnswer ProductionServer::AnswerOf(const PullInput& request, const PullResult& result,
                                      double now) const {
  PullAnswer answer;
  answer.time = now;
  for (const auto& [realm, cursor] : result.cursors) answer.cursors[realm] = CursorText(cursor);
  answer.more = result.has_more;
  answer.own = Data::MakeObject();
  for (const auto& [update, realms] : result.own) {
    Data places = Data::MakeObject();
    for (const auto& [realm, place] : realms) {
      Data at = Data::MakeObject();
      places.Set(realm, at.Set("revision", place.revision).Set("at", place.at));
    }
    answer.own.Set(update, std::move(places));
  }
  if (result.refill) answer.refill.emplace();
  for (const size_t index : result.refill.value_or(Vector<size_t>())) {
    const Scope& scope = request.scopes.list()[index];
    answer.refill->push_back({schema_->table(scope.table).name, scope.where, {}});
  }
  answer.revoked = result.revoked;
  answer.reset = result.reset;
  for (const auto& change : result.changes) {
    answer.changes.push_back(ChangeFromData(*schema_, ChangeToData(*schema_, change)).value());
  }
  for (const PullPage& page : result.pages) {
    const Scope& scope = request.scopes.list()[page.scope];
    PageRange range;
    range.table = scope.table;
    range.where = EncodeData(scope.where);
    range.above = scope.filled;
    range.upto = page.upto;
    range.realms = page.realms;
    range.ids = page.ids;
    answer.pages.push_back(std::move(range));
  }
  return answer;
}

}  // namespace skerry::test
