// The request of a pull.
#include "log/wire/pull_request.h"

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

// Adds a mutation, up to the limit of one request; the others wait for a later one. Returns false
// if there is no room.
bool AskFor(const std::string& mutation, Set<std::string>* asked) {
  if (asked->size() < kMaxKnownAsked) asked->insert(mutation);
  return asked->contains(mutation);
}

}  // namespace

PullRequest MakePullRequest(const Schema& schema, const SyncRecord& sync,
                            const Vector<OutboxRecord>& outbox, uint64_t limit, PullAsks asks) {
  PullRequest request;
  request.cursors = sync.cursors;
  request.scope_version = sync.scope_version;
  request.scopes = sync.scopes;
  request.streams = sync.streams;
  wire::PullRequest body;
  for (const OutboxRecord& update : outbox) {
    const bool received = update.received();
    if (received) request.received.insert(update.id);
    if (IsNewer(update)) continue;
    if (!IsReadable(schema, update)) {
      // An update that was not received yet is pushed again. A received one is in the log as a
      // whole, so one of its actions is enough.
      const Vector<NamedMutation>& mutations = update.mutations;
      if (received && !mutations.empty() && AskFor(mutations[0].id, &request.known))
        request.unread.insert(update.id);
      continue;
    }
    body.have.push_back(update.id);
    request.have.insert(update.id);
  }
  for (const SyncScope& scope : request.scopes) {
    if (Understands(schema, scope)) {
      body.scopes.push_back({scope.table, scope.where, scope.filled});
    } else {
      request.left_out = true;
    }
  }
  body.client = sync.client;
  body.schema = schema.version();
  body.cursors = request.cursors;
  body.realms_token = sync.realms_token;
  body.seen = sync.seen;
  body.limit = limit;
  body.refill = true;
  if (sync.streams.has_value()) body.streams = StreamsOfRequest(sync);
  for (const KnownMutation& known : sync.known) AskFor(known.id, &request.known);
  // The realms of which rows are held without a cursor: the server may have lost them.
  Vector<std::string> held = sync.lost.value_or(Vector<std::string>());
  for (const std::string& realm : sync.refill) {
    if (!Contains(held, realm)) held.push_back(realm);
  }
  if (!held.empty()) body.lost = std::move(held);
  for (const auto& [realm, place] : sync.lost_at) {
    if (place.offered != true || !place.given.has_value()) continue;
    if (!body.given.has_value()) body.given.emplace();
    (*body.given)[realm] = *place.given;
  }
  if (!request.known.empty()) body.known.emplace(request.known.begin(), request.known.end());
  if (asks.floors || !request.known.empty()) body.floors = true;
  if (!asks.images) body.images = false;
  request.body = WriteJson(WriteMembers(body));
  return request;
}

}  // namespace skerry
