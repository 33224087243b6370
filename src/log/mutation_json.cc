// Mutations in the form of an export: people can read it, and an import logs it again
// (log/codec.h):
//   {"id","name","at","arg","base":{realm: revision},"ops":[op]}
// The members are those of an update on the wire with one action.
#include <utility>

#include "log/codec.h"

namespace skerry {

Data MutationToData(const Schema& schema, const Mutation& mutation) {
  Data base = Data::MakeObject();
  for (const auto& [realm, revision] : mutation.base) base.Set(realm, revision);
  Data ops = Data::MakeArray();
  for (const Op& op : mutation.ops) ops.Push(OpToData(schema, op, 1));
  Data data = Data::MakeObject();
  data.Set("id", mutation.action.id)
      .Set("name", mutation.action.name)
      .Set("at", mutation.action.at)
      .Set("arg", mutation.action.arg.empty() ? Data() : Data::Json(mutation.action.arg))
      .Set("base", std::move(base))
      .Set("ops", std::move(ops));
  return data;
}

Result<Mutation> MutationFromData(const Schema& schema, const Data& data) {
  // Reads it as an update that begins its chain, because all checks of an update apply here, too. It
  // rejects ops that cannot be read. The ops are read once: an import may have many.
  Data after = Data::MakeObject();
  for (const Data& item : data["ops"].items()) {
    after.Set(item["realm"].as_string(), nullptr);
    if (item["to"].is_string()) after.Set(item["to"].as_string(), nullptr);
  }
  Data action = Data::MakeObject();
  action.Set("id", data["id"]).Set("name", data["name"]).Set("at", data["at"]);
  action.Set("arg", data["arg"]);
  Data actions = Data::MakeArray();
  actions.Push(std::move(action));
  Data whole = Data::MakeObject();
  whole.Set("id", data["id"]).Set("after", std::move(after)).Set("base", data["base"]);
  whole.Set("at", data["at"]).Set("actions", std::move(actions)).Set("ops", data["ops"]);
  Result<Update> update = UpdateFromData(schema, whole);
  if (!update.ok()) return update.status();
  Mutation mutation;
  mutation.action = std::move(update.value().actions[0]);
  mutation.ops = std::move(update.value().ops);
  mutation.base = std::move(update.value().base);
  return mutation;
}

}  // namespace skerry
