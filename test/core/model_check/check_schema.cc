#include "test/core/model_check/check_schema.h"

#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "base/vector.h"

namespace skerry::test {
namespace {

constexpr char kDescription[] = R"({"version":1,"tables":[
  {"name":"items","ids":"string","props":[
    {"name":"n","type":"number","optional":true},
    {"name":"x","type":"number","optional":true},
    {"name":"u","type":"number","optional":true,"unique":true},
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

double NumberOf(const naive::Row& row, const std::string& prop, double otherwise) {
  const auto found = row.props.find(prop);
  return found == row.props.end() ? otherwise : found->second.as_number();
}

std::string AnyItem(Random* random) { return "k" + std::to_string(random->Below(6)); }

// The id of a row of this table that is seen; else a new one.
std::string AnyUuid(const std::string& table, const naive::Rows& visible, double is_new,
                    Random* random, uint64_t* serial) {
  Vector<std::string> ids;
  for (const auto& [key, row] : visible) {
    if (naive::TableOf(key) == table) ids.push_back(key.substr(key.find('/') + 1));
  }
  if (ids.empty() || random->Unit() < is_new) return FreshUuid(serial);
  return ids[random->Below(ids.size())];
}

std::string OtherThan(const std::string& realm, const naive::Names& realms, Random* random) {
  Vector<std::string> others;
  for (const std::string& other : realms) {
    if (other != realm) others.push_back(other);
  }
  return others.size() == 1 ? others[0] : others[random->Below(others.size())];
}

std::map<std::string, Data> AnyProps(Random* random, const std::function<std::string()>& ref) {
  std::map<std::string, Data> props;
  if (random->Below(10) < 8) props["n"] = Data(static_cast<double>(random->Below(4)));
  if (random->Below(10) < 3) props["u"] = Data(static_cast<double>(random->Below(5)));
  if (random->Below(10) < 2) props["parent"] = random->Below(4) == 0 ? Data() : Data(ref());
  if (random->Below(10) < 2) props["friend"] = random->Below(4) == 0 ? Data() : Data(ref());
  return props;
}

naive::Key AnyKey(const std::string& realm, const naive::Rows& visible, Random* random,
                  uint64_t* serial) {
  const uint64_t dice = random->Below(20);
  if (dice < 8) return naive::KeyOf("items", AnyItem(random), realm);
  if (dice < 10) return naive::KeyOf("items", "total", "A");
  if (dice < 12) return naive::KeyOf("pins", "p" + std::to_string(random->Below(2)), realm);
  const std::string table = dice < 16 ? "boxes" : dice < 18 ? "cards" : "notes";
  const double is_new = table == "boxes" ? .3 : .5;
  return naive::KeyOf(table, AnyUuid(table, visible, is_new, random, serial), realm);
}

}  // namespace

std::string FreshUuid(uint64_t* serial) {
  char text[48];
  std::snprintf(text, sizeof text, "01890000-0000-7000-8000-%012llx",
                static_cast<unsigned long long>(++*serial));
  return text;
}

Data CheckDescription() { return ParseJson(kDescription).value(); }

const Schema& CheckSchema() {
  static const Schema schema = [] {
    Result<Schema> parsed = Schema::Parse(CheckDescription());
    return std::move(parsed.value());
  }();
  return schema;
}

const naive::Tables& CheckTables() {
  static const naive::Tables tables = {{{"items", "parent", "items", naive::Rule::kCascade, false},
                                        {"items", "friend", "items", naive::Rule::kSetNull, false},
                                        {"notes", "item", "items", naive::Rule::kCascade, true},
                                        {"pins", "item", "items", naive::Rule::kRestrict, false},
                                        {"boxes", "parent", "boxes", naive::Rule::kCascade, false},
                                        {"boxes", "friend", "boxes", naive::Rule::kSetNull, false},
                                        {"cards", "box", "boxes", naive::Rule::kCascade, true}},
                                       {{"items", "u"}, {"boxes", "u"}}};
  return tables;
}

const naive::Names& CheckRealms() {
  static const naive::Names realms = {"A", "B"};
  return realms;
}

const naive::Names& ThreeRealms() {
  static const naive::Names realms = {"A", "B", "C"};
  return realms;
}

naive::Op AnyOp(const naive::Rows& visible, const naive::Names& realms, double moves,
                Random* random, uint64_t* serial) {
  naive::Op op;
  op.realm = moves > 0 && random->Below(2) == 0 ? OtherThan("A", realms, random) : "A";
  op.key = AnyKey(op.realm, visible, random, serial);
  const auto seen = visible.find(op.key);
  const bool is_new = seen == visible.end();
  if (!is_new) op.realm = seen->second.realm;
  const std::string table = naive::TableOf(op.key);
  if (op.key == "items/total@A") {
    op.realm = "A";
    op.op = "inc";
    op.add["x"] = 1;
    return op;
  }
  if ((table == "boxes" || table == "cards") && random->Unit() < moves * 3) {
    op.op = "move";
    op.to = OtherThan(op.realm, realms, random);
    return op;
  }
  if (table == "items" || table == "boxes") {
    static constexpr const char* kOps[] = {"create", "update", "inc", "delete"};
    op.op = table == "boxes" && is_new ? "create" : kOps[random->Below(4)];
    const auto ref = [&] {
      return table == "items" ? AnyItem(random) : AnyUuid("boxes", visible, .1, random, serial);
    };
    if (op.op == "create" || op.op == "update") op.set = AnyProps(random, ref);
    if (op.op == "inc") op.add["n"] = 1;
    return op;
  }
  op.op = is_new ? "create" : random->Below(3) == 0 ? "delete" : "update";
  if (op.op == "delete") return op;
  if (table == "cards") {
    op.set["box"] = Data(AnyUuid("boxes", visible, .1, random, serial));
  } else {
    op.set["item"] = Data(AnyItem(random));
  }
  if (table != "pins") op.set["text"] = Data("t" + std::to_string(random->Below(3)));
  return op;
}

const Vector<CheckScopes>& ScopeChoices() {
  const auto all = [](const std::string& table) {
    return CheckScope{table, R"(["true"])", [table](const naive::Key& key, const naive::Row&) {
                        return naive::TableOf(key) == table;
                      }};
  };
  const auto some = [](const std::string& table, std::string where,
                       std::function<bool(const naive::Row&)> holds) {
    return CheckScope{table, std::move(where),
                      [table, holds](const naive::Key& key, const naive::Row& row) {
                        return naive::TableOf(key) == table && holds(row);
                      }};
  };
  const auto items = [&](std::string where, std::function<bool(const naive::Row&)> holds) {
    return some("items", std::move(where), std::move(holds));
  };
  const CheckScope small_boxes = some(
      "boxes", R"(["<","n",2])", [](const naive::Row& row) { return NumberOf(row, "n", 9) < 2; });
  static const Vector<CheckScopes> choices = {
      {all("items"), all("notes"), all("pins"), all("boxes"), all("cards")},
      {items(R"(["<","n",2])", [](const naive::Row& row) { return NumberOf(row, "n", 9) < 2; }),
       all("notes"), all("pins"), small_boxes, all("cards")},
      {items(R"(["=","n",0])", [](const naive::Row& row) { return NumberOf(row, "n", 9) == 0; }),
       items(R"(["or",["=","n",1],[">","x",1]])",
             [](const naive::Row& row) {
               return NumberOf(row, "n", 9) == 1 || NumberOf(row, "x", 0) > 1;
             }),
       all("notes"), all("boxes")},
      {items(R"(["or",["=","u",null],["!=","u",3]])",
             [](const naive::Row& row) { return NumberOf(row, "u", 9) != 3; })},
  };
  return choices;
}

skerry::Op OpOf(const naive::Op& op, const Schema& schema) {
  static const std::map<std::string, OpKind> kinds = {{"create", OpKind::kCreate},
                                                      {"update", OpKind::kUpdate},
                                                      {"inc", OpKind::kInc},
                                                      {"delete", OpKind::kDelete},
                                                      {"move", OpKind::kMove}};
  skerry::Op out;
  out.kind = kinds.at(op.op);
  out.table = schema.FindTable(naive::TableOf(op.key));
  out.id = naive::IdOf(op.key);
  out.realm = op.realm;
  out.to = op.to;
  out.by = {0};
  const TableDef& table = schema.table(out.table);
  for (size_t i = 0; i < table.props.size(); ++i) {
    const std::string name = NameOf(table.props[i]);
    if (op.set.contains(name))
      out.set.push_back(
          {static_cast<PropIndex>(i), ValueFromData(table.props[i], op.set.at(name)).value()});
    if (op.add.contains(name)) out.add.push_back({static_cast<PropIndex>(i), op.add.at(name)});
  }
  return out;
}

naive::Key KeyOf(const ObjectKey& key, const std::string& realm, const Schema& schema) {
  return naive::KeyOf(NameOf(schema.table(key.table)), key.id, realm);
}

naive::Row NaiveRowOf(const ObjectKey& key, const skerry::Row& row, const Schema& schema) {
  naive::Row out;
  out.realm = row.realm;
  out.created = row.created_at;
  out.modified = row.modified_at;
  out.revision = row.revision;
  const TableDef& table = schema.table(key.table);
  for (size_t i = 0; i < table.props.size(); ++i) {
    if (!row.props[i].is_null())
      out.props[NameOf(table.props[i])] = ValueToData(table.props[i], row.props[i], true);
  }
  return out;
}

std::string DifferenceOf(const naive::Row& a, const naive::Row& b) {
  std::string words;
  const auto say = [&words](std::string_view what, const Data& left, const Data& right) {
    if (!(left == right))
      words += " (" + std::string(what) + ": " + WriteJson(left) + ", " + WriteJson(right) + ")";
  };
  say("realm", a.realm, b.realm);
  say("created", a.created, b.created);
  say("modified", a.modified, b.modified);
  say("revision", a.revision, b.revision);
  std::map<std::string, std::pair<Data, Data>> props;
  for (const auto& [name, value] : a.props) props[name].first = value;
  for (const auto& [name, value] : b.props) props[name].second = value;
  for (const auto& [name, values] : props) say(name, values.first, values.second);
  return words;
}

}  // namespace skerry::test
