// A world with one window whose first pull is done, for the tests of pushes.
#ifndef SKERRY_TEST_CORE_SYNC_PUSHING_H_
#define SKERRY_TEST_CORE_SYNC_PUSHING_H_

#include <string_view>

#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {

struct Pushing : SyncWorld {
  Pushing() {
    Open();
    Settle();
  }
  Data LastPush() const { return ParseJson(push_bodies.back()).value(); }
  Data FirstOutbox() const {
    const auto& store = const_cast<FakeStorage&>(storage).store("outbox");
    return store.empty() ? Data() : store.begin()->second;
  }
  // The last message of this type on the channel.
  Data Heard(std::string_view type) const {
    for (size_t i = messages.size(); i > 0; --i) {
      if (messages[i - 1]["type"].as_string() == type) return messages[i - 1];
    }
    return nullptr;
  }
  Data Inbox(size_t i) { return storage.Get("conflicts", static_cast<uint64_t>(i + 1)); }
};

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_PUSHING_H_
