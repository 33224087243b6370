#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"

namespace skerry {
namespace {

// Of members with the same key the last one stays, as in JSON.parse. Sorting instead of comparing all pairs keeps a
// hostile object of a million keys from taking hours.
void DropRepeatedKeys(Data::Object* members) {
  std::vector<uint32_t> order(members->size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto by_key = [&](uint32_t a, uint32_t b) {
    const int compared = (*members)[a].first.compare((*members)[b].first);
    return compared != 0 ? compared < 0 : a < b;
  };
  std::sort(order.begin(), order.end(), by_key);
  std::vector<bool> repeated(members->size());
  bool any = false;
  for (size_t i = 1; i < order.size(); ++i) {
    if ((*members)[order[i - 1]].first != (*members)[order[i]].first) continue;
    repeated[order[i - 1]] = any = true;
  }
  if (!any) return;
  Data::Object kept;
  for (size_t i = 0; i < members->size(); ++i) {
    if (!repeated[i]) kept.push_back(std::move((*members)[i]));
  }
  *members = std::move(kept);
}

// Builds Data from nlohmann's SAX events: no DOM of its own is made, and depth is bounded while parsing.
class Builder {
 public:
  bool null() { return Add(Data()); }
  bool boolean(bool v) { return Add(Data(v)); }
  bool number_integer(int64_t v) { return Add(Data(v)); }
  bool number_unsigned(uint64_t v) { return Add(Data(v)); }
  bool number_float(double v, const std::string&) {
    return std::isfinite(v) ? Add(Data(v)) : Refuse("a number is out of range");
  }
  bool string(std::string& v) { return Add(Data(std::move(v))); }
  bool binary(nlohmann::json::binary_t&) { return Refuse("binary"); }
  bool start_object(size_t) { return Open(Data::MakeObject()); }
  bool key(std::string& v) {
    keys_.back() = std::move(v);
    return true;
  }
  bool end_object() {
    DropRepeatedKeys(&stack_.back().mutable_members());
    return Close();
  }
  bool start_array(size_t) { return Open(Data::MakeArray()); }
  bool end_array() { return Close(); }
  template <typename Exception>
  bool parse_error(size_t position, const std::string&, const Exception&) {
    return Refuse("malformed JSON at byte " + std::to_string(position));
  }

  Data Take() { return std::move(root_); }
  const std::string& error() const { return error_; }
  bool too_deep() const { return too_deep_; }

 private:
  bool Refuse(std::string error) {
    error_ = std::move(error);
    return false;
  }
  bool Open(Data container) {
    if (stack_.size() >= static_cast<size_t>(kMaxJsonDepth)) {
      too_deep_ = true;
      return Refuse("deeper than " + std::to_string(kMaxJsonDepth));
    }
    stack_.push_back(std::move(container));
    keys_.emplace_back();
    return true;
  }
  bool Close() {
    Data done = std::move(stack_.back());
    stack_.pop_back();
    keys_.pop_back();
    return Add(std::move(done));
  }
  bool Add(Data value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (stack_.back().is_array()) {
      stack_.back().Push(std::move(value));
    } else {
      stack_.back().mutable_members().emplace_back(std::move(keys_.back()), std::move(value));
    }
    return true;
  }

  Data root_;
  std::vector<Data> stack_;
  std::vector<std::string> keys_;
  std::string error_;
  bool too_deep_ = false;
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
  char buffer[64];
  const char* end = nlohmann::detail::to_chars(buffer, buffer + sizeof buffer, v);
  out->append(buffer, static_cast<size_t>(end - buffer));
}

}  // namespace

Result<Data> ParseJson(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &builder)) {
    return Status(builder.too_deep() ? Code::kLimit : Code::kParse, builder.error());
  }
  return builder.Take();
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

}  // namespace skerry
