#include "test/core/client/client_fixture.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"
#include "base/vector.h"
#include "doctest/doctest.h"
#include "log/fold.h"

namespace skerry::client_test {
namespace {

constexpr const char* kSchemaText = R"({"version":1,"accepts":[1],"tables":[
{"name":"groups","ids":"string","props":[
  {"name":"name","type":"string","optional":true},
  {"name":"count","type":"number","optional":false,"default":0},
  {"name":"owner","type":"ref","optional":true,"ref":{"table":"people","onDelete":"setNull","touch":false}}]},
{"name":"members","ids":"string","props":[
  {"name":"group","type":"ref","optional":true,"ref":{"table":"groups","onDelete":"cascade","touch":true}},
  {"name":"person","type":"ref","optional":true,"ref":{"table":"people","onDelete":"cascade","touch":false}},
  {"name":"role","type":"string","optional":true}]},
{"name":"badges","ids":"string","props":[
  {"name":"member","type":"ref","optional":true,"ref":{"table":"members","onDelete":"cascade","touch":true}},
  {"name":"label","type":"string","optional":true}]},
{"name":"people","ids":"string","props":[
  {"name":"name","type":"string","optional":true},
  {"name":"boss","type":"ref","optional":true,"ref":{"table":"people","onDelete":"setNull","touch":true}}]},
{"name":"locks","ids":"string","props":[
  {"name":"person","type":"ref","optional":true,"ref":{"table":"people","onDelete":"restrict","touch":false}}]},
{"name":"notes","ids":"uuid","props":[
  {"name":"text","type":"string","optional":false},
  {"name":"size","type":"number","optional":false,"default":7}]},
{"name":"boards","ids":"uuid","props":[
  {"name":"name","type":"string","optional":true}]},
{"name":"cards","ids":"uuid","props":[
  {"name":"board","type":"ref","optional":true,"ref":{"table":"boards","onDelete":"cascade","touch":true}},
  {"name":"text","type":"string","optional":true}]},
{"name":"boardPins","ids":"string","props":[
  {"name":"board","type":"ref","optional":true,"ref":{"table":"boards","onDelete":"cascade","touch":false}}]},
{"name":"handles","ids":"string","props":[
  {"name":"tag","type":"string","optional":true,"unique":true},
  {"name":"rank","type":"number","optional":true,"unique":true},
  {"name":"note","type":"string","optional":true}]},
{"name":"flags","ids":"uuid","props":[
  {"name":"tag","type":"string","optional":true,"unique":true},
  {"name":"board","type":"ref","optional":true,"ref":{"table":"boards","onDelete":"cascade","touch":false}}]}]})";

using Rows = std::map<ObjectKey, Row>;

struct Gone {
  ObjectKey key;
  std::string realm;
  double at = 0;
};
struct Touch {
  ObjectKey master;
  std::string realm;
  double at = 0;
};

void NoteTouches(const ObjectKey& key, const std::optional<Row>& row, double at,
                 Vector<Touch>* touches) {
  if (!row) return;
  const TableDef& table = TestSchema().table(key.table);
  for (PropIndex i = 0; i < table.props.size(); ++i) {
    if (!table.props[i].touch || row->props[i].is_null()) continue;
    const ObjectKey master =
        KeyIn(TestSchema(), table.props[i].ref_table, row->props[i].text(), row->realm);
    touches->push_back({master, row->realm, at});
  }
}

// One object's pending ops over the later of its base rows.
std::optional<Row> FoldOne(const NaiveView& view, const ObjectKey& key, Vector<Gone>* gone,
                           Vector<Touch>* touches) {
  std::optional<Row> row;
  if (const auto it = view.base.find(key); it != view.base.end()) {
    for (const auto& [realm, candidate] : it->second) {
      if (!row || row->modified_at < candidate.modified_at) row = candidate;
    }
  }
  std::optional<Gone> deleted;
  for (const Pending* pending : view.pending) {
    const double at = pending->mutation.action.at;
    for (const Op& op : pending->mutation.ops) {
      if (KeyOf(TestSchema(), op) != key || !pending->IsLive(op)) continue;
      if (op.kind == OpKind::kMove && TestSchema().table(op.table).custom_ids) continue;
      const std::optional<Row> before = row;
      const bool changed = FoldOp(TestSchema(), op, {at, 0}, FoldTarget::kView, &row);
      if (changed) NoteTouches(key, before, at, touches);
      if (changed) NoteTouches(key, row, at, touches);
      if (op.kind == OpKind::kDelete && (changed || (!before && !deleted)))
        deleted = {key, op.realm, at};
      if (row) deleted.reset();
    }
  }
  if (deleted) gone->push_back(*deleted);
  return row;
}

struct Effects {
  std::map<ObjectKey, double> deleted;
  std::map<std::pair<ObjectKey, PropIndex>, double> nulled;
  std::map<ObjectKey, double> touched;
};

void Cascade(const Rows& folded, Vector<Gone> gone, Vector<Touch>* touches, Effects* effects) {
  std::stable_sort(gone.begin(), gone.end(),
                   [](const Gone& a, const Gone& b) { return a.at < b.at; });
  for (const Gone& cause : gone) {
    Vector<Gone> queue{cause};
    while (!queue.empty()) {
      const Gone parent = queue.back();
      queue.pop_back();
      for (const auto& [child, row] : folded) {
        const TableDef& table = TestSchema().table(child.table);
        for (PropIndex i = 0; i < table.props.size(); ++i) {
          const PropDef& prop = table.props[i];
          if (prop.ref_table != parent.key.table || row.props[i].text() != parent.key.id) continue;
          if (row.realm != parent.realm) continue;
          bool is_new = false;
          if (prop.on_delete == OnDelete::kSetNull) {
            is_new = effects->nulled.insert({{child, i}, cause.at}).second;
          } else if (prop.on_delete == OnDelete::kCascade) {
            is_new = effects->deleted.insert({child, cause.at}).second;
            if (is_new) queue.push_back({child, row.realm, cause.at});
          }
          if (is_new) NoteTouches(child, row, cause.at, touches);
        }
      }
    }
  }
}

void Propagate(const Rows& folded, Vector<Touch> touches, Effects* effects) {
  while (!touches.empty()) {
    const Touch touch = touches.back();
    touches.pop_back();
    const auto it = folded.find(touch.master);
    if (it == folded.end() || it->second.realm != touch.realm) continue;
    double& at = effects->touched[touch.master];
    if (effects->deleted.contains(touch.master) || at >= touch.at) continue;
    at = touch.at;
    NoteTouches(touch.master, it->second, touch.at, &touches);
  }
}

}  // namespace

const Data& SchemaData() {
  static const Data data = ParseJson(kSchemaText).value();
  return data;
}

const Schema& TestSchema() {
  static const Schema schema = Schema::Parse(SchemaData()).value();
  return schema;
}

PropIndex Prop(TableIndex table, std::string_view name) {
  const PropIndex prop = TestSchema().table(table).FindProp(name);
  REQUIRE(prop != kNone);
  return prop;
}

std::string Seed(uint64_t seed) {
  std::string bytes;
  for (uint64_t i = 0; i < 4; ++i) PutU64(&bytes, seed * 0x9E3779B97F4A7C15ull + i);
  return bytes;
}

Vector<PropValue> Props(TableIndex table, const Sets& sets) {
  Vector<PropValue> props;
  for (const auto& [name, plain] : sets) {
    const PropIndex index = Prop(table, name);
    props.push_back({index, ValueFromData(TestSchema().table(table).props[index], plain).value()});
  }
  std::sort(props.begin(), props.end(),
            [](const auto& a, const auto& b) { return a.prop < b.prop; });
  return props;
}

Row MakeRow(TableIndex table, const Sets& sets, double modified_at, std::string realm) {
  Row row;
  row.realm = std::move(realm);
  row.created_at = 1;
  row.modified_at = modified_at;
  row.revision = 1;
  row.props.resize(TestSchema().table(table).props.size());
  for (PropValue& set : Props(table, sets)) row.props[set.prop] = std::move(set.value);
  return row;
}

Op MakeOp(OpKind kind, TableIndex table, std::string id, const Sets& sets, std::string realm,
          std::string to) {
  Op op;
  op.kind = kind;
  op.table = table;
  op.id = std::move(id);
  op.realm = std::move(realm);
  op.to = std::move(to);
  op.by = {0};
  for (PropValue& set : Props(table, sets)) {
    if (kind == OpKind::kInc) {
      op.add.push_back({set.prop, set.value.number()});
    } else {
      op.set.push_back(std::move(set));
    }
  }
  return op;
}

Step CreateStep(TableIndex table, const std::string& id, const Row& row) {
  Step step;
  step.kind = StepKind::kChange;
  step.change.kind = ChangeKind::kCreate;
  step.change.key = {table, id};
  step.change.realm = row.realm;
  step.change.created_at = row.created_at;
  step.change.modified_at = row.modified_at;
  step.change.revision = row.revision;
  for (PropIndex i = 0; i < row.props.size(); ++i) {
    if (!row.props[i].is_null()) step.change.set.push_back({i, row.props[i]});
  }
  return step;
}

std::unique_ptr<Pending> MakePending(std::string id, uint64_t key, double at, Vector<Op> ops) {
  auto pending = std::make_unique<Pending>();
  pending->mutation.action = {std::move(id), "test", "null", at};
  pending->mutation.ops = std::move(ops);
  pending->key = key;
  return pending;
}

std::map<ObjectKey, Row> NaiveView::Visible() const {
  std::map<ObjectKey, std::optional<Row>> all;
  for (const auto& [key, rows] : base) all[key];
  for (const Pending* each : pending) {
    for (const Op& op : each->mutation.ops) all[KeyOf(TestSchema(), op)];
  }
  Rows folded;
  Vector<Gone> gone;
  Vector<Touch> touches;
  for (const auto& [key, none] : all) {
    if (std::optional<Row> row = FoldOne(*this, key, &gone, &touches)) folded[key] = *row;
  }
  Effects effects;
  Cascade(folded, gone, &touches, &effects);
  Propagate(folded, touches, &effects);
  for (const auto& [where, at] : effects.nulled) {
    Row& row = folded[where.first];
    row.props[where.second] = Value();
    row.modified_at = std::max(row.modified_at, at);
  }
  for (const auto& [key, at] : effects.touched) {
    if (const auto it = folded.find(key); it != folded.end()) {
      it->second.modified_at = std::max(it->second.modified_at, at);
    }
  }
  for (const auto& [key, at] : effects.deleted) folded.erase(key);
  return folded;
}

std::map<ObjectKey, Row> Shown(const View& view) {
  std::map<ObjectKey, Row> rows;
  for (TableIndex table = 0; table < TestSchema().tables().size(); ++table) {
    const RowStore& store = view.rows(table);
    for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
      if (store.IsLive(slot)) rows[store.Key(slot)] = store.Get(slot);
    }
  }
  return rows;
}

std::string Difference(const std::map<ObjectKey, Row>& want, const std::map<ObjectKey, Row>& is) {
  const auto name = [](const ObjectKey& key) {
    return TestSchema().table(key.table).name + " " + key.id;
  };
  for (const auto& [key, row] : want) {
    const auto it = is.find(key);
    if (it == is.end()) return name(key) + " is missing";
    if (it->second == row) continue;
    std::string text = name(key) + " differs: modifiedAt " +
                       std::to_string(static_cast<int64_t>(it->second.modified_at)) + ", wanted " +
                       std::to_string(static_cast<int64_t>(row.modified_at));
    for (PropIndex i = 0; i < row.props.size(); ++i) {
      if (!(row.props[i] == it->second.props[i])) text += "; prop " + std::to_string(i);
    }
    if (row.realm != it->second.realm) text += "; realm";
    if (row.revision != it->second.revision) text += "; revision";
    return text;
  }
  for (const auto& [key, row] : is) {
    if (!want.contains(key)) return name(key) + " should not be there";
  }
  return {};
}

}  // namespace skerry::client_test
