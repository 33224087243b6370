// PullSession: streams.
#include <utility>

#include "authority/pull_json.h"
#include "base/fields.h"
#include "base/json.h"
#include "base/vector.h"

namespace skerry {

void PullSession::LoadStreams(const Data& in) {
  size_t place = 0;
  for (const Data& data : in["streams"].items()) {
    if (data.is_null()) {
      ++place;
      continue;
    }
    PulledActions read;
    read.has_more = data["more"].as_bool();
    read.floor = data["floor"].as_u64();
    if (const Data* upto = data.Find("upto"); upto != nullptr) read.upto = upto->as_u64();
    for (const Data& item : data["snapshots"].items()) {
      read.snapshots.push_back({item["stream"].as_string(), ReadRecord<wire::Snapshot>(item)});
    }
    for (const Data& item : data["actions"].items()) {
      read.actions.push_back({item["stream"].as_string(), item["revision"].as_u64(),
                              item["position"].as_u64(), item["action"].as_string()});
    }
    pull_.LoadActions(place++, std::move(read));
  }
}

void PullSession::AddStreamNeeds(Data* data) const {
  Data streams = Data::MakeArray();
  for (const PullNeeds::Streams& item : pull_.needs().streams) {
    const StreamScope& scope = pull_.request().streams[item.scope];
    Data need = Fields{{"realm", item.realm}, {"stream", scope.pattern}};
    need.Set("version", scope.version.has_value() ? Data(*scope.version) : Data());
    need.Set("migrates", scope.migrates);
    need.Set("from", item.from).Set("upto", item.upto);
    streams.Push(need.Set("last", item.last == 0 ? Data() : Data(item.last)));
  }
  data->Set("streams", std::move(streams));
}

}  // namespace skerry
