// A client for random histories. It keeps base, cursors, scopes and outbox in the simplest form of
// docs/design.md, "The answer to a pull".
#ifndef SKERRY_TEST_CORE_AUTHORITY_TEST_CLIENT_H_
#define SKERRY_TEST_CORE_AUTHORITY_TEST_CLIENT_H_

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/cursor.h"
#include "sync/scopes.h"
#include "test/core/authority/pushing.h"
#include "test/core/log/row_map.h"

namespace skerry::authority_test {

struct Pushed {
  Data update;
  bool is_refused = false;
  std::map<std::string, bool> confirmed;
};

class TestClient {
 public:
  TestClient(AuthorityWorld* world, int number, const char* scopes)
      : author(world, "client" + std::to_string(number), "user" + std::to_string(number)),
        scopes(Json(scopes)) {}

  Author author;
  Data scopes;
  std::map<std::string, std::string> cursors;
  test::RowMap base;
  test::RowMap plain;  // base of a client that never names its own updates in `have`
  Vector<Pushed> outbox;

  Data Request(bool with_have, uint64_t limit) const {
    Data at = Data::MakeObject(), have = Data::MakeArray();
    for (const auto& [realm, cursor] : cursors) at.Set(realm, cursor);
    for (const Pushed& pushed : outbox) {
      if (with_have) have.Push(pushed.update["id"]);
    }
    Data request = Data::MakeObject();
    request.Set("client", author.client()).Set("cursors", at).Set("scopes", scopes);
    return request.Set("have", have).Set("limit", limit).Set("refill", true);
  }

  // Whether the client's cursors and scopes are still those of the request; else the answer is
  // discarded.
  bool Fits(const Data& request) const {
    const Data now = Request(true, 0);
    return request["cursors"] == now["cursors"] && request["scopes"] == now["scopes"];
  }

  void Fold(const Data& request, const Data& answer, test::RowMap* rows) const {
    Vector<Step> steps;
    for (const char* list : {"revoked", "reset"}) {
      for (const Data& realm : answer[list].items()) {
        Step step;
        step.kind = StepKind::kDropRealm;
        step.realm = realm.as_string();
        steps.push_back(std::move(step));
      }
    }
    AddOwn(request, answer, &steps);
    for (const Data& data : answer["changes"].items()) {
      Result<Change> change = ChangeFromData(WorldSchema(), data);
      REQUIRE(change.ok());
      Step step;
      step.kind = StepKind::kChange;
      step.change = std::move(change.value());
      steps.push_back(std::move(step));
    }
    for (const Data& fill : answer["fills"].items()) {
      Step step;
      step.kind = StepKind::kPage;
      step.page.table = WorldSchema().FindTable(fill["table"].as_string());
      step.page.where = EncodeData(fill["where"]);
      step.page.above = fill["above"].as_string();
      if (fill["upto"].is_string()) step.page.upto = fill["upto"].as_string();
      for (const Data& id : fill["ids"].items()) step.page.ids.push_back(id.as_string());
      steps.push_back(std::move(step));
    }
    const bool folds_own = std::any_of(steps.begin(), steps.end(), [](const Step& step) {
      return step.kind == StepKind::kOwnOps;
    });
    const bool is_refilled = answer["refill"].is_array() && folds_own;
    if (is_refilled || HasJoinedPage(answer)) steps.push_back(Keep(answer));
    test::TouchedKeys touched;
    REQUIRE(ApplySteps(WorldSchema(), steps, rows, &touched).ok());
  }

  // The scopes as they are filled after the answer. A scope with a sub-select begins again with the
  // scope of that one.
  Data Filled(const Data& answer) const {
    Data filled = scopes;
    for (Data& scope : filled.mutable_items()) {
      for (const Data& fill : answer["fills"].items()) {
        if (IsOf(scope, fill))
          scope.Set("filled", fill["upto"].is_null() ? Data(true) : fill["upto"]);
      }
      for (const Data& refill : answer["refill"].items()) {
        if (IsOf(scope, refill)) scope.Set("filled", false);
      }
    }
    const Vector<SyncScope> kept = SyncScopes(filled);
    for (size_t i = 0; i < kept.size(); ++i) {
      if (!CanEvaluate(WorldSchema(), kept[i], kept))
        filled.mutable_items()[i].Set("filled", false);
    }
    return filled;
  }

  // Whether the request's scopes of the sub-selects of this page's scope are filled.
  static bool HasInnerRows(const Data& request, const Data& fill) {
    SyncScope outer;
    outer.table = fill["table"].as_string();
    outer.where = fill["where"];
    return CanEvaluate(WorldSchema(), outer, SyncScopes(request["scopes"]));
  }

  void Advance(const Data& answer) {
    cursors.clear();
    for (const auto& [realm, cursor] : answer["cursors"].members())
      cursors[realm] = cursor.as_string();
    scopes = Filled(answer);
    for (Pushed& pushed : outbox) {
      for (const auto& [realm, place] : answer["own"][pushed.update["id"].as_string()].members()) {
        pushed.confirmed[realm] = true;
      }
    }
    erase_if(outbox, [](const Pushed& pushed) {
      return pushed.is_refused ||
             pushed.confirmed.size() == pushed.update["after"].members().size();
    });
  }

 private:
  static Data WhereOf(const Data& scope) {
    return scope["where"].is_null() ? Json(R"(["true"])") : scope["where"];
  }
  static bool IsOf(const Data& scope, const Data& named) {
    return scope["table"] == named["table"] && WhereOf(scope) == named["where"];
  }
  static bool HasJoinedPage(const Data& answer) {
    const Data::Array& fills = answer["fills"].items();
    return std::any_of(fills.begin(), fills.end(), [](const Data& fill) {
      return !InnerScopes(WorldSchema(), fill["table"].as_string(), fill["where"]).empty();
    });
  }
  static Vector<SyncScope> SyncScopes(const Data& list) {
    Vector<SyncScope> scopes;
    for (const Data& scope : list.items()) {
      SyncScope& one = scopes.emplace_back();
      one.table = scope["table"].as_string();
      one.where = WhereOf(scope);
      one.filled.whole = scope["filled"].as_bool(false);
    }
    return scopes;
  }
  // As the sync worker does with pages of scopes that have sub-selects, and where own ops are folded
  // into tables whose changes were left out.
  Step Keep(const Data& answer) const {
    return KeepStep(WorldSchema(), SyncScopes(Filled(answer)));
  }

  // Own updates first, in the order of each realm's log.
  void AddOwn(const Data& request, const Data& answer, Vector<Step>* steps) const {
    std::map<std::pair<std::string, uint64_t>, Step> own;
    for (const Pushed& pushed : outbox) {
      const Data::Array& have = request["have"].items();
      if (std::find(have.begin(), have.end(), pushed.update["id"]) == have.end()) continue;
      for (const auto& [realm, place] : answer["own"][pushed.update["id"].as_string()].members()) {
        const uint64_t revision = place["revision"].as_u64();
        const std::string& cursor = request["cursors"][realm].as_string();
        if (!cursor.empty() && revision <= CursorRevision(cursor)) continue;
        Step& step = own[{realm, revision}];
        step.kind = StepKind::kOwnOps;
        step.realm = realm;
        step.at = place["at"].as_number();
        step.revision = revision;
        const Result<Update> update = UpdateFromData(WorldSchema(), pushed.update);
        REQUIRE(update.ok());
        for (const Op& op : update.value().ops) {
          if (op.realm == realm) step.ops.push_back(op);
        }
      }
    }
    for (auto& [place, step] : own) steps->push_back(std::move(step));
  }
};

}  // namespace skerry::authority_test

#endif  // SKERRY_TEST_CORE_AUTHORITY_TEST_CLIENT_H_
