#include "test/sim/live_queries.h"

#include <algorithm>
#include <functional>

namespace skerry::sim {
namespace {

const Value& Prop(const Shown& shown, const char* prop) {
  return shown.row.props[shown.table->FindProp(prop)];
}

// The rows of a table that satisfy `holds`, ordered by id.
Look Where(const AllRows& all, const char* table, const std::function<bool(const Shown&)>& holds) {
  Look look;
  for (const auto& [id, shown] : all.Of(table)) {
    if (holds(shown)) look.push_back(shown);
  }
  return look;
}

bool Always(const Shown& /*shown*/) { return true; }

// Null comes before every other value.
int Compare(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return (a.is_null() ? 0 : 1) - (b.is_null() ? 0 : 1);
  if (a.number() != b.number()) return a.number() < b.number() ? -1 : 1;
  return a.text().compare(b.text());
}

// Rows that compare equal stay ordered by id.
void SortBy(Look* look, const std::function<int(const Shown&, const Shown&)>& compare) {
  std::stable_sort(look->begin(), look->end(),
                   [&](const Shown& a, const Shown& b) { return compare(a, b) < 0; });
}

Look Cut(Look look, size_t offset, size_t limit) {
  look.erase(look.begin(), look.begin() + static_cast<ptrdiff_t>(std::min(offset, look.size())));
  look.erase(look.begin() + static_cast<ptrdiff_t>(std::min(limit, look.size())), look.end());
  return look;
}

// A ref names a row of its own realm.
bool RefersTo(const Shown& shown, const char* prop, const Shown& target) {
  const Value& ref = Prop(shown, prop);
  return !ref.is_null() && ref.text() == target.id && shown.row.realm == target.row.realm;
}

// ---- the queries ----

Look HighestItems(const AllRows& all) {
  Look look = Where(all, "items", Always);
  SortBy(&look, [](const Shown& a, const Shown& b) { return Compare(Prop(b, "n"), Prop(a, "n")); });
  return Cut(std::move(look), 0, 3);
}

Look LowItemsLately(const AllRows& all) {
  Look look = Where(all, "items", [](const Shown& item) {
    return !Prop(item, "n").is_null() && Prop(item, "n").number() < 2;
  });
  SortBy(&look, [](const Shown& a, const Shown& b) {
    if (a.row.modified_at == b.row.modified_at) return 0;
    return a.row.modified_at > b.row.modified_at ? -1 : 1;
  });
  return Cut(std::move(look), 1, 2);
}

Look NotesWithItems(const AllRows& all) {
  Look look = Where(all, "notes", [](const Shown& note) {
    return !Prop(note, "text").is_null() && Prop(note, "text").text() == "t1";
  });
  for (Shown& note : look) {
    note.included =
        Where(all, "items", [&](const Shown& item) { return RefersTo(note, "item", item); });
  }
  return look;
}

Look ItemsWithNotes(const AllRows& all) {
  Look look = Cut(Where(all, "items", Always), 0, 4);
  for (Shown& item : look) {
    item.included =
        Where(all, "notes", [&](const Shown& note) { return RefersTo(note, "item", item); });
    SortBy(&item.included, [](const Shown& a, const Shown& b) {
      return Compare(Prop(b, "text"), Prop(a, "text"));
    });
  }
  return look;
}

Look ItemsThatHaveNotes(const AllRows& all) {
  return Where(all, "items", [&](const Shown& item) {
    return !Where(all, "notes", [&](const Shown& note) {
              return RefersTo(note, "item", item) && !Prop(note, "text").is_null() &&
                     Prop(note, "text").text() != "t0";
            }).empty();
  });
}

Look PinnedItems(const AllRows& all) {
  return Where(all, "items", [&](const Shown& item) {
    return !Where(all, "pins", [&](const Shown& pin) {
              return RefersTo(pin, "item", item);
            }).empty();
  });
}

Look AllNotes(const AllRows& all) { return Where(all, "notes", Always); }

Look LooseItemsByFriend(const AllRows& all) {
  Look look = Where(all, "items", [](const Shown& item) { return Prop(item, "u").is_null(); });
  SortBy(&look, [](const Shown& a, const Shown& b) {
    return Compare(Prop(a, "friend"), Prop(b, "friend"));
  });
  return look;
}

}  // namespace

AllRows RowsOf(const View& view) {
  AllRows all;
  all.schema = &view.schema();
  for (const TableDef& table : view.schema().tables()) {
    const RowStore& store = view.rows(table.index);
    std::map<std::string, Shown>& rows = all.tables.emplace_back();
    for (Slot slot = 0; slot < store.slot_limit(); ++slot) {
      if (!store.IsLive(slot)) continue;
      Shown shown{&table, slot, store.Id(slot), store.Get(slot), {}};
      shown.row.revision = 0;
      const std::string& realm = table.custom_ids ? shown.row.realm : std::string();
      rows[shown.id + '\0' + realm] = std::move(shown);
    }
  }
  return all;
}

const Vector<PlainQuery>& PlainQueries() {
  static const Vector<PlainQuery> queries = {
      {R"({"table":"items","order":[["n","desc"]],"limit":3})", "items", nullptr, HighestItems},
      {R"({"table":"items","where":["<","n",2],"order":[["modifiedAt","desc"]],"offset":1,"limit":2})",
       "items", nullptr, LowItemsLately},
      {R"({"table":"notes","where":["=","text","t1"],
           "include":[{"name":"item","kind":"ref","prop":"item","query":null}]})",
       "notes", "items", NotesWithItems},
      {R"({"table":"items","limit":4,"include":[{"name":"notes","kind":"back","table":"notes",
           "prop":"item","query":{"order":[["text","desc"]]}}]})",
       "items", "notes", ItemsWithNotes},
      {R"({"table":"items","where":["exists","notes",["!=","text","t0"]]})", "items", nullptr,
       ItemsThatHaveNotes},
      {R"({"table":"items","where":["in","id",{"table":"pins","select":"item"}]})", "items",
       nullptr, PinnedItems},
      {R"({"table":"notes"})", "notes", nullptr, AllNotes},
      {R"({"table":"items","where":["=","u",null],"order":[["friend","asc"]]})", "items", nullptr,
       LooseItemsByFriend},
  };
  return queries;
}

Look LookOf(const PlainQuery& query, const Vector<uint32_t>& stream, const AllRows& all) {
  size_t at = 0;
  const auto next = [&] { return at < stream.size() ? stream[at++] : 0; };
  const auto row_in = [&](const char* table) {
    const Slot slot = next();
    for (const auto& [id, shown] : all.Of(table)) {
      if (shown.slot == slot) return shown;
    }
    return Shown();  // no such row
  };
  Look look;
  for (uint32_t left = next(); left > 0; --left) {
    Shown shown = row_in(query.table);
    if (query.included != nullptr) {
      for (uint32_t more = next(); more > 0; --more)
        shown.included.push_back(row_in(query.included));
    }
    look.push_back(std::move(shown));
  }
  return look;
}

}  // namespace skerry::sim
