// The part of the module skerry that reads and writes data for export, import and adoption
// (docs/accounts.md; js/api/account/portable-core.ts owns it). Handles are small numbers.
//
// A handle reads the confirmed state (parts of an image, then records), returns its rows as plain
// objects, divides rows into the mutations that create them, and converts mutations between the body of
// a record and a form that people can read.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "abi.h"
#include "base/data.h"
#include "base/id.h"
#include "base/random.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/creation_order.h"
#include "log/mutation_record.h"
#include "log/row_data.h"
#include "log/stream_action.h"
#include "model/schema.h"
#include "sync/image_compactor.h"

namespace skerry::abi {
namespace {

struct Portable {
  Portable(Schema schema_in, std::string_view seed)
      : schema(std::move(schema_in)),
        compactor(&schema),
        creations(&schema),
        random(seed),
        ids(&random) {}
  Schema schema;
  ImageCompactor compactor;
  CreationOrder creations;
  Vector<Data> creates;  // what was added
  Random random;
  UuidGenerator ids;
  Vector<std::pair<std::string, std::string>> keys;  // of the listed table: id, realm
};

Handles<Portable> portables;

}  // namespace
}  // namespace skerry::abi

using skerry::Data;
using skerry::Mutation;
using skerry::Result;
using skerry::Schema;
namespace abi = skerry::abi;

// Data {schema, seed: bytes32} -> handle.
SKERRY_EXPORT int32_t sk_portable_new(int32_t length) {
  Result<Data> input = skerry::DecodeData(abi::Input(length));
  if (!input.ok()) return abi::Fail(input.status());
  Result<Schema> schema = Schema::Parse(input.value()["schema"]);
  if (!schema.ok()) return abi::Fail(schema.status());
  return abi::portables.Add(
      std::make_unique<abi::Portable>(std::move(schema.value()), input.value()["seed"].as_bytes()));
}

SKERRY_EXPORT int32_t sk_portable_free(int32_t handle) { return abi::portables.Remove(handle); }

// Adds a part of the image to the rows.
SKERRY_EXPORT int32_t sk_portable_load(int32_t handle, const char* bytes, int32_t length) {
  return abi::portables.With(handle, [=](abi::Portable* portable) {
    return abi::Done(portable->compactor.AddPart({bytes, static_cast<size_t>(length)}));
  });
}

// Folds the body of a record of `updates` into the rows.
SKERRY_EXPORT int32_t sk_portable_apply(int32_t handle, int32_t length) {
  return abi::portables.With(handle, [=](abi::Portable* portable) {
    return abi::Done(portable->compactor.AddRecord(abi::Input(length)));
  });
}

// Lists the rows of a table for sk_portable_rows -> their number.
SKERRY_EXPORT int32_t sk_portable_list(int32_t handle, int32_t table) {
  return abi::portables.With(handle, [=](abi::Portable* portable) {
    portable->keys = portable->compactor.base().BaseKeys(static_cast<skerry::TableIndex>(table));
    return static_cast<int32_t>(portable->keys.size());
  });
}

// `count` rows of the list, beginning with index `from` -> Data [PlainRow..].
SKERRY_EXPORT int32_t sk_portable_rows(int32_t handle, int32_t table, int32_t from, int32_t count) {
  return abi::portables.With(handle, [=](abi::Portable* portable) {
    const auto index = static_cast<skerry::TableIndex>(table);
    const size_t begin = std::min(static_cast<size_t>(from), portable->keys.size());
    const size_t end = std::min(begin + static_cast<size_t>(count), portable->keys.size());
    Data rows = Data::MakeArray();
    for (size_t i = begin; i < end; ++i) {
      const auto& [id, realm] = portable->keys[i];
      const auto row = portable->compactor.base().GetBase(realm, {index, id});
      if (row) rows.Push(skerry::PlainRow(portable->schema.table(index), id, *row, true));
    }
    return abi::OutputData(rows);
  });
}

// The body of a row of `actions` -> Data, as ActionsToData makes it.
SKERRY_EXPORT int32_t sk_portable_actions(int32_t handle, int32_t length) {
  return abi::portables.With(handle, [=](abi::Portable* portable) {
    const auto actions = skerry::DecodeActions(portable->schema, abi::Input(length));
    if (!actions.ok()) return abi::Fail(actions.status());
    return abi::OutputData(skerry::ActionsToData(actions.value()));
  });
}

// The body of a mutation -> Data, as MutationToData makes it. `leftOut`: why something of it is not
// there, if the schema has no place for that.
SKERRY_EXPORT int32_t sk_portable_read(int32_t handle, int32_t length) {
  return abi::portables.With(handle, [=](abi::Portable* portable) {
    skerry::Status left_out;
    Result<Mutation> mutation =
        skerry::DecodeMutation(portable->schema, abi::Input(length), &left_out);
    if (!mutation.ok()) return abi::Fail(mutation.status());
    Data data = skerry::MutationToData(portable->schema, mutation.value());
    if (!left_out.ok()) data.Set("leftOut", left_out.detail());
    return abi::OutputData(data);
  });
}

// Data for MutationFromData; without an id for a new mutation -> Data: the record to store. In place of
// ops, `places` has those of what was added and ordered.
SKERRY_EXPORT int32_t sk_portable_write(int32_t handle, int32_t length) {
  return abi::portables.WithData(handle, length, [](abi::Portable* portable, Data data) {
    const Data& places = data["places"];
    if (places.is_array()) {
      Data ops = Data::MakeArray();
      for (const Data& place : places.items()) {
        const uint64_t at = place.as_u64();
        if (at < portable->creates.size()) ops.Push(std::exchange(portable->creates[at], Data()));
      }
      data.Set("ops", std::move(ops));
    }
    if (data["id"].is_null() && data.is_object())
      data.Set("id", portable->ids.Next(data["at"].as_number()));
    Result<Mutation> mutation = skerry::MutationFromData(portable->schema, data);
    if (!mutation.ok()) return abi::Fail(mutation.status());
    return abi::OutputData(skerry::MakeMutationRecord(portable->schema, mutation.value()).Write());
  });
}

// Data: a list of ops `create`, which CreationOrder takes. They are kept for sk_portable_write.
SKERRY_EXPORT int32_t sk_portable_add(int32_t handle, int32_t length) {
  return abi::portables.WithData(handle, length, [](abi::Portable* portable, Data ops) {
    if (portable->creations.empty()) portable->creates.clear();
    if (!ops.is_array()) return 0;
    for (Data& op : ops.mutable_items()) {
      portable->creations.Add(op);
      portable->creates.push_back(std::move(op));
    }
    return 0;
  });
}

// What was added -> Data, as CreationOrder::Take gives it.
SKERRY_EXPORT int32_t sk_portable_order(int32_t handle) {
  return abi::portables.With(
      handle, [](abi::Portable* portable) { return abi::OutputData(portable->creations.Take()); });
}
