// SocketWorld: two windows of one client, or these as the helpers of a service worker, whose poke sockets a small server
// answers, refuses, or leaves without an answer.
#ifndef SKERRY_TEST_CORE_SYNC_SOCKET_WORLD_H_
#define SKERRY_TEST_CORE_SYNC_SOCKET_WORLD_H_

#include <string>
#include <string_view>

#include "doctest/doctest.h"
#include "test/core/sync/sync_fixture.h"
#include "test/core/sync/sync_world.h"

namespace skerry::sync_test {

// What the server of the sockets does.
enum class Line : uint8_t { kAnswers, kOlder, kSilent, kRefuses };

struct SocketWorld : SyncWorld {
  explicit SocketWorld(Line line_in = Line::kAnswers, bool service = false) : line(line_in) {
    for (int i = 0; i < 2; ++i) Open(true, Json(R"({"socket":true})"));
    if (service) {
      OpenService();
      for (size_t i = 0; i < 2; ++i)
        host(i).Post(Json(R"({"type":"service","active":true,"reason":""})"));
    }
    Serve(30'000);
    // A realm that is new comes as a whole; the next change of it should be announced.
    server.Foreign("first", "A", "0");
    Announce(1);
    Serve(5'000);
    REQUIRE(Converged());
  }

  size_t holder() { return lease("listen")["owner"].Is("tab-0") ? 0 : 1; }
  SyncHost& Holder() { return host(holder()); }
  SyncHost& Other() { return host(1 - holder()); }
  size_t opened() { return Count("open"); }
  size_t pings() {
    size_t count = 0;
    for (const std::string& text : Holder().sent_texts) count += text == R"({"type":"ping"})";
    return count;
  }
  size_t Count(std::string_view action) {
    size_t count = 0;
    for (size_t i = 0; i < 2; ++i) {
      for (const std::string& one : host(i).socket) count += one == action;
    }
    return count;
  }

  void Say(SyncHost* to, std::string_view text) {
    Data event = Json(R"({"type":"socket","state":"message"})");
    to->Deliver(std::move(event.Set("text", text)));
  }
  void Announce(uint64_t revision) {
    Say(&Holder(), R"({"type":"poke","realm":"A","revision":)" + std::to_string(revision) + "}");
  }
  void Drop(double code = 1006) {
    Data event = Json(R"({"type":"socket","state":"closed"})");
    Holder().Deliver(std::move(event.Set("code", code)));
  }

  void Serve(double ms) {
    for (const double end = mono + ms; mono < end;) {
      Run(250);
      for (size_t i = 0; i < 2; ++i) Answer(&host(i), &served[i]);
      Settle();
    }
  }

  struct Served {
    size_t actions = 0, texts = 0;
  };
  void Answer(SyncHost* to, Served* at) {
    while (at->actions < to->socket.size()) {
      const std::string& action = to->socket[at->actions++];
      if (action == "open") {
        if (line == Line::kRefuses)
          to->Deliver(Json(R"({"type":"socket","state":"closed","code":1006})"));
        else if (line != Line::kSilent)
          to->Deliver(Json(R"({"type":"socket","state":"open"})"));
      } else if (action == "send") {
        const std::string& text = to->sent_texts[at->texts++];
        if (line == Line::kSilent) continue;
        if (text == R"({"type":"ping"})") {
          REQUIRE(line == Line::kAnswers);  // an older server closes such a socket
          Say(to, R"({"type":"pong"})");
        } else {
          Say(to, line == Line::kOlder ? R"({"type":"ready"})"
                                       : R"({"type":"ready","features":["ping"]})");
        }
      }
    }
  }

  void CheckBoth(bool connected, std::string_view phase) {
    for (size_t i = 0; i < 2; ++i) {
      CAPTURE(i);
      CHECK(host(i).status["connected"].as_bool() == connected);
      CHECK(host(i).status["phase"].as_string() == phase);
      CHECK(host(i).status["lastHeardAt"] == host(0).status["lastHeardAt"]);
    }
  }
  double now() { return 1'000'000 + mono; }

  Line line;
  Served served[2];
};

}  // namespace skerry::sync_test

#endif  // SKERRY_TEST_CORE_SYNC_SOCKET_WORLD_H_
