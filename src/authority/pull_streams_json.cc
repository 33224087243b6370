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
      read.snapshots.push_back({item["stream"].as_string(), item["version"].as_u64(),
                                item["revision"].as_u64(), item["hash"].as_string()});
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

// There may be thousands of actions: each is passed on as text.
void PullSession::AddStreams(Data* answer) const {
  Data streams = Data::MakeArray();
  for (const PullStream& stream : pull_.answer().streams) {
    std::string actions = "[";
    for (const std::string& action : stream.actions) {
      if (actions.size() > 1) actions.push_back(',');
      actions += action;
    }
    actions.push_back(']');
    Data item = Fields{{"realm", stream.realm}};
    item.Set("stream", stream.stream).Set("revision", stream.revision);
    item.Set("actions", Data::Json(std::move(actions)));
    if (const auto& snapshot = stream.snapshot; snapshot.has_value()) {
      Data told = Fields{{"version", snapshot->version}, {"revision", snapshot->revision}};
      item.Set("snapshot", told.Set("hash", snapshot->hash));
    }
    streams.Push(std::move(item));
  }
  answer->Set("streams", std::move(streams));
  if (!pull_.request().streams.empty()) answer->Set("streamsFilled", StreamsFilled());
}

Data PullSession::StreamsFilled() const {
  Vector<Data::Object> filled(pull_.request().streams.size());
  Vector<Data::Object> from(filled.size());
  for (const PullStreamFilled& place : pull_.answer().streams_filled) {
    filled[place.scope].emplace_back(place.realm, place.filled);
    if (place.from) from[place.scope].emplace_back(place.realm, *place.from);
  }
  Data list = Data::MakeArray();
  for (size_t i = 0; i < filled.size(); ++i) {
    Data item = Fields{{"stream", pull_.request().streams[i].pattern}};
    item.Set("filled", Data(std::move(filled[i])));
    if (!from[i].empty()) item.Set("from", Data(std::move(from[i])));
    list.Push(std::move(item));
  }
  return list;
}

}  // namespace skerry
