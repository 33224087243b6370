// The part of the module skerry that is the core of a window (docs/internals.md, section 7;
// docs/window.md). Bindings only. Handles are small numbers; 0 is none.
//
// What happens for every event, row, query or operation is a raw export over the buffers of abi.h:
// it makes no object in JavaScript, and its input is copied once. All else is bound by Embind.
#include <emscripten/bind.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "abi.h"
#include "base/vector.h"
#include "client/client.h"

namespace skerry::abi {
namespace {

Handles<Client>& Clients() {
  static Handles<Client> clients;
  return clients;
}

int32_t OutputStream(const Vector<uint32_t>& stream) { return Output(PackSlots(stream)); }

// Data of ClientOptions -> handle.
int32_t NewClient(const std::string& options) { return Clients().AddMade(options, Client::Create); }

int32_t FreeClient(int32_t handle) { return Clients().Remove(handle); }

// Data [{table, where}..] -> 0; fails if the server would reject these scopes.
int32_t CheckScopes(int32_t handle, const std::string& scopes) {
  return Clients().WithData(handle, scopes, [](Client* client, const Data& data) {
    return Done(client->CheckScopes(data));
  });
}

// The body of a record of `mutations` that was made elsewhere -> 0; fails if the user's own role
// forbids it.
int32_t CheckLogged(int32_t handle, const std::string& body) {
  return Clients().With(handle,
                        [&](const Client* client) { return Done(client->CheckLogged(body)); });
}

// Whether the user's own role lets rows of the realm be changed, as far as is known -> 0 or 1.
int32_t MayWrite(int32_t handle, const std::string& realm) {
  return Clients().With(
      handle, [&](const Client* client) { return static_cast<int32_t>(client->MayWrite(realm)); });
}

// A row by its name (Client::Find) -> Data [id of a pending mutation that changes it..].
int32_t PendingOf(int32_t handle, uint32_t table, const std::string& name) {
  return Clients().With(handle, [&](const Client* client) {
    const Result<Data> ids = client->PendingOf(table, name);
    return ids.ok() ? OutputData(ids.value()) : Fail(ids.status());
  });
}

// Undoes, or redoes, in the open transaction -> Data (Client::TxUndo).
int32_t TxUndo(int32_t handle, bool redo) {
  return Clients().With(handle, [&](Client* client) {
    const Result<Data> kept = client->TxUndo(redo ? UndoWay::kRedo : UndoWay::kUndo);
    return kept.ok() ? OutputData(kept.value()) : Fail(kept.status());
  });
}

EMSCRIPTEN_BINDINGS(skerry_window) {
  emscripten::function("newClient", &NewClient);
  emscripten::function("freeClient", &FreeClient);
  emscripten::function("checkScopes", &CheckScopes);
  emscripten::function("checkLogged", &CheckLogged);
  emscripten::function("mayWrite", &MayWrite);
  emscripten::function("pendingOf", &PendingOf);
  emscripten::function("txUndo", &TxUndo);
}

}  // namespace
}  // namespace skerry::abi

using skerry::Client;
using skerry::Data;
using skerry::Result;
using skerry::Status;
namespace abi = skerry::abi;

SKERRY_EXPORT int32_t sk_client_handle(int32_t handle, int32_t length) {
  return abi::Clients().WithData(handle, length, [](Client* client, Data event) {
    return abi::OutputData(client->Handle(std::move(event)));
  });
}

SKERRY_EXPORT int32_t sk_client_load(int32_t handle, char* bytes) {
  skerry::SharedBytes part = abi::Adopt(bytes);
  return abi::Clients().With(
      handle, [&](Client* client) { return abi::Done(client->LoadPart(std::move(part))); });
}

SKERRY_EXPORT int32_t sk_tx_begin(int32_t handle, double now) {
  return abi::Clients().With(handle,
                             [now](Client* client) { return abi::Done(client->TxBegin(now)); });
}

SKERRY_EXPORT int32_t sk_tx_again(int32_t handle, int32_t length) {
  return abi::Clients().With(handle, [=](Client* client) {
    const Result<bool> may = client->TxAgain(abi::Input(length));
    if (!may.ok()) return abi::Fail(may.status());
    return may.value() ? 1 : 0;
  });
}

SKERRY_EXPORT int32_t sk_tx_op(int32_t handle, int32_t call, int32_t table, int32_t length) {
  return abi::Clients().WithData(handle, length, [=](Client* client, const Data& operation) {
    Result<skerry::OpOutcome> outcome = client->TxOp(call, static_cast<uint32_t>(table), operation);
    if (!outcome.ok()) return abi::Fail(outcome.status());
    abi::Output(std::move(outcome.value().id));
    return outcome.value().changed ? 1 : 0;
  });
}

SKERRY_EXPORT int32_t sk_tx_create(int32_t handle, int32_t table, int32_t length) {
  return abi::Clients().WithData(handle, length, [table](Client* client, const Data& batch) {
    std::string made;
    const Status status = client->TxCreateMany(static_cast<uint32_t>(table), batch, &made);
    return status.ok() ? abi::Output(std::move(made)) : abi::Fail(status);
  });
}

SKERRY_EXPORT int32_t sk_tx_commit(int32_t handle, int32_t length) {
  return abi::Clients().WithData(handle, length, [](Client* client, const Data& action) {
    Result<Data> committed = client->TxCommit(action);
    return committed.ok() ? abi::OutputData(committed.value()) : abi::Fail(committed.status());
  });
}

SKERRY_EXPORT int32_t sk_tx_rollback(int32_t handle) {
  return abi::Clients().With(handle,
                             [](Client* client) { return abi::OutputData(client->TxRollback()); });
}

SKERRY_EXPORT int32_t sk_find(int32_t handle, int32_t table, int32_t length) {
  return abi::Clients().With(handle, [=](const Client* client) {
    const auto slot = client->Find(static_cast<uint32_t>(table), abi::Input(length));
    if (!slot.ok()) return abi::Fail(slot.status());
    if (slot.value() != skerry::kNoSlot) return static_cast<int32_t>(slot.value());
    return -static_cast<int32_t>(skerry::Code::kNotFound);
  });
}

SKERRY_EXPORT int32_t sk_row(int32_t handle, int32_t table, int32_t slot) {
  return abi::Clients().With(handle, [=](const Client* client) {
    return abi::Done(client->EncodeRow(static_cast<uint32_t>(table), static_cast<uint32_t>(slot),
                                       &abi::EmptyOutput()));
  });
}

SKERRY_EXPORT int32_t sk_rows(int32_t handle, int32_t table, int32_t length) {
  return abi::Clients().With(handle, [=](const Client* client) {
    return abi::Done(
        client->EncodeRows(static_cast<uint32_t>(table), abi::Input(length), &abi::EmptyOutput()));
  });
}

SKERRY_EXPORT int32_t sk_is_pending(int32_t handle, int32_t table, int32_t length) {
  return abi::Clients().With(handle, [=](const Client* client) {
    const auto pending = client->IsPending(static_cast<uint32_t>(table), abi::Input(length));
    return pending.ok() ? static_cast<int32_t>(pending.value()) : abi::Fail(pending.status());
  });
}

SKERRY_EXPORT int32_t sk_query_new(int32_t handle, int32_t length) {
  return abi::Clients().WithData(handle, length, [](Client* client, const Data& description) {
    Result<uint32_t> query = client->QueryNew(description);
    return query.ok() ? static_cast<int32_t>(query.value()) : abi::Fail(query.status());
  });
}

SKERRY_EXPORT int32_t sk_query_free(int32_t handle, int32_t query) {
  return abi::Clients().With(handle, [query](Client* client) {
    client->QueryFree(static_cast<uint32_t>(query));
    return 0;
  });
}

SKERRY_EXPORT int32_t sk_query_run(int32_t handle, int32_t query) {
  return abi::Clients().With(handle, [query](Client* client) {
    skerry::Vector<uint32_t> stream;
    const Status status = client->QueryRun(static_cast<uint32_t>(query), &stream);
    return status.ok() ? abi::OutputStream(stream) : abi::Fail(status);
  });
}

SKERRY_EXPORT int32_t sk_query_count(int32_t handle, int32_t query) {
  return abi::Clients().With(handle, [query](Client* client) {
    Result<uint32_t> count = client->QueryCount(static_cast<uint32_t>(query));
    return count.ok() ? static_cast<int32_t>(count.value()) : abi::Fail(count.status());
  });
}

SKERRY_EXPORT int32_t sk_query_aggregate(int32_t handle, int32_t query, int32_t kind,
                                         int32_t column) {
  return abi::Clients().With(handle, [=](Client* client) {
    Result<Data> value =
        client->QueryAggregate(static_cast<uint32_t>(query), kind, static_cast<uint32_t>(column));
    return value.ok() ? abi::OutputData(value.value()) : abi::Fail(value.status());
  });
}

SKERRY_EXPORT int32_t sk_live_open(int32_t handle, int32_t query) {
  return abi::Clients().With(handle, [query](Client* client) {
    skerry::Vector<uint32_t> stream;
    Result<uint32_t> live = client->LiveOpen(static_cast<uint32_t>(query), &stream);
    if (!live.ok()) return abi::Fail(live.status());
    abi::OutputStream(stream);
    return static_cast<int32_t>(live.value());
  });
}

SKERRY_EXPORT int32_t sk_live_close(int32_t handle, int32_t live) {
  return abi::Clients().With(handle, [live](Client* client) {
    client->LiveClose(static_cast<uint32_t>(live));
    return 0;
  });
}

SKERRY_EXPORT int32_t sk_drain(int32_t handle) {
  return abi::Clients().With(handle,
                             [](Client* client) { return abi::OutputData(client->Drain()); });
}
