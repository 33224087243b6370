#include "log/stream_record.h"

#include "base/checksum.h"
#include "log/stream_name.h"
#include "log/transaction_builder.h"

namespace skerry {
namespace {

constexpr char kBetween = '\0';

std::string Prefix(std::string_view realm, std::string_view stream) {
  std::string key(realm);
  key += kBetween;
  key += stream;
  return key;
}

}  // namespace

Key ActionsKey(std::string_view realm, std::string_view stream, uint64_t first_revision) {
  return {Prefix(realm, stream) + kBetween + Hex16(first_revision)};
}

Key StreamKey(std::string_view realm, std::string_view stream) { return {Prefix(realm, stream)}; }

Key StateKey(std::string_view realm, std::string_view stream, uint64_t reducer) {
  return {Prefix(realm, stream) + kBetween + Hex16(reducer)};
}

// IndexedDB compares texts by their UTF-16 units: none is above U+FFFF.
KeyRange KeysOfRealm(std::string_view realm) {
  return {Key(Prefix(realm, {})), Key(Prefix(realm, "\xEF\xBF\xBF"))};
}

KeyRange KeysOfStream(std::string_view realm, std::string_view pattern) {
  if (!IsStreamPrefix(pattern)) {
    const std::string key = Prefix(realm, pattern);
    return {Key(key), Key(key + kBetween + "g")};  // after all hexadecimal digits
  }
  const std::string key = Prefix(realm, StreamPrefix(pattern));
  return {Key(key), Key(key + "\xEF\xBF\xBF")};
}

void WriteActions(const Schema& schema, std::string_view realm, std::string_view stream,
                  const Vector<StreamAction>& actions, Data::Array* writes) {
  for (size_t i = 0; i < actions.size();) {
    Vector<StreamAction> row;
    size_t bytes = 0;
    // All actions of an entry are in one row: the key names the first entry.
    while (i < actions.size()) {
      const bool is_full = row.size() >= kMaxRowActions || bytes >= kMaxRowActionBytes;
      if (is_full && actions[i].place.first != row.back().place.first) break;
      bytes += actions[i].arg.size();
      row.push_back(actions[i++]);
    }
    ActionsRecord record;
    record.body = EncodeActions(schema, row);
    writes->push_back(
        PutWrite(Store::kActions, ActionsKey(realm, stream, row[0].place.first), ToData(record)));
  }
}

}  // namespace skerry
