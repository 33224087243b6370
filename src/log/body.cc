#include "log/body.h"

#include "base/checksum.h"
#include "base/id.h"
#include "base/vector.h"
#include "log/value_codec.h"
#include "log/wire.h"

namespace skerry {
namespace {

constexpr size_t kBodyChecksumBytes = 8;

Status Damaged(const char* what) {
  return {Code::kCorrupt, std::string("a damaged record: ") + what};
}

}  // namespace

// ---- writing ----

BodyWriter::Table* BodyWriter::UseTable(TableIndex table, uint64_t* place) {
  for (size_t i = 0; i < tables_.size(); ++i) {
    if (tables_[i].index != table) continue;
    *place = i;
    return &tables_[i];
  }
  *place = tables_.size();
  tables_.push_back({table, {}});
  return &tables_.back();
}

void BodyWriter::PutTable(TableIndex table) {
  uint64_t place = 0;
  UseTable(table, &place);
  PutVarint(&payload_, place);
}

void BodyWriter::PutProp(TableIndex table, PropIndex prop) {
  uint64_t place = 0;
  Vector<PropIndex>& props = UseTable(table, &place)->props;
  for (size_t i = 0; i < props.size(); ++i) {
    if (props[i] == prop) return PutVarint(&payload_, i);
  }
  props.push_back(prop);
  PutVarint(&payload_, props.size() - 1);
}

void BodyWriter::PutRealm(std::string_view realm) {
  for (size_t i = 0; i < realms_.size(); ++i) {
    if (realms_[i] == realm) return PutVarint(&payload_, i);
  }
  realms_.emplace_back(realm);
  PutVarint(&payload_, realms_.size() - 1);
}

// id = %x00 high:u64le low:u64le (a UUID) | text (not empty)
void BodyWriter::PutId(std::string_view id) {
  Uuid uuid;
  if (!ParseUuid(id, &uuid)) return PutText(&payload_, id);
  PutU8(&payload_, 0);
  PutU64(&payload_, uuid.high);
  PutU64(&payload_, uuid.low);
}

std::string BodyWriter::Finish(BodyKind kind, std::string_view front) const {
  std::string body;
  PutU8(&body, version_);
  PutU8(&body, static_cast<uint8_t>(kind));
  PutVarint(&body, tables_.size());
  for (const Table& table : tables_) {
    const TableDef& def = schema_.table(table.index);
    PutText(&body, def.former.First(def.name));
    PutVarint(&body, table.props.size());
    for (const PropIndex prop : table.props)
      PutText(&body, def.props[prop].former.First(def.props[prop].name));
  }
  PutVarint(&body, realms_.size());
  for (const std::string& realm : realms_) PutText(&body, realm);
  body.reserve(body.size() + front.size() + payload_.size() + kBodyChecksumBytes);
  body += front;
  body += payload_;
  PutU64(&body, Xxh64(body));
  return body;
}

// ---- reading ----

Result<BodyReader> BodyReader::Open(const Schema& schema, BodyKind kind, std::string_view bytes) {
  if (bytes.size() < 2 + kBodyChecksumBytes) return Damaged("too short");
  // The version is checked before the checksum: another version may compute that differently.
  if (const auto version = static_cast<uint8_t>(bytes[0]);
      version != kBodyVersion && version != kUndoBodyVersion) {
    return Status(Code::kVersion, "a record of format " + std::to_string(version));
  }
  const std::string_view sealed = bytes.substr(0, bytes.size() - kBodyChecksumBytes);
  if (Reader(bytes.substr(sealed.size())).U64() != Xxh64(sealed)) return Damaged("checksum");
  if (static_cast<uint8_t>(bytes[1]) != static_cast<uint8_t>(kind)) return Damaged("another kind");
  BodyReader reader(schema, sealed.substr(2));
  SKERRY_RETURN_IF_ERROR(reader.ReadNames());
  return reader;
}

Status BodyReader::ReadNames() {
  const uint64_t tables = TakeCount();
  for (uint64_t i = 0; i < tables && ok(); ++i) {
    Table table;
    table.name = in_.Text();
    const TableIndex index = table.index = schema_->FindTable(table.name);
    const uint64_t props = TakeCount();
    for (uint64_t j = 0; j < props && ok(); ++j) {
      const std::string_view prop = in_.Text();
      table.names.push_back(prop);
      table.props.push_back(index == kNone ? kNone : schema_->table(index).FindProp(prop));
    }
    tables_.push_back(std::move(table));
  }
  const uint64_t realms = TakeCount();
  for (uint64_t i = 0; i < realms && ok(); ++i) realms_.push_back(TakeText());
  return ok() ? Status::Ok() : Damaged("names");
}

Result<Schema> BodyReader::NamesOf(const Schema& schema, BodyKind kind, std::string_view bytes) {
  Result<BodyReader> opened = Open(schema, kind, bytes);
  if (!opened.ok()) return opened.status();
  Vector<TableDef> tables;
  for (const Table& named : opened.value().tables_) {
    TableDef table;
    const TableDef* known = named.index == kNone ? nullptr : &schema.table(named.index);
    table.name = known != nullptr ? known->name : std::string(named.name);
    table.former.Add(named.name);
    table.index = static_cast<TableIndex>(tables.size());
    table.custom_ids = true;
    for (size_t i = 0; i < named.names.size(); ++i) {
      PropDef prop;
      const PropIndex there = named.props[i];
      prop.name = there != kNone ? known->props[there].name : std::string(named.names[i]);
      prop.former.Add(named.names[i]);
      prop.optional = true;
      table.props.push_back(std::move(prop));
    }
    tables.push_back(std::move(table));
  }
  return Schema::OfNames(std::move(tables));
}

void BodyReader::LeaveOut(const Status& why) {
  left_out_ = true;
  if (why_left_out_.ok()) why_left_out_ = why;
}

uint64_t BodyReader::TakeCount() {
  const uint64_t count = in_.Varint();
  if (count > in_.remaining()) in_.Fail();
  return in_.failed() ? 0 : count;
}

bool BodyReader::TakeFlag() {
  const uint8_t flag = in_.U8();
  if (flag > 1) in_.Fail();
  return flag == 1;
}

TableIndex BodyReader::TakeTable() {
  const uint64_t place = in_.Varint();
  if (place >= tables_.size()) in_.Fail();
  if (in_.failed()) return kNone;
  taken_ = static_cast<size_t>(place);
  const Table& table = tables_[taken_];
  if (table.index == kNone) LeaveOut(NoTable(table.name));
  return table.index;
}

PropIndex BodyReader::TakeProp() {
  const uint64_t prop = in_.Varint();
  if (taken_ >= tables_.size() || prop >= tables_[taken_].props.size()) in_.Fail();
  if (in_.failed()) return kNone;
  const Table& table = tables_[taken_];
  const PropIndex index = table.props[static_cast<size_t>(prop)];
  if (index == kNone && table.index != kNone)
    LeaveOut(NoProp(table.name, table.names[static_cast<size_t>(prop)]));
  return index;
}

std::string BodyReader::TakeRealm() {
  const uint64_t place = in_.Varint();
  if (place >= realms_.size()) in_.Fail();
  return in_.failed() ? std::string() : realms_[place];
}

std::string BodyReader::TakeId() {
  const uint64_t size = in_.Varint();
  if (size == 0) {
    Uuid uuid;
    uuid.high = in_.U64();
    uuid.low = in_.U64();
    return in_.failed() ? std::string() : UuidText(uuid);
  }
  if (size <= in_.remaining()) return std::string(in_.Take(size));
  in_.Fail();
  return {};
}

Value BodyReader::TakeValue() { return skerry::TakeValue(&in_); }

Status BodyReader::Finish() const { return in_.AtEnd() ? Status::Ok() : Damaged("contents"); }

}  // namespace skerry
