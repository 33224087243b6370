// The request of a pull.
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "base/vector.h"
#include "sync/grouping.h"
#include "sync/pull.h"
#include "sync/records.h"
#include "sync/scopes.h"

namespace skerry {
namespace {

// As many as one request may ask for; the others wait for a later one.
Data AskedFor(const Data& known, Set<String>* asked) {
  Data ids = Data::MakeArray();
  for (const Data& entry : known.items()) {
    if (asked->size() == kMaxKnownAsked) break;
    if (asked->insert(entry["id"].as_string()).second) ids.Push(entry["id"]);
  }
  return ids;
}

}  // namespace

PullRequest MakePullRequest(const Schema& schema, const Data& sync, const Vector<Data>& outbox,
                            uint64_t limit) {
  PullRequest request;
  request.cursors = sync["cursors"];
  request.scope_version = sync["scopeVersion"].as_u64();
  request.scopes = sync["scopes"];
  Data have = Data::MakeArray();
  for (const Data& update : outbox) {
    if (update["state"].Is("received")) request.received.insert(update["id"].as_string());
    if (IsNewer(update) || !IsReadable(schema, update)) continue;
    have.Push(update["id"]);
    request.have.insert(update["id"].as_string());
  }
  Data scopes = Data::MakeArray();
  for (const Data& scope : request.scopes.items()) {
    if (!Understands(schema, scope)) {
      request.left_out = true;
      continue;
    }
    Data sent = Data::MakeObject();
    sent.Set("table", scope["table"]).Set("where", scope["where"]).Set("filled", scope["filled"]);
    scopes.Push(std::move(sent));
  }
  Data body = Data::MakeObject();
  body.Set("client", sync["client"])
      .Set("schema", schema.version())
      .Set("cursors", request.cursors);
  body.Set("realmsToken", sync["realmsToken"])
      .Set("have", std::move(have))
      .Set("seen", sync["seen"]);
  body.Set("scopes", std::move(scopes)).Set("limit", limit).Set("refill", true);
  if (Data known = AskedFor(sync["known"], &request.known); !known.items().empty())
    body.Set("known", std::move(known));
  request.body = WriteJson(body);
  return request;
}

}  // namespace skerry
