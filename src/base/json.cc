#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/number_text.h"
#include "base/sort.h"
#include "base/vector.h"

namespace skerry {
namespace {

// Of members with the same key the last one stays, as in JSON.parse. Sorting instead of comparing
// all pairs keeps a hostile object of a million keys from taking hours.
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

// Reads values from nlohmann's lexer, which knows UTF-8, escapes and numbers. Its parser, with the
// texts of its exceptions, would be as large as all of this unit; no DOM is made, and depth is
// bounded while parsing.
class Parser {
 public:
  explicit Parser(std::string_view text)
      : lexer_(nlohmann::detail::input_adapter(text.data(), text.data() + text.size())) {}

  Result<Data> Parse() {
    Data root;
    if (Read(lexer_.scan(), 0, &root) && lexer_.scan() == Token::end_of_input) return root;
    if (too_deep_) return Status(Code::kLimit, "deeper than " + ToText(kMaxJsonDepth));
    const size_t position = lexer_.get_position();
    return Status(Code::kParse, "malformed JSON at byte " + ToText(position));
  }

 private:
  using Adapter = nlohmann::detail::iterator_input_adapter<const char*>;
  using Lexer = nlohmann::detail::lexer<nlohmann::json, Adapter>;
  using Token = Lexer::token_type;

  // The value that begins with `token`. False where there is none.
  bool Read(Token token, int depth, Data* out) {
    switch (token) {
      case Token::literal_null:
        return true;
      case Token::literal_true:
      case Token::literal_false:
        *out = Data(token == Token::literal_true);
        return true;
      case Token::value_unsigned:
        *out = Data(lexer_.get_number_unsigned());
        return true;
      case Token::value_integer:
        *out = Data(lexer_.get_number_integer());
        return true;
      case Token::value_float:
        *out = Data(lexer_.get_number_float());
        return std::isfinite(out->as_number());
      case Token::value_string:
        *out = Data(std::move(lexer_.get_string()));
        return true;
      case Token::begin_array:
      case Token::begin_object:
        too_deep_ = depth >= kMaxJsonDepth;
        if (too_deep_) return false;
        return token == Token::begin_array ? ReadArray(depth, out) : ReadObject(depth, out);
      default:
        return false;
    }
  }

  bool ReadArray(int depth, Data* out) {
    *out = Data::MakeArray();
    Token token = lexer_.scan();
    while (token != Token::end_array) {
      Data item;
      if (!Read(token, depth + 1, &item)) return false;
      out->Push(std::move(item));
      if (!Next(Token::end_array, &token)) return false;
    }
    return true;
  }

  bool ReadObject(int depth, Data* out) {
    *out = Data::MakeObject();
    Data::Object& members = out->mutable_members();
    Token token = lexer_.scan();
    while (token != Token::end_object) {
      if (token != Token::value_string) return false;
      members.emplace_back(std::move(lexer_.get_string()), Data());
      if (lexer_.scan() != Token::name_separator) return false;
      if (!Read(lexer_.scan(), depth + 1, &members.back().second)) return false;
      if (!Next(Token::end_object, &token)) return false;
    }
    DropRepeatedKeys(&members);
    return true;
  }

  // After an item: moves on to the next one or to the end. A comma before the end is malformed.
  bool Next(Token end, Token* token) {
    *token = lexer_.scan();
    if (*token == end) return true;
    if (*token != Token::value_separator) return false;
    *token = lexer_.scan();
    return *token != end;
  }

  Lexer lexer_;
  bool too_deep_ = false;
};

void WriteText(std::string_view text, String* out) {
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

void WriteNumber(double v, String* out) {
  SKERRY_CHECK(std::isfinite(v));
  if (std::trunc(v) == v && std::abs(v) < 9007199254740992.0) {
    out->append(ToText(static_cast<int64_t>(v)));
    return;
  }
  char text[kNumberText];
  out->append(text, WriteNumberText(v, text));
}

}  // namespace

Result<Data> ParseJson(std::string_view text) { return Parser(text).Parse(); }

void WriteJson(const Data& data, String* out) {
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

String WriteJson(const Data& data) {
  String out;
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
