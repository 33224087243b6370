// Goal: whatever entries append to a stream, its rows of `actions` hold each action once, in order. Method:
// entries of all sizes about the limits of a row, written, and read back in the order of their keys.
#include "log/stream_record.h"

#include <map>

#include "doctest/doctest.h"
#include "test/core/log/log_fixture.h"

namespace skerry {
namespace {

// Entries that append so many actions each, with arguments of so many bytes.
Vector<StreamAction> ActionsOfEntries(const Vector<uint64_t>& counts, size_t arg_bytes) {
  Vector<StreamAction> actions;
  uint64_t revision = 0;
  for (const uint64_t count : counts) {
    ++revision;
    for (uint64_t position = 0; position < count; ++position) {
      StreamAction& action = actions.emplace_back();
      action.place = {revision, position};
      action.id = "01900000-0000-7000-8000-000000000000";
      action.name = "say";
      action.arg = '"' + std::string(arg_bytes, 'x') + '"';
    }
  }
  return actions;
}

struct Rows {
  std::map<std::string, Vector<StreamAction>> by_key;
  Vector<StreamAction> InOrder() const {
    Vector<StreamAction> all;
    for (const auto& [key, row] : by_key) {
      for (const StreamAction& action : row) all.push_back(action);
    }
    return all;
  }
};

Rows Written(const Vector<StreamAction>& actions) {
  Data::Array writes;
  WriteActions(test::LogSchema(), "A", "chat", actions, &writes);
  Rows rows;
  for (const Data& write : writes) {
    auto row = DecodeActions(test::LogSchema(), write["put"]["body"].as_bytes());
    REQUIRE(row.ok());
    const bool is_new =
        rows.by_key.emplace(write["key"].as_string(), std::move(row.value())).second;
    CHECK(is_new);
  }
  return rows;
}

TEST_CASE("rows of a stream hold each action once, whatever the sizes of entries are") {
  const Vector<Vector<uint64_t>> shapes = {
      {1},        {99},          {100},           {101},           {199, 1},
      {99, 1, 1}, {99, 2},       {100, 1},        {101, 101, 101}, {1, 250, 1},
      {1000},     {50, 60, 200}, {100, 100, 100}, {1, 1, 1000, 1},
  };
  for (const size_t arg_bytes : {0, 700, 40'000, 70'000}) {
    for (const Vector<uint64_t>& counts : shapes) {
      CAPTURE(counts.size());
      CAPTURE(counts[0]);
      CAPTURE(arg_bytes);
      if (arg_bytes > 700 && counts.back() > 101) continue;  // a mutation has 4 MiB at most
      const Vector<StreamAction> actions = ActionsOfEntries(counts, arg_bytes);
      CHECK(Written(actions).InOrder() == actions);
    }
  }
}

TEST_CASE("a row of a stream ends at its limits, but holds an entry whole") {
  const auto sizes = [](const Vector<uint64_t>& counts, size_t arg_bytes) {
    Vector<size_t> sizes;
    for (const auto& [key, row] : Written(ActionsOfEntries(counts, arg_bytes)).by_key)
      sizes.push_back(row.size());
    return sizes;
  };
  const Vector<uint64_t> ones(kMaxRowActions + 1, 1);
  CHECK(sizes(ones, 0) == Vector<size_t>{kMaxRowActions, 1});
  CHECK(sizes({kMaxRowActions + 1, 1}, 0) == Vector<size_t>{kMaxRowActions + 1, 1});
  CHECK(sizes({1, kMaxRowActions, 1}, 0) == Vector<size_t>{kMaxRowActions + 1, 1});
  // Quotes are counted.
  CHECK(sizes({1, 1, 1}, kMaxRowActionBytes - 2) == Vector<size_t>{1, 1, 1});
  CHECK(sizes({1, 1, 1}, kMaxRowActionBytes - 3) == Vector<size_t>{2, 1});
}

}  // namespace
}  // namespace skerry
