// A client's base, and a server's rows in memory, which the authority compares with it.
#ifndef SKERRY_TEST_CORE_MODEL_CHECK_COMPARISON_WORLD_H_
#define SKERRY_TEST_CORE_MODEL_CHECK_COMPARISON_WORLD_H_

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "authority/comparing.h"
#include "authority/row_data.h"
#include "base/json.h"
#include "client/comparison.h"
#include "log/codec.h"
#include "log/record.h"
#include "log/wire/diff.h"
#include "model/filter.h"

namespace skerry::client_test {

inline constexpr const char* kComparedSchema = R"({"version":3,"tables":[
  {"name":"things","ids":"uuid","props":[
    {"name":"name","type":"string"},{"name":"size","type":"number","optional":true},
    {"name":"done","type":"boolean","default":false},{"name":"at","type":"date","optional":true},
    {"name":"raw","type":"bytes","optional":true},{"name":"extra","type":"json","optional":true},
    {"name":"kind","type":"enum","enum":{"values":["s","m"]},"optional":true},
    {"name":"on","type":"ref","optional":true,"ref":{"table":"own","touch":false}}]},
  {"name":"own","ids":"string","props":[{"name":"name","type":"string","optional":true}]},
  {"name":"$members","ids":"string","props":[
    {"name":"user","type":"string"},
    {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}},
    {"name":"accepted","type":"boolean","optional":true},{"name":"by","type":"string","optional":true}]}]})";
inline constexpr TableIndex kThings = 0;
inline constexpr TableIndex kOwn = 1;

inline std::string Uuid(uint64_t number) {
  const std::string digits = std::to_string(number);
  return "01890000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

// By realm, table and id.
using PlacedRows = std::map<std::pair<std::string, ObjectKey>, Row>;

struct ComparedWorld {
  Schema schema = std::move(Schema::Parse(ParseJson(kComparedSchema).value()).value());
  View view{&schema};
  Comparison comparison{&schema, &view};
  SyncProgress sync;
  PlacedRows rows;  // of the server, at its head
  std::map<std::pair<std::string, ObjectKey>, std::optional<Row>>
      before;                    // of rows changed above the cursor
  size_t most_rows = 1'000'000;  // that the server reads of a part
  size_t requests = 0;
  size_t bytes = 0;  // of requests and answers
  Vector<std::string> mended;
  Vector<std::string> drop_props;  // that the server does not know
  bool again = false;              // the server compares nothing before a pull
  size_t pulls = 0;
  bool rows_come_between = false;  // then a row may be listed twice

  ComparedWorld() {
    for (const char* realm : {"A", "B"}) sync.cursors[realm] = "7@1000";
    Want("things", R"(["true"])");
    Want("own", R"(["true"])");
  }
  void Want(const char* table, const char* where) {
    SyncScope& scope = sync.scopes.emplace_back();
    scope.table = table;
    scope.where = ParseJson(where).value();
    scope.filled.whole = true;
  }

  Row Thing(std::string name, std::string realm = "A") const {
    Row row;
    row.realm = std::move(realm);
    row.created_at = 5;
    row.modified_at = 6;
    row.revision = 3;
    row.props.resize(schema.table(kThings).props.size());
    row.props[0] = Value::String(std::move(name));
    row.props[2] = Value::Bool(false);
    return row;
  }
  void PutBase(const ObjectKey& key, const Row& row) {
    view.PutBase(key, row);
    view.Touched(row.realm, key);
    view.Derive();
  }
  // On both sides.
  void Put(const ObjectKey& key, const Row& row) {
    rows[{row.realm, key}] = row;
    PutBase(key, row);
  }
  void Erase(const std::string& realm, const ObjectKey& key) {
    view.EraseBase(realm, key);
    view.Touched(realm, key);
    view.Derive();
  }

  bool InScope(const ObjectKey& key, const Row& row) const {
    const TableDef& table = schema.table(key.table);
    for (const SyncScope& scope : sync.scopes) {
      if (scope.table != table.name) continue;
      const Result<Filter> filter = ParseFilter(schema, table, scope.where, false);
      if (Matches(filter.value(), key.id, row, nullptr)) return true;
    }
    return false;
  }

  // What the client should hold.
  PlacedRows Wanted() const {
    PlacedRows wanted;
    for (const auto& [place, row] : rows) {
      if (!before.contains(place) && InScope(place.second, row)) wanted[place] = row;
    }
    for (const auto& [place, row] : before) {
      if (row && InScope(place.second, *row)) wanted[place] = *row;
    }
    return wanted;
  }
  PlacedRows Held() const {
    PlacedRows held;
    for (const TableDef& table : schema.tables()) {
      for (const auto& [id, realm] : view.BaseKeys(table.index)) {
        const ObjectKey key{table.index, id};
        held[{realm, key}] = *view.GetBase(realm, key);
      }
    }
    return held;
  }
  // Revisions are not compared.
  static std::string Difference(PlacedRows wanted, PlacedRows held) {
    for (auto& [place, row] : wanted) row.revision = 0;
    for (auto& [place, row] : held) row.revision = 0;
    for (const auto& [place, row] : wanted) {
      const auto found = held.find(place);
      if (found == held.end()) return "lacks " + place.second.id;
      if (!(found->second == row)) return "differs in " + place.second.id;
    }
    for (const auto& [place, row] : held) {
      if (!wanted.contains(place)) return "should not have " + place.second.id;
    }
    return {};
  }

  Data ReadPart(const wire::DiffPart& part) {
    const auto is_in = [&](const std::pair<std::string, ObjectKey>& place) {
      const auto& [realm, key] = place;
      return realm == part.realm && schema.table(key.table).name == part.table &&
             key.id > part.above && (!part.upto || key.id <= *part.upto);
    };
    Data list = Data::MakeArray();
    Data changed = Data::MakeArray();
    bool more = false;
    std::string last;
    for (const auto& [place, row] : rows) {
      if (!is_in(place) || !InScope(place.second, row)) continue;
      more = list.items().size() == most_rows;
      if (more) break;
      list.Push(StoredRowToData(schema, {place.second, row, std::nullopt}));
      last = place.second.id;
    }
    for (const auto& [place, row] : before) {
      if (!is_in(place)) continue;
      changed.Push(Data::MakeObject()
                       .Set("id", place.second.id)
                       .Set("before", RowToData(schema, place.second, row)));
    }
    Data read = Data::MakeObject();
    read.Set("part", WriteMembers(part)).Set("cursor", 7).Set("rows", std::move(list));
    read.Set("more", more).Set("changed", std::move(changed));
    return read;
  }

  Data Answer(const std::string& text) {
    ++requests;
    bytes += text.size();
    wire::DiffRequest request;
    const WrongAt wrong = ReadStrictly(ParseJson(text).value(), &request);
    REQUIRE_MESSAGE(!wrong.found(), wrong.path());
    REQUIRE(request.client == "me");
    REQUIRE(request.parts.size() <= 200);
    Data parts = Data::MakeArray();
    Data scopes = Data::MakeArray();
    for (const wire::PulledScope& scope : request.scopes) scopes.Push(WriteMembers(scope));
    Vector<std::string> unknown = drop_props;
    Data results = Data::MakeArray();
    for (const wire::DiffPart& part : request.parts) {
      CHECK(request.cursors.contains(part.realm));
      CHECK((part.rows.has_value() || part.sums->size() == 256));
      Set<std::string> ids;
      for (const auto& [id, digest] : part.rows.value_or(Vector<wire::DigestedRow>()))
        CHECK((ids.insert(id).second || rows_come_between));
      const bool is_unknown = !unknown.empty() && std::find(part.props.begin(), part.props.end(),
                                                            unknown[0]) != part.props.end();
      if (again || is_unknown) {
        results.Push(again ? Data::MakeObject().Set("again", true)
                           : Data::MakeObject().Set("unknown", ToData(unknown)));
      } else {
        parts.Push(ReadPart(part));
        results.Push(Data());
      }
    }
    const std::string said = CompareJson(schema, WriteJson(Data::MakeObject()
                                                               .Set("schema", 3)
                                                               .Set("scopes", std::move(scopes))
                                                               .Set("parts", std::move(parts))));
    Data compared = ParseJson(said).value();
    REQUIRE_MESSAGE(compared.Find("error") == nullptr, said);
    size_t next = 0;
    for (Data& result : results.mutable_items()) {
      if (result.is_null()) result = compared["tables"].items()[next++];
    }
    for (size_t i = 0; i < request.parts.size(); ++i)
      CheckBuckets(request.parts[i], results.items()[i]);
    const Data answer = Data::MakeObject().Set("time", 1).Set("tables", std::move(results));
    bytes += WriteJson(answer).size();
    return answer;
  }

  // Of a part that names buckets, nothing else is said.
  static void CheckBuckets(const wire::DiffPart& part, const Data& result) {
    if (!part.buckets.has_value()) return;
    for (const Data& change : result["changes"].items()) {
      const uint64_t bucket = DigestBucket(change["id"].as_string());
      const auto end = part.buckets->end();
      CHECK(std::find(part.buckets->begin(), end, bucket) != end);
    }
  }

  void Apply(const Vector<Step>& steps) {
    // As a record is stored and folded.
    const std::string body = EncodeSteps(schema, steps);
    REQUIRE(ApplySteps(schema, DecodeSteps(schema, body).value(), &view, &view).ok());
    view.Derive();
    for (const Step& step : steps)
      mended.push_back(step.change.realm + " " + step.change.key.id +
                       (step.change.kind == ChangeKind::kLeave ? " left" : ""));
  }

  // `between`: called between any two portions, and while a request is under way.
  template <typename Between>
  void Run(size_t portion, const Between& between) {
    mended.clear();
    comparison.Begin(sync, "me");
    while (comparison.next() != CompareNext::kDone) {
      between();
      if (comparison.next() != CompareNext::kAsk) {
        if (comparison.next() == CompareNext::kPull) ++pulls;
        comparison.Work(portion);
        continue;
      }
      const Data answer = Answer(comparison.Ask(sync.cursors));
      between();
      Apply(comparison.Take(answer, sync.cursors));
    }
  }
  void Run(size_t portion = 1000) {
    Run(portion, [] {});
  }
  // Runs it, expects that all is equal afterwards, and that another run finds nothing.
  void Mend(const Vector<std::string>& expected) {
    Run();
    std::sort(mended.begin(), mended.end());
    CHECK(mended == expected);
    CHECK(Difference(Wanted(), Held()) == "");
    Run();
    CHECK(mended.empty());
    CHECK(comparison.left() == 0);
  }
};

}  // namespace skerry::client_test

#endif  // SKERRY_TEST_CORE_MODEL_CHECK_COMPARISON_WORLD_H_
