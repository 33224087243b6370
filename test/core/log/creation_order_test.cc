// Goal: rows on their way into mutations come parents first, each once, within the limits of a mutation. Method: trees,
// chains and circles of refs, and rows at each limit and one above.
#include "log/creation_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/json.h"
#include "base/limits.h"

namespace skerry {
namespace {

class Creations {
 public:
  // Takes a node, which may refer to another as its parent.
  void Node(const std::string& id, const std::string& parent = "", const std::string& realm = "r") {
    Data set = Data::MakeObject();
    if (!parent.empty()) set.Set("parent", parent);
    Take("nodes", id, std::move(set), realm);
  }
  void Leaf(const std::string& id, const std::string& node, const std::string& realm = "r") {
    Data set = Data::MakeObject();
    set.Set("node", node);
    Take("leaves", id, std::move(set), realm);
  }
  void Other(const std::string& id) { Take("others", id, Data::MakeObject(), "r"); }
  // Takes a leaf whose op is so many bytes long.
  void LeafOf(const std::string& id, size_t bytes) {
    const size_t empty = WriteJson(Op("leaves", id, Text(""), "r")).size();
    Take("leaves", id, Text(std::string(bytes - empty, 'x')), "r");
  }
  // The ids by mutation, with spaces between them.
  Vector<std::string> Ids() {
    Vector<std::string> texts;
    const Data mutations = order_.Take();
    for (const Data& mutation : mutations.items()) {
      std::string text;
      for (const Data& place : mutation.items())
        text += (text.empty() ? "" : " ") + names_[place.as_u64()];
      texts.push_back(text);
    }
    return texts;
  }
  Vector<size_t> Sizes() {
    Vector<size_t> sizes;
    const Data mutations = order_.Take();
    for (const Data& mutation : mutations.items()) sizes.push_back(mutation.items().size());
    return sizes;
  }

 private:
  static Data Text(const std::string& text) {
    Data set = Data::MakeObject();
    set.Set("text", text);
    return set;
  }
  static Data Op(const std::string& table, const std::string& id, Data set,
                 const std::string& realm) {
    Data op = Data::MakeObject();
    op.Set("op", "create").Set("table", table).Set("id", id).Set("realm", realm);
    op.Set("set", std::move(set));
    return op;
  }
  void Take(const std::string& table, const std::string& id, Data set, const std::string& realm) {
    names_.push_back(id);
    order_.Add(Op(table, id, std::move(set), realm));
  }

  Schema schema_ = std::move(Schema::Parse(ParseJson(R"({"version":1,"tables":[
    {"name":"leaves","props":[{"name":"node","type":"ref","ref":{"table":"nodes"}},{"name":"text","type":"string"}]},
    {"name":"nodes","props":[{"name":"parent","type":"ref","ref":{"table":"nodes"},"optional":true}]}]})")
                                               .value())
                                 .value());
  CreationOrder order_{&schema_};
  Vector<std::string> names_;
};

using Texts = Vector<std::string>;
using Counts = Vector<size_t>;

TEST_CASE("no row comes before one that it refers to") {
  Creations rows;
  rows.Leaf("leaf", "c");
  rows.Node("c", "b");
  rows.Node("b", "a");
  rows.Node("a");
  rows.Leaf("orphan", "elsewhere");
  CHECK(rows.Ids() == Texts{"a b c leaf orphan"});
  CHECK(rows.Ids().empty());
}

TEST_CASE("a ref leads to the row of its own realm, where several have one id") {
  Creations rows;
  for (const char* realm : {"a", "b"}) {
    rows.Leaf(std::string("leaf-") + realm, "n", realm);
    rows.Node("n", "", realm);
  }
  CHECK(rows.Ids() == Texts{"n leaf-a n leaf-b"});
}

TEST_CASE("a chain longer than any stack comes out whole, the last one first") {
  constexpr int kCount = 50'000;
  Creations rows;
  for (int i = 0; i < kCount; ++i) rows.Node(std::to_string(i), std::to_string(i + 1));
  const Texts ids = rows.Ids();
  REQUIRE(ids.size() == kCount / kMaxCreates);
  CHECK(ids[0].substr(0, 18) == "49999 49998 49997 ");
  CHECK(ids.back().substr(ids.back().size() - 6) == " 2 1 0");
}

TEST_CASE("a circle comes out whole, and what hangs on it behind it") {
  Creations rows;
  rows.Leaf("leaf", "b");
  rows.Node("a", "b");
  rows.Node("b", "c");
  rows.Node("c", "a");
  rows.Node("self", "self");
  CHECK(rows.Ids() == Texts{"a c b leaf self"});
}

TEST_CASE("a row that is there twice is created once") {
  Creations rows;
  rows.Node("b", "a");
  rows.Node("a");
  rows.Node("b");
  CHECK(rows.Ids() == Texts{"a b"});
}

TEST_CASE("rows of a table that the schema does not have come out, too") {
  Creations rows;
  rows.Other("x");
  rows.Node("a");
  CHECK(rows.Ids() == Texts{"x a"});
}

TEST_CASE("a mutation holds so many rows, and not one more") {
  for (const size_t count : {kMaxCreates, kMaxCreates + 1}) {
    Creations rows;
    for (size_t i = 0; i < count; ++i) rows.Node(std::to_string(i));
    CHECK(rows.Sizes() == (count == kMaxCreates ? Counts{kMaxCreates} : Counts{kMaxCreates, 1}));
  }
}

TEST_CASE("a mutation holds so many bytes, and not one more") {
  for (const size_t more : {0u, 1u}) {
    Creations rows;
    rows.LeafOf("a", kMaxCreateBytes / 2);
    rows.LeafOf("b", kMaxCreateBytes / 2 + more);
    rows.LeafOf("c", kMaxCreateBytes);
    rows.LeafOf("d", kMaxCreateBytes * 2);
    rows.LeafOf("e", 1000);
    rows.LeafOf("f", kMaxCreateBytes - 1000);
    const Texts rest = {"c", "d", "e f"};
    Texts expected = more == 0 ? Texts{"a b"} : Texts{"a", "b"};
    expected.insert(expected.end(), rest.begin(), rest.end());
    CHECK(rows.Ids() == expected);
  }
}

TEST_CASE("a mutation is of so many realms, and not one more") {
  constexpr size_t kMost = kMaxCreateRealms;
  for (const size_t count : {kMost, kMost + 1}) {
    Creations rows;
    for (size_t i = 0; i < count; ++i) rows.Node("node", "", "realm-" + std::to_string(i));
    for (size_t i = 0; i < count; ++i) rows.Leaf("leaf", "node", "realm-" + std::to_string(i));
    CHECK(rows.Sizes() == (count == kMost ? Counts{2 * kMost} : Counts{kMost, kMost, 2}));
  }
}

}  // namespace
}  // namespace skerry
