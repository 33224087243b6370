// StreamWindow: a window with one stream open, over storage in which a sync worker stores actions.
#ifndef SKERRY_TEST_CORE_CLIENT_STREAM_WINDOW_H_
#define SKERRY_TEST_CORE_CLIENT_STREAM_WINDOW_H_

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "log/codec.h"
#include "log/stream_record.h"
#include "test/core/client/shown_stream.h"
#include "test/core/client/tab_fixture.h"

namespace skerry::client_test {

inline constexpr uint64_t kStreamHandle = 5;

inline Data Json(std::string_view text) { return ParseJson(text).value(); }

inline std::string ActionId(uint64_t number) {
  const std::string digits = std::to_string(number);
  return "01890000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

inline StreamAction ActionAt(uint64_t revision, std::string id = "") {
  StreamAction action;
  action.place = {revision, 0};
  action.id = id.empty() ? ActionId(revision) : std::move(id);
  action.name = "said";
  action.arg = "1";
  action.author = "bo";
  return action;
}

// A record of the sync worker, which stores actions of `chat` in realm A, and confirms mutations.
// `filled`: not all is here below the cursor, only so much.
struct StreamStorage : Storage {
  uint64_t revision = 0;
  Data Log(const Vector<StreamAction>& actions, const Vector<uint64_t>& confirmed = {},
           std::optional<uint64_t> filled = {}, Vector<Step> before = {}) {
    Step step;
    step.kind = StepKind::kActions;
    step.realm = "A";
    step.stream = "chat";
    step.actions = actions;
    Vector<Step> steps = std::move(before);
    if (!actions.empty()) steps.push_back(step);
    Data::Array writes;
    WriteActions(TestSchema(), "A", "chat", actions, &writes);
    if (!actions.empty()) Write(Data(writes));
    Data record = Work(confirmed, {}, std::move(steps));
    for (const StreamAction& action : actions) revision = std::max(revision, action.place.first);
    const Data cursors = Data::Object{{"A", std::to_string(revision) + "@1"}};
    Data behind = Data::MakeObject();
    if (filled) behind.Set("A", *filled);
    const Data wanted = Data::Array{Data::Object{{"stream", "chat"}, {"behind", behind}}};
    record.Set("cursors", cursors).Set("streams", wanted);
    updates[n()] = record;
    sync.Set("cursors", cursors).Set("streams", wanted);
    return Data::Object{{"type", "record"}, {"record", record}};
  }
};

struct StreamWindow {
  StreamStorage* storage;
  Window window;
  test::ShownStream shown;
  explicit StreamWindow(StreamStorage* in, std::string tab = "a", bool remote = true)
      : storage(in), window(in, std::move(tab), remote) {
    window.Settle();
  }
  void Open(Data more = Data::MakeObject()) {
    more.Set("type", "streamOpen").Set("stream", kStreamHandle).Set("name", "chat");
    shown.is_reduced = more["reducer"].is_number();
    window.Event(std::move(more));
  }
  void OpenReduced(uint64_t version = 1, bool migrates = false) {
    Open(Data::Object{{"reducer", version}, {"migrates", migrates}});
  }
  Vector<std::string> Look() {
    const Data drained = window.client().Drain();
    for (const Data& news : drained["streams"].items()) {
      REQUIRE(news["stream"].as_u64() == kStreamHandle);
      REQUIRE(shown.Take(news) == "");
    }
    REQUIRE(shown.Twice().empty());
    return shown.Ids();
  }
  Vector<std::string> Settled() {
    window.Settle();
    return Look();
  }
  std::string Append(std::string_view arg = "1") {
    window.now += 1;
    REQUIRE(window.client().TxBegin(window.now).ok());
    const Data operation = Data::Array{Data("chat"), Data()};
    REQUIRE(window.client().TxOp(8, 0, operation).ok());
    const Result<Data> done =
        window.client().TxCommit(Data::Object{{"name", "said"}, {"arg", arg}});
    REQUIRE(done.ok());
    window.Obeyed(done.value()["effects"]);
    return done.value()["id"].as_string();
  }
  void Store(uint64_t revision, Data state) {
    window.Event(Data::Object{{"type", "streamState"},
                              {"stream", kStreamHandle},
                              {"revision", revision},
                              {"state", std::move(state)}});
    window.Settle();
  }
};

using ShownIds = Vector<std::string>;

}  // namespace skerry::client_test

#endif  // SKERRY_TEST_CORE_CLIENT_STREAM_WINDOW_H_
