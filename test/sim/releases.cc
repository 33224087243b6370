#include "test/sim/releases.h"

#include <utility>

#include "base/json.h"
#include "model/members.h"
#include "test/core/model_check/check_schema.h"

namespace skerry::sim {
namespace {

using test::naive::Key;
using test::naive::Op;
using test::naive::Rows;

constexpr char kDropped[] = "memo";  // of items

constexpr char kOlderDescription[] = R"({"version":1,"tables":[
  {"name":"items","ids":"string","props":[
    {"name":"n","type":"number","optional":true},
    {"name":"x","type":"number","optional":true},
    {"name":"level","type":"number","default":1},
    {"name":"u","type":"number","optional":true,"unique":true},
    {"name":"memo","type":"string","optional":true},
    {"name":"parent","type":"ref","optional":true,"ref":{"table":"items","onDelete":"cascade"}},
    {"name":"friend","type":"ref","optional":true,"ref":{"table":"items","onDelete":"setNull"}}]},
  {"name":"notes","ids":"uuid","props":[
    {"name":"text","type":"string","optional":true},
    {"name":"item","type":"ref","ref":{"table":"items","onDelete":"cascade","touch":true}}]},
  {"name":"pins","ids":"string","props":[
    {"name":"item","type":"ref","optional":true,"ref":{"table":"items","onDelete":"restrict"}}]},
  {"name":"boxes","ids":"uuid","props":[
    {"name":"n","type":"number","optional":true},
    {"name":"u","type":"number","optional":true,"unique":true},
    {"name":"parent","type":"ref","optional":true,"ref":{"table":"boxes","onDelete":"cascade"}},
    {"name":"friend","type":"ref","optional":true,"ref":{"table":"boxes","onDelete":"setNull"}}]},
  {"name":"cards","ids":"uuid","props":[
    {"name":"text","type":"string","optional":true},
    {"name":"box","type":"ref","ref":{"table":"boxes","onDelete":"cascade","touch":true}}]}]})";

constexpr char kNewerDescription[] = R"({"version":2,"accepts":[1],"tables":[
  {"name":"tags","ids":"string","props":[
    {"name":"weight","type":"number","default":10},
    {"name":"item","type":"ref","optional":true,"ref":{"table":"items","onDelete":"cascade"}}]},
  {"name":"notes","ids":"uuid","props":[
    {"name":"item","type":"ref","ref":{"table":"items","onDelete":"cascade","touch":true}},
    {"name":"mark","type":"string","default":"new"},
    {"name":"text","type":"string","optional":true}]},
  {"name":"items","ids":"string","props":[
    {"name":"stock","type":"number","default":7},
    {"name":"friend","type":"ref","optional":true,"ref":{"table":"items","onDelete":"setNull"}},
    {"name":"parent","type":"ref","optional":true,"ref":{"table":"items","onDelete":"cascade"}},
    {"name":"extent","was":[{"name":"x","until":2}],"type":"number","optional":true},
    {"name":"u","type":"number","optional":true,"unique":true},
    {"name":"n","type":"number","optional":true},
    {"name":"level","type":"number","default":2}]},
  {"name":"pins","ids":"string","props":[
    {"name":"item","type":"ref","optional":true,"ref":{"table":"items","onDelete":"restrict"}}]},
  {"name":"boxes","ids":"uuid","props":[
    {"name":"n","type":"number","optional":true},
    {"name":"u","type":"number","optional":true,"unique":true},
    {"name":"parent","type":"ref","optional":true,"ref":{"table":"boxes","onDelete":"cascade"}},
    {"name":"friend","type":"ref","optional":true,"ref":{"table":"boxes","onDelete":"setNull"}}]},
  {"name":"cards","ids":"uuid","props":[
    {"name":"text","type":"string","optional":true},
    {"name":"box","type":"ref","ref":{"table":"boxes","onDelete":"cascade","touch":true}}]}]})";

constexpr char kMembers[] = R"({"name":"$members","ids":"string","autosubscribe":true,"props":[
    {"name":"user","type":"string"},
    {"name":"role","type":"enum","enum":{"values":["reader","writer","owner"]}},
    {"name":"accepted","type":"boolean","optional":true},
    {"name":"by","type":"string","optional":true}]})";

// As the package `skerry` does it, the table of memberships is added to the application's.
Data WithMembers(Data description) {
  Data tables = description["tables"];
  tables.Push(ParseJson(kMembers).value());
  return description.Set("tables", std::move(tables));
}

Data TableNamed(const Data& description, const Data& name) {
  for (const Data& table : description["tables"].items()) {
    if (table["name"] == name) return table;
  }
  return Data();
}

bool HasProp(const Data& table, const Data& name) {
  for (const Data& prop : table["props"].items()) {
    if (prop["name"] == name) return true;
    for (const Data& was : prop["was"].items()) {
      if (was["name"] == name) return true;
    }
  }
  return false;
}

// The tables of the newer release, plus the props that only the older one has.
Data Widened() {
  Data tables = Data::MakeArray();
  for (Data table : DescriptionOf(Release::kNewer)["tables"].items()) {
    Data props = table["props"];
    const Data own = TableNamed(DescriptionOf(Release::kOlder), table["name"]);
    for (const Data& prop : own["props"].items()) {
      if (!HasProp(table, prop["name"])) props.Push(prop);
    }
    tables.Push(table.Set("props", std::move(props)));
  }
  Data widened = DescriptionOf(Release::kNewer);
  return widened.Set("tables", std::move(tables));
}

Data Columns() {
  const Data widened = Widened();
  Data tables = Data::MakeArray();
  for (Data table : widened["tables"].items()) {
    if (table["name"].as_string() == kMembersTable) {
      tables.Push(table);
      continue;
    }
    Data props = Data::MakeArray();
    for (Data prop : table["props"].items()) {
      prop.Remove("default");
      props.Push(prop.Set("optional", true));
    }
    tables.Push(table.Set("props", std::move(props)));
  }
  Data columns = DescriptionOf(Release::kNewer);
  return columns.Set("tables", std::move(tables));
}

Schema Parsed(const Data& description) { return std::move(Schema::Parse(description).value()); }

// A random string, or null.
Data AnyText(Random* random) {
  return random->Below(4) == 0 ? Data() : Data("m" + std::to_string(random->Below(3)));
}

Op TagOp(const Rows& visible, Random* random) {
  Op op;
  op.realm = "A";
  op.key = test::naive::KeyOf("tags", "g" + std::to_string(random->Below(3)), op.realm);
  const auto seen = visible.find(op.key);
  const uint64_t dice = random->Below(8);
  op.op = seen == visible.end() ? "create" : dice < 2 ? "delete" : dice < 5 ? "inc" : "update";
  if (op.op == "inc") op.add["weight"] = 1;
  if (op.op == "create" || op.op == "update")
    op.set["item"] = random->Below(3) == 0 ? Data() : Data("k" + std::to_string(random->Below(6)));
  return op;
}

// Sets props that only this release has, or for which the other one has another default.
void SetOwnProps(Release release, Random* random, Op* op) {
  const std::string table = test::naive::TableOf(op->key);
  const bool is_newer = release == Release::kNewer;
  if (table == "notes" && is_newer && random->Below(3) == 0 && op->op == "update")
    op->set["mark"] = Data("m" + std::to_string(random->Below(3)));
  if (table != "items") return;
  const char* const number = is_newer && random->Below(2) == 0 ? "stock" : "level";
  if (op->op == "inc" && op->add.contains("n") && random->Below(2) == 0) {
    op->add = {{number, 1}};
  } else if (op->op == "create" || op->op == "update") {
    if (random->Below(3) == 0) op->set[number] = Data(static_cast<double>(random->Below(4)));
    if (!is_newer && random->Below(3) == 0) op->set[kDropped] = AnyText(random);
  }
}

test::CheckScope WholeTable(const std::string& table) {
  return {table, R"(["true"])", [table](const Key& key, const test::naive::Row&) {
            return test::naive::TableOf(key) == table;
          }};
}

template <Release kRelease>
Rows KnownRowsOf(const Rows& rows) {
  static const test::naive::Defaults defaults = DefaultsOf(SchemaOf(kRelease));
  const Schema& schema = SchemaOf(kRelease);
  Rows out;
  for (const auto& [key, row] : rows) {
    const TableIndex table = schema.FindTable(test::naive::TableOf(key));
    if (table == kNone) continue;
    test::naive::Row& to = out[key] = row;
    std::erase_if(to.props, [&](const auto& prop) {
      return prop.first == kDropped || schema.table(table).FindProp(prop.first) == kNone;
    });
    // In states from before the newer release, its required props are missing.
    const auto filled = defaults.find(schema.table(table).name);
    if (filled == defaults.end()) continue;
    for (const auto& [prop, value] : filled->second) to.props.try_emplace(prop, value);
  }
  return out;
}

}  // namespace

const Data& DescriptionOf(Release release) {
  static const Data only = WithMembers(test::CheckDescription());
  static const Data older = WithMembers(ParseJson(kOlderDescription).value());
  static const Data newer = WithMembers(ParseJson(kNewerDescription).value());
  return release == Release::kOnly ? only : release == Release::kOlder ? older : newer;
}

const Schema& SchemaOf(Release release) {
  static const Schema only = Parsed(DescriptionOf(Release::kOnly));
  static const Schema older = Parsed(DescriptionOf(Release::kOlder));
  static const Schema newer = Parsed(DescriptionOf(Release::kNewer));
  return release == Release::kOnly ? only : release == Release::kOlder ? older : newer;
}

Release ReleaseOf(bool has_releases, uint64_t version) {
  if (!has_releases) return Release::kOnly;
  return version == SchemaOf(Release::kOlder).version() ? Release::kOlder : Release::kNewer;
}

const Schema& WidenedSchema() {
  static const Schema schema = Parsed(Widened());
  return schema;
}

const Schema& ColumnsSchema() {
  static const Schema schema = Parsed(Columns());
  return schema;
}

const test::naive::Tables& NaiveTables() {
  static const test::naive::Tables tables = [] {
    test::naive::Tables all = test::CheckTables();
    all.refs.push_back({"tags", "item", "items", test::naive::Rule::kCascade, false});
    return all;
  }();
  return tables;
}

test::naive::Defaults DefaultsOf(const Schema& schema) {
  test::naive::Defaults defaults;
  for (const TableDef& table : schema.tables()) {
    for (const PropDef& prop : table.props) {
      const Value& value = DefaultOrNull(prop);
      if (!value.is_null())
        defaults[table.name][test::NameOf(prop)] = ValueToData(prop, value, true);
    }
  }
  return defaults;
}

void UseFirstNames(test::naive::Update* update) {
  const Schema& schema = WidenedSchema();
  for (Op& op : update->ops) {
    const TableIndex index = schema.FindTable(test::naive::TableOf(op.key));
    if (index == kNone) continue;
    for (const PropDef& prop : schema.table(index).props) {
      const auto rename = [&](auto* props) {
        const auto named = props->find(prop.name);
        if (prop.former.empty() || named == props->end()) return;
        auto value = named->second;
        props->erase(named);
        (*props)[test::NameOf(prop)] = std::move(value);
      };
      rename(&op.set);
      rename(&op.was);
      rename(&op.add);
    }
  }
}

bool Knows(const Schema& schema, const test::naive::Update& update) {
  for (const Op& op : update.ops) {
    if (op.op == "append") continue;
    const TableIndex table = schema.FindTable(test::naive::TableOf(op.key));
    if (table == kNone) return false;
    for (const auto& [prop, value] : op.set) {
      if (schema.table(table).FindProp(prop) == kNone) return false;
    }
    for (const auto& [prop, by] : op.add) {
      if (schema.table(table).FindProp(prop) == kNone) return false;
    }
  }
  return true;
}

Op AnyOpOf(Release release, const Rows& visible, const test::naive::Names& realms, double moves,
           Random* random, uint64_t* serial) {
  if (release == Release::kNewer && random->Below(6) == 0) return TagOp(visible, random);
  Op op = test::AnyOp(visible, realms, moves, random, serial);
  if (release != Release::kOnly) SetOwnProps(release, random, &op);
  return op;
}

test::CheckScope NewerScope() { return WholeTable("tags"); }

test::CheckScope MembersScope() { return WholeTable(std::string(kMembersTable)); }

KnownRows KnownTo(Release release) {
  return release == Release::kOnly    ? nullptr
         : release == Release::kOlder ? KnownRowsOf<Release::kOlder>
                                      : KnownRowsOf<Release::kNewer>;
}

Row WithoutDropped(Release release, const ObjectKey& key, Row row) {
  if (release != Release::kOlder) return row;
  const PropIndex prop = SchemaOf(release).table(key.table).FindProp(kDropped);
  if (prop != kNone) row.props[prop] = Value::Null();
  return row;
}

}  // namespace skerry::sim
