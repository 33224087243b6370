// The part of the module skerry that reads and writes data for export, import and adoption
// (docs/accounts.md; js/api/account/portable-core.ts owns it). Bindings only. Handles are small numbers.
//
// A handle reads the confirmed state (parts of an image, then records), returns its rows as plain
// objects, divides rows into the mutations that create them, and converts mutations between the body of
// a record and a form that people can read.
#include <emscripten/bind.h>

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

// Data {schema, seed: bytes32} -> handle.
int32_t NewPortable(const std::string& input) {
  Result<Data> options = DecodeData(input);
  if (!options.ok()) return Fail(options.status());
  Result<Schema> schema = Schema::Parse(options.value()["schema"]);
  if (!schema.ok()) return Fail(schema.status());
  return portables.Add(
      std::make_unique<Portable>(std::move(schema.value()), options.value()["seed"].as_bytes()));
}

int32_t FreePortable(int32_t handle) { return portables.Remove(handle); }

// Adds a part of the image to the rows: so many bytes at an address of sk_alloc.
int32_t PortableLoad(int32_t handle, uintptr_t address, size_t length) {
  return portables.With(handle, [&](Portable* portable) {
    return Done(portable->compactor.AddPart({reinterpret_cast<const char*>(address), length}));
  });
}

// Folds the body of a record of `updates` into the rows.
int32_t PortableApply(int32_t handle, const std::string& input) {
  return portables.With(
      handle, [&](Portable* portable) { return Done(portable->compactor.AddRecord(input)); });
}

// Lists the rows of a table for PortableRows -> their number.
int32_t PortableList(int32_t handle, int32_t table) {
  return portables.With(handle, [&](Portable* portable) {
    portable->keys = portable->compactor.base().BaseKeys(static_cast<TableIndex>(table));
    return static_cast<int32_t>(portable->keys.size());
  });
}

// `count` rows of the list, beginning with index `from` -> Data [PlainRow..].
int32_t PortableRows(int32_t handle, int32_t table, int32_t from, int32_t count) {
  return portables.With(handle, [&](Portable* portable) {
    const auto index = static_cast<TableIndex>(table);
    const size_t begin = std::min(static_cast<size_t>(from), portable->keys.size());
    const size_t end = std::min(begin + static_cast<size_t>(count), portable->keys.size());
    Data rows = Data::MakeArray();
    for (size_t i = begin; i < end; ++i) {
      const auto& [id, realm] = portable->keys[i];
      const auto row = portable->compactor.base().GetBase(realm, {index, id});
      if (row) rows.Push(PlainRow(portable->schema.table(index), id, *row, true));
    }
    return OutputData(rows);
  });
}

// The body of a row of `actions` -> Data, as ActionsToData makes it.
int32_t PortableActions(int32_t handle, const std::string& input) {
  return portables.With(handle, [&](Portable* portable) {
    const auto actions = DecodeActions(portable->schema, input);
    if (!actions.ok()) return Fail(actions.status());
    return OutputData(ActionsToData(actions.value()));
  });
}

// The body of a mutation -> Data, as MutationToData makes it. `leftOut`: why something of it is not
// there, if the schema has no place for that.
int32_t PortableRead(int32_t handle, const std::string& input) {
  return portables.With(handle, [&](Portable* portable) {
    Status left_out;
    Result<Mutation> mutation = DecodeMutation(portable->schema, input, &left_out);
    if (!mutation.ok()) return Fail(mutation.status());
    Data data = MutationToData(portable->schema, mutation.value());
    if (!left_out.ok()) data.Set("leftOut", left_out.detail());
    return OutputData(data);
  });
}

// Data for MutationFromData; without an id for a new mutation -> Data: the record to store. In place of
// ops, `places` has those of what was added and ordered.
int32_t PortableWrite(int32_t handle, const std::string& input) {
  return portables.WithData(handle, input, [](Portable* portable, Data data) {
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
    Result<Mutation> mutation = MutationFromData(portable->schema, data);
    if (!mutation.ok()) return Fail(mutation.status());
    return OutputData(MakeMutationRecord(portable->schema, mutation.value()).Write());
  });
}

// Data: a list of ops `create`, which CreationOrder takes. They are kept for PortableWrite.
int32_t PortableAdd(int32_t handle, const std::string& input) {
  return portables.WithData(handle, input, [](Portable* portable, Data ops) {
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
int32_t PortableOrder(int32_t handle) {
  return portables.With(handle,
                        [](Portable* portable) { return OutputData(portable->creations.Take()); });
}

EMSCRIPTEN_BINDINGS(skerry_portable) {
  emscripten::function("newPortable", &NewPortable);
  emscripten::function("freePortable", &FreePortable);
  emscripten::function("portableLoad", &PortableLoad);
  emscripten::function("portableApply", &PortableApply);
  emscripten::function("portableList", &PortableList);
  emscripten::function("portableRows", &PortableRows);
  emscripten::function("portableActions", &PortableActions);
  emscripten::function("portableRead", &PortableRead);
  emscripten::function("portableWrite", &PortableWrite);
  emscripten::function("portableAdd", &PortableAdd);
  emscripten::function("portableOrder", &PortableOrder);
}

}  // namespace
}  // namespace skerry::abi
