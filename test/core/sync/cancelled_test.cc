// Goal: an action and its undo, pushed together, come to nothing, unless something between them is about
// the same objects. Method: a table of sequences.
#include "sync/cancelled.h"

#include <string>

#include "doctest/doctest.h"
#include "test/core/log/log_fixture.h"

namespace skerry::test {
namespace {

const std::string kCity = TestUuid(1), kMember = TestUuid(2), kGroup = TestUuid(3);

Op OpOf(OpKind kind, TableIndex table, const std::string& id, const std::string& of = {}) {
  Op op = NewOp(kind, {table, id}, "A");
  op.of = of;
  return op;
}

Mutation Made(const std::string& id, Vector<Op> ops) {
  Mutation mutation;
  mutation.action.id = id;
  mutation.ops = std::move(ops);
  return mutation;
}

TEST_CASE("finds the actions that do nothing together") {
  const Op set = OpOf(OpKind::kUpdate, kCities, kCity);
  const Op back = OpOf(OpKind::kUpdate, kCities, kCity, "a");
  const Op again = OpOf(OpKind::kUpdate, kCities, kCity, "u");
  const Op create = OpOf(OpKind::kCreate, kGroups, kGroup);
  const Op remove = OpOf(OpKind::kDelete, kGroups, kGroup, "a");
  Op refers = OpOf(OpKind::kUpdate, kMembers, kMember);
  refers.set.push_back({PropOf(kMembers, "group"), Value::String(kGroup)});
  const auto append = [](const std::string& stream, const std::string& of = {}) {
    Op op;
    op.kind = OpKind::kAppend;
    op.stream = stream;
    op.realm = "A";
    op.of = of;
    return op;
  };
  struct Case {
    const char* label;
    Vector<Mutation> mutations;
    const char* cancelled;
  };
  const Case cases[] = {
      {"an action alone", {Made("a", {set})}, "-"},
      {"an undo of what is not here", {Made("u", {back})}, "-"},
      {"an action and its undo", {Made("a", {set}), Made("u", {back})}, "xx"},
      {"and its redo", {Made("a", {set}), Made("u", {back}), Made("r", {again})}, "-xx"},
      {"something else between", {Made("a", {set}), Made("b", {create}), Made("u", {back})}, "x-x"},
      {"the same object between", {Made("a", {set}), Made("b", {set}), Made("u", {back})}, "---"},
      {"a ref to it between",
       {Made("a", {create}), Made("b", {refers}), Made("u", {remove})},
       "---"},
      {"a part of the undo is of another action",
       {Made("a", {set}), Made("u", {back, OpOf(OpKind::kDelete, kGroups, kGroup, "z")})},
       "--"},
      {"two undos of one action, which windows may have made at once",
       {Made("a", {set}), Made("u", {back}), Made("v", {back})},
       "---"},
      {"an action of a stream and its undo",
       {Made("a", {append("s")}), Made("b", {append("t")}), Made("u", {append("s", "a")})},
       "x-x"},
      {"another action of the stream between",
       {Made("a", {append("s")}), Made("b", {append("s")}), Made("u", {append("s", "a")})},
       "---"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    std::string found;
    for (const bool is : FindCancelled(LogSchema(), c.mutations)) found += is ? 'x' : '-';
    CHECK(found == c.cancelled);
  }
}

}  // namespace
}  // namespace skerry::test
