#include "test/sim/window_streams.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/fields.h"
#include "base/json.h"

namespace skerry::sim {
namespace {

Data EventFor(std::string_view type, const OpenStream& stream) {
  return Fields{{"type", type}, {"stream", stream.handle}};
}

}  // namespace

WindowStreams::WindowStreams(const test::naive::Names& realms, uint64_t serial, uint64_t version) {
  auto realm = realms.begin();
  std::advance(realm, serial % realms.size());
  for (const char* name : {kPlainStream, kReducedStream, kStreamWithPrefix}) {
    OpenStream stream;
    stream.handle = 1 + open_.size();
    stream.realm = *realm;
    stream.name = name;
    if (stream.name == kReducedStream) stream.version = version;
    stream.shown.is_reduced = stream.version != 0;
    open_.push_back(std::move(stream));
  }
}

Vector<Data> WindowStreams::Opening() const {
  Vector<Data> events;
  for (const OpenStream& stream : open_) {
    Data event = EventFor("streamOpen", stream);
    event.Set("realm", stream.realm).Set("name", stream.name).Set("keep", kKeep);
    if (stream.version != 0) event.Set("reducer", stream.version).Set("migrates", true);
    events.push_back(std::move(event));
  }
  return events;
}

Data WindowStreams::Wanted() const {
  Data add = Data::MakeArray();
  add.Push(Data::MakeObject().Set("stream", kStreamPrefix));
  for (const OpenStream& stream : open_) {
    Data wanted = Data::MakeObject();
    wanted.Set("stream", stream.name);
    if (stream.name == kStreamWithPrefix) continue;
    if (stream.version == 0) {
      wanted.Set("last", kKeep);
    } else {
      wanted.Set("reducer", stream.version).Set("migrates", true);
    }
    add.Push(std::move(wanted));
  }
  return Fields{{"type", "streams"}, {"add", std::move(add)}};
}

std::string WindowStreams::Take(const Data& news) {
  for (const Data& one : news.items()) {
    for (OpenStream& stream : open_) {
      if (stream.handle != one["stream"].as_u64()) continue;
      const std::string problem = stream.shown.Take(one);
      if (!problem.empty()) return stream.name + ": " + problem;
    }
  }
  return {};
}

Vector<std::string> WindowStreams::FoldedBy(const OpenStream& stream) {
  Vector<std::string> folded;
  if (!stream.shown.state.empty())
    folded = test::ActionsOfState(ParseJson(stream.shown.state).value());
  folded.insert(folded.end(), stream.shown.order.begin(), stream.shown.order.end());
  return folded;
}

Vector<Data> WindowStreams::Folding() const {
  Vector<Data> events;
  for (const OpenStream& stream : open_) {
    Data event = EventFor("streamState", stream);
    const auto& confirmed = stream.shown.confirmed;
    if (!stream.shown.whole || confirmed.empty()) continue;
    if (stream.version != 0) {
      event.Set("revision", stream.shown.upto);
      event.Set("state", WriteJson(test::StateOf(stream.version, FoldedBy(stream))));
    } else {
      const auto count = static_cast<ptrdiff_t>(std::min<size_t>(confirmed.size(), kKeep));
      event.Set("revision", std::prev(confirmed.end(), count)->first.first);
    }
    events.push_back(std::move(event));
  }
  return events;
}

Data WindowStreams::AnyAppend(const test::naive::Names& realms, Random* random) {
  static constexpr const char* kNames[] = {kPlainStream,      kReducedStream, kReducedStream,
                                           kStreamWithPrefix, "log/2",        "other"};
  auto realm = realms.begin();
  std::advance(realm, random->Below(realms.size()));
  return Data::MakeArray().Push(kNames[random->Below(std::size(kNames))]).Push(*realm);
}

}  // namespace skerry::sim
