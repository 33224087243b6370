// ShownStream: what an application's code makes of the drained news of a stream: the confirmed
// actions in the order of their places, and the pending ones after them. It checks what the core
// promises about the news: Take returns what is wrong; empty: nothing.
#ifndef SKERRY_TEST_CORE_CLIENT_SHOWN_STREAM_H_
#define SKERRY_TEST_CORE_CLIENT_SHOWN_STREAM_H_

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/data.h"
#include "base/vector.h"

namespace skerry::test {

struct ShownStream {
  using Place = std::pair<uint64_t, uint64_t>;
  bool is_reduced = false;
  std::map<Place, std::string> confirmed;  // ids
  Vector<std::string> order;               // of a reduced stream: ids, as they were handed over
  Vector<std::string> pending;
  uint64_t state_revision = 0;  // of the state with which it began; 0: none
  std::string state;
  uint64_t upto = 0;
  bool loaded = false;
  bool whole = false;

  std::string Take(const Data& news) {
    std::string problem;
    if (news["reset"].as_bool()) {
      confirmed.clear();
      order.clear();
      state.clear();
      state_revision = 0;
    }
    if (news["state"].is_object()) {
      if (!confirmed.empty()) problem = "a state came after actions";
      state = news["state"]["state"].as_json();
      state_revision = news["state"]["revision"].as_u64();
    }
    for (const Data& action : news["actions"].items()) {
      const Data::Array& place = action["place"].items();
      const Place at{place[0].as_u64(), place[1].as_u64()};
      // A reduced stream is handed over in order, each action once.
      if (is_reduced) {
        const bool is_next = confirmed.empty() || confirmed.rbegin()->first < at;
        if (!is_next || at.first <= state_revision) problem = "an action came out of order";
        order.push_back(action["id"].as_string());
      }
      confirmed[at] = action["id"].as_string();
    }
    const Data& changed = news["pending"];
    for (const Data& id : changed["removed"].items()) erase(pending, id.as_string());
    if (changed["all"].is_array()) pending.clear();
    for (const Data& action : changed["all"].items()) pending.push_back(action["id"].as_string());
    for (const Data& action : changed["added"].items()) pending.push_back(action["id"].as_string());
    upto = news["upto"].as_u64();
    loaded = news["loaded"].as_bool();
    whole = news["whole"].as_bool();
    return problem;
  }

  // Ids that are confirmed and pending.
  Vector<std::string> Twice() const {
    Vector<std::string> ids;
    for (const auto& [place, id] : confirmed) {
      if (std::find(pending.begin(), pending.end(), id) != pending.end()) ids.push_back(id);
    }
    return ids;
  }

  // Confirmed and pending ids, in order.
  Vector<std::string> Ids() const {
    Vector<std::string> ids;
    for (const auto& [place, id] : confirmed) ids.push_back(id);
    ids.insert(ids.end(), pending.begin(), pending.end());
    return ids;
  }
};

}  // namespace skerry::test

#endif  // SKERRY_TEST_CORE_CLIENT_SHOWN_STREAM_H_
