// Schema: tables and props, identified by their indexes. It is built once, from the description
// that js/api/schema.ts makes (docs/internals.md, section 2), is shared by reference, and is
// immutable.
#ifndef SKERRY_MODEL_SCHEMA_H_
#define SKERRY_MODEL_SCHEMA_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "model/former_names.h"
#include "model/value.h"

namespace skerry {

using TableIndex = uint16_t;
using PropIndex = uint16_t;

// Columns that every row has. Queries can filter and order by them, as by props.
inline constexpr PropIndex kIdColumn = 0xfff0;
inline constexpr PropIndex kRealmColumn = 0xfff1;
inline constexpr PropIndex kCreatedAtColumn = 0xfff2;
inline constexpr PropIndex kModifiedAtColumn = 0xfff3;
inline constexpr uint16_t kNone = 0xffff;

enum class PropType : uint8_t {
  kString = 1,
  kNumber = 2,
  kBoolean = 3,
  kDate = 4,
  kBytes = 5,
  kEnum = 6,
  kRef = 7,
  kJson = 8,
  kClass = 9,
};
enum class OnDelete : uint8_t { kNothing = 0, kCascade = 1, kSetNull = 2, kRestrict = 3 };

struct PropDef {
  std::string name;
  FormerNames former;
  PropType type = PropType::kString;
  bool optional = false;
  bool has_default = false;
  Value default_value;
  bool indexed = false;  // refs always are
  bool unique = false;
  std::string type_name;            // the registered name of a class, or of an enum (may be empty)
  Vector<std::string> enum_values;  // names
  uint32_t class_version = 1;
  TableIndex ref_table = kNone;
  OnDelete on_delete = OnDelete::kNothing;
  bool touch = false;
};

struct TableDef {
  std::string name;
  FormerNames former;
  TableIndex index = 0;
  bool custom_ids = false;  // ids are the application's own strings; else UUIDs
  bool autosubscribe = false;
  Vector<PropDef> props;
  PropIndex FindProp(std::string_view name) const;  // among props only; kNone if there is none
  PropIndex FindColumn(
      std::string_view name) const;  // props, then id, realm, createdAt, modifiedAt
};

// A ref, seen from its target: a prop of `table` that refers to it.
struct BackRef {
  TableIndex table = kNone;
  PropIndex prop = kNone;
};

class Schema {
 public:
  static Result<Schema> Parse(const Data& description);
  // A schema of bare names: what one is written with or read by, and not what its rows hold.
  static Schema OfNames(Vector<TableDef> tables);
  uint32_t version() const { return version_; }
  const Vector<uint32_t>& accepts() const { return accepts_; }
  // Windows of this schema have rules of the application, which say what may be pushed.
  bool validates() const { return validates_; }
  const Vector<TableDef>& tables() const { return tables_; }
  const TableDef& table(TableIndex index) const { return tables_[index]; }
  TableIndex FindTable(std::string_view name) const;  // kNone if there is none
  // The system table of memberships (model/members.h); kNone if the description has none.
  TableIndex members() const { return members_; }
  const Vector<BackRef>& back_refs(TableIndex target) const { return back_refs_[target]; }
  // A digest of everything that decides the layout of rows. An image holds the fingerprint of its
  // schema, and is converted if it is loaded under another one.
  uint64_t fingerprint() const { return fingerprint_; }
  // The description that was parsed, encoded by EncodeData. An image holds it, so that it can be
  // read under another schema.
  const std::string& description() const { return description_; }

 private:
  uint32_t version_ = 0;
  Vector<uint32_t> accepts_;
  bool validates_ = false;
  Vector<TableDef> tables_;
  TableIndex members_ = kNone;
  Vector<Vector<BackRef>> back_refs_;
  uint64_t fingerprint_ = 0;
  std::string description_;
};

// Checks that a value fits a prop (type, enum member, not null unless optional, text that databases
// can hold: no U+0000, valid UTF-8 without lone surrogates, finite numbers).
Status CheckValue(const TableDef& table, const PropDef& prop, const Value& value);
// The same for a value that is written: a database has to hold it. Filters compare with any date.
Status CheckNewValue(const TableDef& table, const PropDef& prop, const Value& value);
// The value of a prop for which none was given: its default if it may not be null and has one, else
// null.
const Value& DefaultOrNull(const PropDef& prop);
// Converts a value that was written under another schema: returns it if it fits the prop; else
// returns DefaultOrNull and sets `left_out`.
Value ConvertValue(const TableDef& table, const PropDef& prop, Value value, bool* left_out);
// Ids: canonical lower-case UUID text, or for custom ids 1..128 bytes of storable UTF-8.
Status CheckId(const TableDef& table, std::string_view id);

// Converts a value to and from its plain form in Data and JSON, by the prop's type: boolean,
// number, string unchanged; date = ms as a number; enum = name; ref = id; bytes = Data bytes or
// base64 text; json = the JSON value itself (with $type envelopes inside, untouched); class =
// {"$type","v","version"}. ValueFromData also takes {"$type":"date"|"bytes","v":…} envelopes; its
// errors do not name the prop, which the caller knows.
Result<Value> ValueFromData(const PropDef& prop, const Data& data);
Data ValueToData(const PropDef& prop, const Value& value, bool bytes_as_base64);

}  // namespace skerry

#endif  // SKERRY_MODEL_SCHEMA_H_
