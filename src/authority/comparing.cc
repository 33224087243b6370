#include "authority/comparing.h"

#include <cstdlib>
#include <optional>
#include <utility>

#include "authority/diff.h"
#include "authority/host_step.h"
#include "authority/row_data.h"
#include "authority/scope.h"
#include "base/checksum.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/codec.h"
#include "log/wire/diff.h"
#include "model/row_digest.h"

namespace skerry {
namespace {

// Inner rows are those of now: the server compares a table with sub-selects only if nothing of it has
// changed above the cursor, so that no row is tested here.
class NoInnerRows final : public FilterContext {
 public:
  bool Exists(const Filter&, std::string_view, const Row*) const override { return false; }
};

// The rows that the client should hold of a part.
class PartComparison {
 public:
  PartComparison(const Schema& schema, const TableDef& table, const wire::ReadPart& read)
      : schema_(schema), table_(table), read_(read), store_(&table) {}

  // Adds the names of props that the schema lacks to `unknown`. So is a former name: what the client
  // were told would have the present one, which it does not know.
  void FindProps(Vector<std::string>* unknown) {
    for (const std::string& name : read_.part.props) {
      const PropIndex prop = table_.FindProp(name);
      if (prop == kNone || table_.props[prop].name != name) {
        unknown->push_back(name);
      } else {
        props_.push_back(prop);
      }
    }
  }

  Status Load(const Scopes& scopes) {
    Set<std::string> changed;
    for (const wire::ReadBefore& one : read_.changed) {
      changed.insert(one.id);
      Result<std::optional<Row>> row = RowFromData(schema_, one.before);
      if (!row.ok()) return row.status();
      if (!row.value() || row.value()->realm != read_.part.realm) continue;
      SetDefaults(table_, &*row.value());
      const ObjectKey key{table_.index, one.id};
      if (scopes.Hold(key, *row.value(), false, NoInnerRows())) Add(one.id, *row.value());
    }
    for (const Data& data : read_.rows.items()) {
      Result<StoredRow> stored = StoredRowFromData(schema_, data);
      if (!stored.ok()) return stored.status();
      last_ = stored.value().key.id;
      if (stored.value().deleted_at || changed.contains(last_)) continue;
      SetDefaults(table_, &stored.value().row);
      Add(last_, stored.value().row);
    }
    return Status::Ok();
  }

  wire::DiffResult Compare() const {
    wire::DiffResult result;
    if (read_.more) {
      result.upto = read_.upto.value_or(last_);
    } else if (read_.part.rows.has_value()) {
      CompareRows(*read_.part.rows, &result);
    } else {
      CompareSums(&result);
    }
    return result;
  }

 private:
  // A value that its prop cannot hold is read by a client as it is here (log/wire.h, SetFromData).
  void Add(const std::string& id, Row row) {
    for (size_t i = 0; i < table_.props.size(); ++i) {
      const PropDef& prop = table_.props[i];
      if (!row.props[i].is_null() && !CheckValue(table_, prop, row.props[i]).ok())
        row.props[i] = DefaultOrNull(prop);
    }
    store_.Put(id, row);
  }

  template <typename Found>
  void EachRow(Found found) const {
    for (Slot slot = 0; slot < store_.slot_limit(); ++slot) {
      if (store_.IsLive(slot)) found(slot, store_.Id(slot));
    }
  }

  void CompareSums(wire::DiffResult* result) const {
    Vector<uint64_t> sums(kDigestBuckets, 0);
    EachRow([&](Slot slot, const std::string& id) {
      sums[DigestBucket(id)] += DigestRow(store_, slot, props_);
    });
    const Vector<std::string> sent = read_.part.sums.value_or(Vector<std::string>());
    Vector<uint64_t> differ;
    for (size_t bucket = 0; bucket < kDigestBuckets; ++bucket) {
      const uint64_t theirs =
          bucket < sent.size() ? std::strtoull(sent[bucket].c_str(), nullptr, 16) : 0;
      if (theirs != sums[bucket]) differ.push_back(bucket);
    }
    // Rows whose digests add up to the same are more, or fewer: all of them are looked at.
    if (differ.empty() && store_.size() != read_.part.count) {
      for (uint64_t bucket = 0; bucket < kDigestBuckets; ++bucket) differ.push_back(bucket);
    }
    if (differ.empty()) {
      result->same = true;
    } else {
      result->differ = std::move(differ);
    }
  }

  void CompareRows(const Vector<wire::DigestedRow>& rows, wire::DiffResult* result) const {
    Set<uint64_t> buckets;
    for (const uint64_t bucket : read_.part.buckets.value_or(Vector<uint64_t>()))
      buckets.insert(bucket);
    Map<std::string, std::string> theirs;
    for (const auto& [id, digest] : rows) theirs[id] = digest;
    Vector<std::string> absent;
    for (const auto& [id, digest] : theirs) {
      if (store_.Find(id) == kNoSlot) absent.push_back(id);
    }
    Data changes = Data::MakeArray();
    size_t bytes = 0;
    bool more = false;
    EachRow([&](Slot slot, const std::string& id) {
      if (!buckets.empty() && !buckets.contains(DigestBucket(id))) return;
      const auto found = theirs.find(id);
      if (found != theirs.end() && found->second == Hex16(DigestRow(store_, slot, props_))) return;
      more = more || bytes > kMaxDiffAnswerBytes;
      if (more) return;
      const Change change = ChangeOf(id, store_.Get(slot));
      for (const PropValue& set : change.set) bytes += set.value.text().size();
      bytes += kDiffRowBytes;
      changes.Push(ChangeToData(schema_, change));
    });
    if (changes.items().empty() && absent.empty()) {
      result->same = true;
      return;
    }
    result->changes = std::move(changes);
    result->absent = std::move(absent);
    if (more) result->more = true;
  }

  Change ChangeOf(const std::string& id, const Row& row) const {
    Change change = WholeRow({table_.index, id}, row);
    change.set.clear();
    for (const PropIndex prop : props_) {
      if (!row.props[prop].is_null()) change.set.push_back({prop, row.props[prop]});
    }
    return change;
  }

  const Schema& schema_;
  const TableDef& table_;
  const wire::ReadPart& read_;
  Vector<PropIndex> props_;
  RowStore store_;
  std::string last_;
};

Result<wire::DiffResult> ComparePart(const Schema& schema, const Scopes& scopes,
                                     const wire::ReadPart& read) {
  wire::DiffResult result;
  const TableIndex index = schema.FindTable(read.part.table);
  if (index == kNone || schema.table(index).name != read.part.table) {
    result.unknown.emplace();
    return result;
  }
  PartComparison comparison(schema, schema.table(index), read);
  Vector<std::string> unknown;
  comparison.FindProps(&unknown);
  if (!unknown.empty()) {
    result.unknown = std::move(unknown);
    return result;
  }
  SKERRY_RETURN_IF_ERROR(comparison.Load(scopes));
  return comparison.Compare();
}

Result<Data> Compare(const Schema& schema, std::string_view text) {
  Result<Data> in = ParseJson(text);
  if (!in.ok()) return in.status();
  wire::ReadDiff read;
  SKERRY_RETURN_IF_ERROR(ReadStep(std::move(in.value()), &read));
  Result<Scopes> scopes = Scopes::Parse(schema, std::move(read.scopes), UnknownTables::kLeftOut);
  if (!scopes.ok()) return scopes.status();
  Vector<wire::DiffResult> results;
  for (const wire::ReadPart& part : read.parts) {
    Result<wire::DiffResult> result = ComparePart(schema, scopes.value(), part);
    if (!result.ok()) return result.status();
    results.push_back(std::move(result.value()));
  }
  return Data::MakeObject().Set("tables", ToData(results));
}

}  // namespace

std::string CompareJson(const Schema& schema, std::string_view text) {
  Result<Data> out = Compare(schema, text);
  return WriteJson(out.ok() ? out.value() : ErrorToData(out.status()));
}

}  // namespace skerry
