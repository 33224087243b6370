#include "test/core/authority/history_ops.h"

#include <iterator>

namespace skerry::authority_test {
namespace {

const char* const kScopeSets[] = {
    R"([{"table":"items","filled":false},{"table":"groups","filled":false},{"table":"members","filled":false},{"table":"people","filled":false},{"table":"logs","filled":false}])",
    R"([{"table":"items","where":["<","n",2],"filled":false},{"table":"items","where":["=","u",3],"filled":false},{"table":"groups","filled":false}])",
    // Scopes with sub-selects, and those that they need: `related` and `exists`, values that are no
    // refs, negated, and beside other conditions.
    R"([{"table":"members","where":["in","group",{"table":"groups","select":"id","where":["=","name","g"]}],"filled":false},{"table":"groups","where":["=","name","g"],"filled":false},{"table":"logs","where":["in","member",{"table":"members","select":"id","where":["!=","person",null]}],"filled":false},{"table":"members","where":["!=","person",null],"filled":false}])",
    R"([{"table":"groups","where":["in","id",{"table":"members","select":"group"}],"filled":false},{"table":"members","where":["true"],"filled":false},{"table":"items","where":["and",["not",["in","n",{"table":"items","select":"u","where":["=","n",2]}]],["<","n",2]],"filled":false},{"table":"items","where":["=","n",2],"filled":false}])",
    R"([{"table":"items","where":["or",["=","n",0],["in","n",{"table":"items","select":"u","where":["=","n",3]}]],"filled":false},{"table":"items","where":["=","n",3],"filled":false},{"table":"people","where":["in","id",{"table":"members","select":"person"}],"filled":false},{"table":"members","where":["true"],"filled":false}])",
    // Inner rows that change without any change of an outer row: a name, a role.
    R"([{"table":"people","where":["in","id",{"table":"members","select":"person","where":["=","role","h"]}],"filled":false},{"table":"members","where":["=","role","h"],"filled":false},{"table":"members","where":["in","person",{"table":"people","select":"id","where":["=","name","h"]}],"filled":false},{"table":"people","where":["=","name","h"],"filled":false},{"table":"logs","where":["in","text",{"table":"groups","select":"name"}],"filled":false},{"table":"groups","filled":false}])",
    R"([{"table":"items","where":["!=","u",1],"filled":false},{"table":"members","where":["!=","person",null],"filled":true},{"table":"logs","filled":true}])",
};

}  // namespace

const char* AnyHistoryScopes(Random* random) {
  return kScopeSets[random->Below(std::size(kScopeSets))];
}

std::string AnyHistoryOp(Random* random) {
  const std::string realm = kHistoryRealms[random->Below(3)];
  // Another one.
  const std::string to = kHistoryRealms[(realm[0] - 'A' + 1 + random->Below(2)) % 3];
  const auto id = [&](const char* letter) { return letter + std::to_string(random->Below(3)); };
  const auto place = [&](const char* op, const char* table, const std::string& name) {
    return std::string(R"({"op":")") + op + R"(","table":")" + table + R"(","id":")" + name +
           R"(","realm":")" + realm + "\"";
  };
  const std::string n = std::to_string(random->Below(4));
  std::string item = R"("n":)" + n;
  if (random->Below(2) == 0) item += R"(,"u":)" + std::to_string(random->Below(5));
  if (random->Below(4) == 0) item += R"(,"parent":")" + id("i") + "\"";
  const std::string name = random->Below(2) == 0 ? "g" : "h";
  switch (random->Below(16)) {
    case 0:
    case 1:
      return place("create", "items", id("i")) + R"(,"set":{)" + item + "}}";
    case 2:
    case 3:
      return place("update", "items", id("i")) + R"(,"set":{)" + item + "}}";
    case 4:
      return place("inc", "items", id("i")) + R"(,"add":{"n":1}})";
    case 5:
      return place("delete", "items", id("i")) + "}";
    case 6:
      return place("move", "items", id("i")) + R"(,"to":")" + to + "\"}";
    case 7:
      return place("create", "groups", id("g")) + R"(,"set":{"name":")" + name + "\"}}";
    case 8:
      return place("create", "members", id("m")) + R"(,"set":{"group":")" + id("g") +
             R"(","person":")" + id("p") + R"(","role":")" + name + "\"}}";
    case 9:
      return place("create", "logs", id("l")) + R"(,"set":{"member":")" + id("m") +
             R"(","text":")" + name + R"("}})";
    case 10:
      return place("create", "people", id("p")) + R"(,"set":{"name":")" + name + "\"}}";
    case 11:
      return place("update", "groups", id("g")) + R"(,"set":{"name":")" + name + "\"}}";
    case 12:
      return place("update", "people", id("p")) + R"(,"set":{"name":")" + name + "\"}}";
    case 13:
      return place("update", "members", id("m")) + R"(,"set":{"role":")" + name + "\"}}";
    case 14:
      return place("update", "members", id("m")) + R"(,"set":{"person":")" + id("p") + "\"}}";
    default:
      break;
  }
  switch (random->Below(5)) {
    case 0:
      return place("delete", "groups", id("g")) + "}";
    case 1:
      return place("delete", "people", id("p")) + "}";
    case 2:
      return place("delete", "members", id("m")) + "}";
    case 3:
      return place("move", "people", id("p")) + R"(,"to":")" + to + "\"}";
    default:
      return place("move", "groups", id("g")) + R"(,"to":")" + to + "\"}";
  }
}

std::string FirstHistoryOps(const std::string& realm) {
  std::string ops;
  const auto create = [&](const char* table, const std::string& id, const std::string& set) {
    if (!ops.empty()) ops += ",";
    ops += R"({"op":"create","table":")" + std::string(table) + R"(","id":")" + id +
           R"(","realm":")" + realm + R"(","set":{)" + set + "}}";
  };
  for (int i = 0; i < 3; ++i) {
    const std::string n = std::to_string(i);
    const std::string name = i % 2 == 0 ? "g" : "h";
    create("groups", "g" + n, R"("name":")" + name + "\"");
    create("people", "p" + n, R"("name":")" + name + "\"");
    create("members", "m" + n,
           R"("group":"g)" + n + R"(","person":"p)" + n + R"(","role":")" + name + "\"");
    create("logs", "l" + n, R"("member":"m)" + n + R"(","text":")" + name + "\"");
    create("items", "i" + n, R"("n":)" + n + R"(,"u":)" + std::to_string(3 - i));
  }
  return "[" + ops + "]";
}

}  // namespace skerry::authority_test
