#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/number_text.h"
#include "base/sort.h"
#include "base/text.h"
#include "base/vector.h"

namespace skerry {
namespace {

// Of several members with the same key the last one stays, as with JSON.parse. It sorts instead of
// comparing all pairs: a hostile object of a million keys would take hours otherwise.
void DropRepeatedKeys(Data::Object* members) {
  Vector<uint32_t> order(members->size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto by_key = [&](uint32_t a, uint32_t b) {
    const int compared = (*members)[a].first.compare((*members)[b].first);
    return compared != 0 ? compared < 0 : a < b;
  };
  Sort(order.begin(), order.end(), by_key);
  Vector<char> repeated(members->size(), 0);  // one flag each
  bool any = false;
  for (size_t i = 1; i < order.size(); ++i) {
    if ((*members)[order[i - 1]].first != (*members)[order[i]].first) continue;
    repeated[order[i - 1]] = 1;
    any = true;
  }
  if (!any) return;
  Data::Object kept;
  for (size_t i = 0; i < members->size(); ++i) {
    if (repeated[i] == 0) kept.push_back(std::move((*members)[i]));
  }
  *members = std::move(kept);
}

// Builds a value from the events of nlohmann's parser (its SAX interface). So nlohmann builds no
// tree of its own, and the depth is checked while parsing.
class Builder {
 public:
  bool null() { return Add({}); }
  bool boolean(bool value) { return Add(value); }
  bool number_integer(int64_t value) { return Add(value); }
  bool number_unsigned(uint64_t value) { return Add(value); }
  bool number_float(double value, const std::string& /*text*/) {
    return std::isfinite(value) && Add(value);
  }
  bool string(std::string& value) { return Add(std::move(value)); }
  bool binary(nlohmann::json::binary_t& /*value*/) { return false; }
  bool start_object(size_t /*size*/) { return Open(Data::MakeObject()); }
  bool start_array(size_t /*size*/) { return Open(Data::MakeArray()); }
  bool key(std::string& name) {
    open_.back().mutable_members().emplace_back(std::move(name), Data());
    return true;
  }
  bool end_object() {
    DropRepeatedKeys(&open_.back().mutable_members());
    return Close();
  }
  bool end_array() { return Close(); }
  bool parse_error(size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) {
    position_ = position;
    return false;
  }

  bool too_deep() const { return too_deep_; }
  size_t position() const { return position_; }
  Data& root() { return root_; }

 private:
  bool Add(Data value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is_array()) {
      open_.back().Push(std::move(value));
    } else {
      open_.back().mutable_members().back().second = std::move(value);
    }
    return true;
  }
  bool Open(Data container) {
    too_deep_ = open_.size() >= kMaxJsonDepth;
    if (too_deep_) return false;
    open_.push_back(std::move(container));
    return true;
  }
  bool Close() {
    Data value = std::move(open_.back());
    open_.pop_back();
    return Add(std::move(value));
  }

  Data root_;
  Vector<Data> open_;  // arrays and objects not yet closed, the outermost first
  bool too_deep_ = false;
  size_t position_ = 0;
};

void WriteText(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      out->append("\\n");
    } else if (byte < 0x20) {
      out->append("\\u00");
      out->push_back("01"[byte >> 4]);
      out->push_back("0123456789abcdef"[byte & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

void WriteNumber(double v, std::string* out) {
  SKERRY_CHECK(std::isfinite(v));
  if (std::trunc(v) == v && std::abs(v) < 9007199254740992.0) {
    out->append(std::to_string(static_cast<int64_t>(v)));
    return;
  }
  char text[kNumberText];
  out->append(text, WriteNumberText(v, text));
}

// The UTF-16 unit that four hexadecimal digits stand for.
uint32_t UnitAt(std::string_view text, size_t at) {
  uint32_t unit = 0;
  for (const char c : text.substr(std::min(at, text.size()), 4)) {
    const uint32_t digit =
        c <= '9' ? static_cast<uint32_t>(c - '0') : (static_cast<uint32_t>(c) | 0x20u) - 'a' + 10;
    unit = unit * 16 + digit;
  }
  return unit;
}

}  // namespace

Result<Data> ParseJson(std::string_view text) {
  Builder builder;
  if (nlohmann::json::sax_parse(text, &builder)) return std::move(builder.root());
  if (builder.too_deep())
    return Status(Code::kLimit, "deeper than " + std::to_string(kMaxJsonDepth));
  return Status(Code::kParse, "malformed JSON at byte " + std::to_string(builder.position()));
}

bool IsJson(std::string_view text) { return nlohmann::json::accept(text); }

// Without the parser, which the window's module does not have.
bool IsStorableJson(std::string_view text) {
  if (!IsStorableText(text)) return false;
  size_t low_at = text.npos;  // where the other half of a pair begins
  for (size_t i = text.find("\\u"); i != text.npos; i = text.find("\\u", i + 1)) {
    size_t backslashes = 0;
    while (backslashes < i && text[i - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 != 0) continue;
    const uint32_t unit = UnitAt(text, i + 2);
    const bool is_low = unit >= 0xdc00 && unit <= 0xdfff;
    if (unit == 0 || is_low != (i == low_at)) return false;
    const bool is_high = unit >= 0xd800 && unit <= 0xdbff;
    low_at = is_high ? i + 6 : text.npos;
    if (is_high && text.substr(low_at, 2) != "\\u") return false;
  }
  return true;
}

void WriteJson(const Data& data, std::string* out) {
  switch (data.kind()) {
    case Data::Kind::kNull:
      out->append("null");
      return;
    case Data::Kind::kBool:
      out->append(data.as_bool() ? "true" : "false");
      return;
    case Data::Kind::kNumber:
      return WriteNumber(data.as_number(), out);
    case Data::Kind::kString:
      return WriteText(data.as_string(), out);
    case Data::Kind::kBytes:
      out->append(R"({"$type":"bytes","v":")");
      out->append(Base64Encode(data.as_bytes()));
      out->append("\"}");
      return;
    case Data::Kind::kJson:
      out->append(data.as_json());
      return;
    case Data::Kind::kArray: {
      char separator = '[';
      for (const Data& item : data.items()) {
        out->push_back(separator);
        WriteJson(item, out);
        separator = ',';
      }
      if (separator == '[') out->push_back('[');
      out->push_back(']');
      return;
    }
    case Data::Kind::kObject: {
      char separator = '{';
      for (const Data::Member& member : data.members()) {
        out->push_back(separator);
        WriteText(member.first, out);
        out->push_back(':');
        WriteJson(member.second, out);
        separator = ',';
      }
      if (separator == '{') out->push_back('{');
      out->push_back('}');
      return;
    }
  }
}

std::string WriteJson(const Data& data) {
  std::string out;
  WriteJson(data, &out);
  return out;
}

bool IsFiniteTree(const Data& data) {
  for (const Data& item : data.items()) {
    if (!IsFiniteTree(item)) return false;
  }
  for (const auto& [name, value] : data.members()) {
    if (!IsFiniteTree(value)) return false;
  }
  return !data.is_number() || std::isfinite(data.as_number());
}

size_t JsonDepth(std::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  bool is_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_string) {
      if (c == '\\') ++i;
      is_string = c != '"';
    } else if (c == '"') {
      is_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace skerry
