#include "log/left_out.h"

#include <algorithm>

#include "log/codec.h"
#include "log/op_codec.h"
#include "log/wire.h"

namespace skerry {
namespace {

constexpr size_t kMaxNamed = 10;  // reasons that a detail gives

// Keeps only what `is_left_out(prop)` chooses of an op that keeps its place.
template <typename IsLeftOut>
bool KeepContent(const Op& op, Op* part, IsLeftOut is_left_out) {
  *part = op;
  erase_if(part->set, [&](const PropValue& set) { return !is_left_out(set.prop, &set.value); });
  erase_if(part->add, [&](const PropAdd& add) { return !is_left_out(add.prop, nullptr); });
  if (part->Has(kCreates)) part->kind = OpKind::kUpdate;
  part->if_revision.reset();
  return !part->set.empty() || !part->add.empty();
}

bool LeftOutBySchema(const void* self, const Schema& names, const Op& op, Op* part,
                     Vector<Status>* why) {
  const Schema& schema = *static_cast<const Schema*>(self);
  const TableDef& named = names.table(op.table);
  const TableIndex index = schema.FindTable(named.name);
  *part = op;
  if (index == kNone) {
    why->push_back(NoTable(named.name));
    return true;
  }
  const TableDef& table = schema.table(index);
  if (Status id = CheckId(table, op.id); !id.ok()) {
    why->push_back(std::move(id));
    return true;
  }
  return KeepContent(op, part, [&](PropIndex prop, const Value* value) {
    const std::string& name = named.props[prop].name;
    const PropIndex found = table.FindProp(name);
    Status fits = found == kNone     ? NoProp(table.name, name)
                  : value != nullptr ? CheckValue(table, table.props[found], *value)
                                     : CheckAdd(table, found);
    if (fits.ok()) return false;
    why->push_back(std::move(fits));
    return true;
  });
}

bool LeftOutByServer(const void* self, const Schema& names, const Op& op, Op* part,
                     Vector<Status>* why) {
  const TableDef& table = names.table(op.table);
  const auto& items = *static_cast<const ServerLeftOut*>(self);
  const auto item = items.find(ObjectName(table.name, op.id, op.realm));
  if (item == items.end()) return false;
  *part = op;
  if (!item->second.has_value()) {
    why->push_back({Code::kUnknownTable, table.name});
    return true;
  }
  return KeepContent(op, part, [&](PropIndex prop, const Value*) {
    const std::string& name = table.props[prop].name;
    const Vector<std::string>& props = *item->second;
    if (std::find(props.begin(), props.end(), name) == props.end()) return false;
    why->push_back({Code::kUnknownProp, table.name + "." + name});
    return true;
  });
}

struct Objects {
  const Schema* schema;
  const Set<std::string>* names;
};

bool IsOnObject(const void* self, const Schema& names, const Op& op, Op* part, Vector<Status>*) {
  *part = op;
  const auto& objects = *static_cast<const Objects*>(self);
  return objects.names->contains(
      ObjectName(*objects.schema, names.table(op.table).name, op.id, op.realm));
}

// Takes the defaults out of what was left out of a create. They were noted under the names that bodies
// have (log/body.h).
void TakeOutDefaults(const Schema& names, const OldDefaults& defaults, Op* part) {
  const TableDef& table = names.table(part->table);
  const auto known = defaults.find(table.former.First(table.name));
  if (known == defaults.end()) return;
  erase_if(part->set, [&](const PropValue& set) {
    const PropDef& prop = table.props[set.prop];
    const auto found = known->second.find(prop.former.First(prop.name));
    return found != known->second.end() && found->second == DefaultText(set.value);
  });
}

struct Gathered {
  Vector<Op> ops;
  Vector<Status> why;
};

std::string DetailOf(const Vector<Status>& why) {
  std::string detail;
  Vector<std::string> named;
  for (const Status& one : why) {
    if (std::find(named.begin(), named.end(), one.detail()) != named.end()) continue;
    named.push_back(one.detail());
    if (named.size() > kMaxNamed) return detail + ", and others";
    detail += (detail.empty() ? "" : ", ") + one.detail();
  }
  return detail;
}

LeftOutPart PartOf(const Schema& names, const Mutation& whole, Gathered gathered,
                   const Schema* shown) {
  Mutation mutation;
  mutation.action = whole.action;
  mutation.base = whole.base;
  mutation.ops = std::move(gathered.ops);
  const TableDef& table = names.table(mutation.ops[0].table);
  LeftOutPart part;
  part.table = table.name;
  part.id = mutation.ops[0].id;
  part.realm = mutation.ops[0].realm;
  part.detail = DetailOf(gathered.why);
  part.mine = ShownOps(names, mutation.ops, shown);
  part.is_whole = mutation.ops == whole.ops;
  part.body = EncodeMutation(names, mutation);
  return part;
}

}  // namespace

std::string ObjectName(const std::string& table, const std::string& id, const std::string& realm) {
  return table + '\0' + id + '\0' + realm;
}

bool MayMove(const Schema& schema, const std::string& table) {
  const TableIndex known = schema.FindTable(table);
  return known != kNone && !schema.table(known).custom_ids;
}

std::string ObjectName(const Schema& schema, const std::string& table, const std::string& id,
                       const std::string& realm) {
  return ObjectName(table, id, MayMove(schema, table) ? std::string() : realm);
}

Data ValueAsItIs(const Value& value) {
  if (value.kind() != ValueKind::kDate) return ValueToData({}, value, false);
  Data envelope = Data::MakeObject();
  return envelope.Set("$type", "date").Set("v", value.number());
}

Data ShownValue(const Schema& schema, const std::string& table, const std::string& prop,
                const Value& value) {
  const TableIndex known = schema.FindTable(table);
  const bool has_prop = known != kNone && schema.table(known).FindProp(prop) != kNone;
  return has_prop ? ValueToData({}, value, false) : ValueAsItIs(value);
}

Data ShownOps(const Schema& names, const Vector<Op>& ops, const Schema* schema, const Data& base) {
  if (ops.empty() || ops.back().Has(kDeletes)) return Data();
  Data mine = Data::MakeObject();
  for (const Op& op : ops) {
    const TableDef& table = names.table(op.table);
    for (const PropValue& set : op.set) {
      const std::string& name = table.props[set.prop].name;
      mine.Set(name, schema != nullptr ? ShownValue(*schema, table.name, name, set.value)
                                       : ValueAsItIs(set.value));
    }
    for (const PropAdd& add : op.add) {
      const std::string& name = table.props[add.prop].name;
      const Data& to = mine.Find(name) == nullptr ? base[name] : mine[name];
      mine.Set(name, to.as_number() + add.by);
    }
  }
  return mine;
}

Result<Vector<LeftOutPart>> FindLeftOut(const Schema& schema, std::string_view body,
                                        const OldDefaults& defaults, const void* self,
                                        ChooseLeftOut choose, const Schema* shown) {
  Schema names = Schema::OfNames({});
  Result<Mutation> decoded = DecodeMutationAsItIs(schema, body, &names);
  if (!decoded.ok()) return decoded.status();
  const Mutation& mutation = decoded.value();
  Vector<std::pair<ObjectKey, std::string>> order;  // with the realm
  Map<std::pair<ObjectKey, std::string>, Gathered> gathered;
  for (const Op& op : mutation.ops) {
    Op part;
    Vector<Status> why;
    if (!op.Has(kOnRow) || op.Has(kOnlyNew) || op.Has(kRestores) ||
        !choose(self, names, op, &part, &why))
      continue;
    if (op.Has(kCreates) && !part.Has(kCreates)) {
      TakeOutDefaults(names, defaults, &part);
      if (part.set.empty()) continue;
    }
    const bool is_one = shown != nullptr && MayMove(*shown, names.table(op.table).name);
    const std::pair<ObjectKey, std::string> key{op.key(), is_one ? std::string() : op.realm};
    if (!gathered.contains(key)) order.push_back(key);
    Gathered& of = gathered[key];
    of.ops.push_back(std::move(part));
    for (Status& one : why) of.why.push_back(std::move(one));
  }
  Vector<LeftOutPart> parts;
  for (const auto& key : order)
    parts.push_back(PartOf(names, mutation, std::move(gathered.at(key)), shown));
  return parts;
}

Result<Vector<LeftOutPart>> FindLeftOut(const Schema& schema, std::string_view body,
                                        const OldDefaults& defaults) {
  Result<Vector<LeftOutPart>> parts =
      FindLeftOut(schema, body, defaults, &schema, LeftOutBySchema, nullptr);
  if (!parts.ok()) return parts;
  for (LeftOutPart& part : parts.value())
    part.detail = "This release's schema cannot hold it: " + part.detail + '.';
  return parts;
}

Result<Vector<LeftOutPart>> FindLeftOut(const Schema& schema, const ServerLeftOut& items,
                                        std::string_view body, const OldDefaults& defaults) {
  Result<Vector<LeftOutPart>> parts =
      FindLeftOut(schema, body, defaults, &items, LeftOutByServer, nullptr);
  if (!parts.ok()) return parts;
  for (LeftOutPart& part : parts.value()) {
    part.detail = "The server's schema cannot hold " + part.detail + '.';
    part.is_whole = false;  // the log has its action
  }
  return parts;
}

Result<Vector<LeftOutPart>> FindOpsOn(const Schema& schema, const Set<std::string>& objects,
                                      std::string_view body) {
  const Objects chosen{&schema, &objects};
  return FindLeftOut(schema, body, {}, &chosen, IsOnObject, &schema);
}

}  // namespace skerry
