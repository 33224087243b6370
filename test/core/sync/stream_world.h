// StreamWorld: workers of one client and the real authority, whose server has streams in realm A.
#ifndef SKERRY_TEST_CORE_SYNC_STREAM_WORLD_H_
#define SKERRY_TEST_CORE_SYNC_STREAM_WORLD_H_

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "log/codec.h"
#include "log/stream_record.h"
#include "sync/pull.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {

struct StreamWorld : SyncWorld {
  StreamWorld() {
    Open();
    Settle();
  }
  void Want(std::string_view streams) {
    Data message = Json(R"({"type":"streams"})");
    host(0).Post(message.Set("add", Json(streams)));
    Settle();
  }
  void Sync() {
    host(0).Post(Json(R"({"type":"sync","id":1})"));
    Settle();
  }
  void Say(const std::string& stream, int times = 1) {
    for (int i = 0; i < times; ++i) server.ForeignAppend(stream, "A", "x");
  }
  // The places that are stored of a stream, and whether one is stored twice.
  std::set<ActionPlace> Stored(const std::string& stream, bool* twice = nullptr) {
    std::set<ActionPlace> places;
    const KeyRange keys = KeysOfStream("A", stream);
    for (const Data& value : storage.Between("actions", keys.from.data(), keys.to.data())) {
      const auto actions = DecodeActions(SyncSchema(), value["body"].as_bytes());
      for (const StreamAction& action : actions.value()) {
        const bool is_new = places.insert(action.place).second;
        if (!is_new && twice != nullptr) *twice = true;
      }
    }
    return places;
  }
  std::set<ActionPlace> OnServer(const std::string& stream) {
    std::set<ActionPlace> places;
    for (const Data& append : server.database().appends("A")) {
      if (append["stream"].as_string() == stream)
        places.insert({append["revision"].as_u64(), append["position"].as_u64()});
    }
    return places;
  }
  bool IsWhole(const std::string& stream) {
    bool twice = false;
    return Stored(stream, &twice) == OnServer(stream) && !twice;
  }
  Data Behind(size_t i = 0) { return sync()["streams"].items()[i]["behind"]; }
  // The actions in all records, by stream.
  std::multiset<ActionPlace> Recorded(const std::string& stream) {
    std::multiset<ActionPlace> places;
    for (const auto& [n, record] : storage.store("updates")) {
      const auto steps = DecodeSteps(SyncSchema(), record["body"].as_bytes());
      for (const Step& step : steps.value()) {
        if (step.kind != StepKind::kActions || step.stream != stream) continue;
        for (const StreamAction& action : step.actions) places.insert(action.place);
      }
    }
    return places;
  }
};

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_STREAM_WORLD_H_
