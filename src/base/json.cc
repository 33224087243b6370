#include "base/json.h"

#include <cmath>
#include <cstdlib>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/number_text.h"
#include "base/sort.h"
#include "base/text.h"
#include "base/vector.h"

namespace skerry {
namespace {

// Of members with the same key the last one stays, as in JSON.parse. Objects are small; sorting,
// instead of comparing all pairs, keeps a hostile one of a million keys from taking hours.
constexpr size_t kFewMembers = 16;

bool MayRepeatKeys(const Data::Object& members) {
  if (members.size() > kFewMembers) return true;
  for (size_t i = 1; i < members.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (members[i].first == members[j].first) return true;
    }
  }
  return false;
}

void DropRepeatedKeys(Data::Object* members) {
  if (!MayRepeatKeys(*members)) return;
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

void AppendUtf8(uint32_t code, String* out) {
  if (code < 0x80) return out->push_back(static_cast<char>(code));
  int shift = code < 0x800 ? 6 : code < 0x10000 ? 12 : 18;
  constexpr uint8_t kLead[] = {0xC0, 0xE0, 0xF0};
  out->push_back(static_cast<char>(kLead[shift / 6 - 1] | code >> shift));
  while (shift > 0) {
    shift -= 6;
    out->push_back(static_cast<char>(0x80 | (code >> shift & 0x3F)));
  }
}

// Reads values by descending into them. Texts and whole numbers, of which there are many, are
// looked through once; the keys of one text, which repeat, share their bytes.
class Parser {
 public:
  explicit Parser(std::string_view text)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  Result<Data> Parse() {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (Rest().starts_with(kByteOrderMark)) at_ += kByteOrderMark.size();
    Data root;
    if (Read(0, &root) && Peek() == kEnd) return root;
    if (too_deep_) return Status(Code::kLimit, "deeper than " + ToText(kMaxJsonDepth));
    return Status(Code::kParse,
                  "malformed JSON at byte " + ToText(static_cast<int64_t>(at_ - begin_)));
  }

 private:
  static constexpr int kEnd = -1;

  std::string_view Rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  bool AtDigit() const { return at_ != end_ && *at_ >= '0' && *at_ <= '9'; }

  // What comes next behind white space.
  int Peek() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    return at_ == end_ ? kEnd : static_cast<uint8_t>(*at_);
  }

  bool Take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool Word(std::string_view word, Data value, Data* out) {
    if (!Rest().starts_with(word)) return false;
    at_ += word.size();
    *out = std::move(value);
    return true;
  }

  // False where there is no value.
  bool Read(int depth, Data* out) {
    switch (Peek()) {
      case 'n':
        return Word("null", {}, out);
      case 't':
        return Word("true", true, out);
      case 'f':
        return Word("false", false, out);
      case '"': {
        String text;
        if (!ReadText(&text)) return false;
        *out = Data(std::move(text));
        return true;
      }
      case '[':
      case '{':
        too_deep_ = depth >= kMaxJsonDepth;
        if (too_deep_) return false;
        return *at_++ == '[' ? ReadArray(depth, out) : ReadObject(depth, out);
      default:
        return ReadNumber(out);
    }
  }

  bool ReadArray(int depth, Data* out) {
    *out = Data::MakeArray();
    if (Peek() == ']') return Take(']');
    do {
      Data item;
      if (!Read(depth + 1, &item)) return false;
      out->Push(std::move(item));
    } while (Peek() == ',' && Take(','));
    return Take(']');
  }

  bool ReadObject(int depth, Data* out) {
    *out = Data::MakeObject();
    Data::Object& members = out->mutable_members();
    if (Peek() == '}') return Take('}');
    do {
      if (Peek() != '"') return false;
      members.emplace_back();
      if (!ReadKey(&members.back().first)) return false;
      if (Peek() != ':' || !Take(':')) return false;
      if (!Read(depth + 1, &members.back().second)) return false;
    } while (Peek() == ',' && Take(','));
    DropRepeatedKeys(&members);
    return Take('}');
  }

  bool ReadKey(String* out) {
    const char* from = at_;
    if (!ReadText(out)) return false;
    // By length and first letter: what falls together only shares no bytes.
    String& known =
        keys_[(static_cast<size_t>(at_ - from) * 7 + static_cast<uint8_t>(from[1])) % kKnownKeys];
    if (known == *out) {
      *out = known;
    } else {
      known = *out;
    }
    return true;
  }

  // REQUIRES: at a quotation mark.
  bool ReadText(String* out) {
    ++at_;
    for (;;) {
      const char* from = at_;
      uint8_t bits = 0;
      for (; at_ != end_ && *at_ != '"' && *at_ != '\\'; ++at_) {
        const auto byte = static_cast<uint8_t>(*at_);
        if (byte < 0x20) return false;
        bits |= byte;
      }
      if (at_ == end_) return false;
      const std::string_view piece(from, static_cast<size_t>(at_ - from));
      if (bits >= 0x80 && !IsStorableText(piece)) return false;
      out->append(piece);
      if (*at_++ == '"') return true;
      if (!ReadEscape(out)) return false;
    }
  }

  // Behind a backslash.
  bool ReadEscape(String* out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (Take('u')) {
      uint32_t code = 0;
      if (!ReadHex(&code)) return false;
      const bool is_low = code >= 0xDC00 && code < 0xE000;
      if (is_low) return false;
      if (code >= 0xD800 && code < 0xDC00) {
        uint32_t low = 0;
        if (!Take('\\') || !Take('u') || !ReadHex(&low)) return false;
        if (low < 0xDC00 || low >= 0xE000) return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      }
      AppendUtf8(code, out);
      return true;
    }
    const size_t which = at_ == end_ ? kLetters.npos : kLetters.find(*at_);
    if (which == kLetters.npos) return false;
    ++at_;
    out->push_back(kMeanings[which]);
    return true;
  }

  bool ReadHex(uint32_t* code) {
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return false;
      const char c = *at_;
      const char letter = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        *code = *code << 4 | static_cast<uint32_t>(c - '0');
      } else if (letter >= 'a' && letter <= 'f') {
        *code = *code << 4 | static_cast<uint32_t>(letter - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  bool ReadNumber(Data* out) {
    constexpr int kExactDigits = 18;
    const char* from = at_;
    const bool is_negative = Take('-');
    const char* digits = at_;
    int64_t whole = 0;
    if (!AtDigit()) return false;
    if (!Take('0')) {
      for (; AtDigit(); ++at_) {
        if (at_ - digits < kExactDigits) whole = whole * 10 + (*at_ - '0');
      }
    }
    const bool is_exact = at_ - digits <= kExactDigits;
    bool is_whole = true;
    if (Take('.')) {
      is_whole = false;
      if (!SkipDigits()) return false;
    }
    if (Take('e') || Take('E')) {
      is_whole = false;
      if (!Take('+')) Take('-');
      if (!SkipDigits()) return false;
    }
    if (is_whole && is_exact) {
      *out = Data(is_negative ? -whole : whole);
      return true;
    }
    String text(from, static_cast<size_t>(at_ - from));
    text.push_back('\0');
    *out = Data(std::strtod(text.data(), nullptr));
    return std::isfinite(out->as_number());
  }

  bool SkipDigits() {
    if (!AtDigit()) return false;
    while (AtDigit()) ++at_;
    return true;
  }

  static constexpr size_t kKnownKeys = 64;

  const char* begin_;
  const char* at_;
  const char* end_;
  bool too_deep_ = false;
  String keys_[kKnownKeys];
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

}  // namespace skerry
