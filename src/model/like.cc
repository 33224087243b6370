#include "model/like.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/limits.h"
#include "base/vector.h"

namespace skerry {
namespace {

constexpr size_t kNowhere = std::string_view::npos;

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// Where the character at `at` ends. REQUIRES: at < text.size().
size_t CharacterEnd(std::string_view text, size_t at) {
  do {
    ++at;
  } while (at < text.size() && IsContinuation(text[at]));
  return at;
}

// Removes the part before the next %, and that %, from the pattern, and returns the part. Sets
// *last if there was no %.
std::string_view TakePart(std::string_view* pattern, bool* last) {
  size_t end = 0;
  while (end < pattern->size() && (*pattern)[end] != '%') {
    if ((*pattern)[end] == '\\') ++end;
    ++end;
  }
  end = std::min(end, pattern->size());
  *last = end == pattern->size();
  const std::string_view part = pattern->substr(0, end);
  pattern->remove_prefix(*last ? end : end + 1);
  return part;
}

bool HasAny(std::string_view part) {
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '\\') {
      ++i;
    } else if (part[i] == '_') {
      return true;
    }
  }
  return false;
}

// Where a match of the part at `at` ends, or kNowhere.
size_t MatchAt(std::string_view text, size_t at, std::string_view part) {
  for (size_t i = 0; i < part.size(); ++i) {
    if (at >= text.size()) return kNowhere;
    if (part[i] == '_') {
      at = CharacterEnd(text, at);
      continue;
    }
    if (part[i] == '\\' && i + 1 < part.size()) ++i;
    if (text[at++] != part[i]) return kNowhere;
  }
  return at;
}

size_t FindWithAny(std::string_view text, size_t at, std::string_view part) {
  for (; at < text.size(); at = CharacterEnd(text, at)) {
    const size_t end = MatchAt(text, at, part);
    if (end != kNowhere) return end;
  }
  return kNowhere;
}

// A part without `_`, prepared for Knuth-Morris-Pratt: the text without escapes, and for each of
// its prefixes the length of its border (its longest proper prefix that is also its suffix).
class Needle {
 public:
  explicit Needle(std::string_view part) {
    if (part.size() > kInline) {
      long_text_.resize(part.size());
      long_borders_.resize(part.size());
      text_ = long_text_.data();
      borders_ = long_borders_.data();
    }
    for (size_t i = 0; i < part.size(); ++i) {
      if (part[i] == '\\' && i + 1 < part.size()) ++i;
      text_[size_++] = part[i];
    }
  }
  Needle(const Needle&) = delete;
  Needle& operator=(const Needle&) = delete;

  size_t size() const { return size_; }
  std::string_view text() const { return {text_, size_}; }

  const uint32_t* Borders() {
    if (size_ > 0) borders_[0] = 0;
    for (size_t i = 1, matched = 0; i < size_; ++i) {
      while (matched > 0 && text_[i] != text_[matched]) matched = borders_[matched - 1];
      if (text_[i] == text_[matched]) ++matched;
      borders_[i] = static_cast<uint32_t>(matched);
    }
    return borders_;
  }

  // The end of the first match that begins at or after `at`, or kNowhere. REQUIRES: not empty.
  size_t FindIn(std::string_view text, size_t at) {
    size_t matched = 0;
    const uint32_t* borders = nullptr;
    while (true) {
      if (matched == 0) {
        if (text.size() - at < size_) return kNowhere;
        const void* first = std::memchr(text.data() + at, text_[0], text.size() - at);
        if (first == nullptr) return kNowhere;
        at = static_cast<size_t>(static_cast<const char*>(first) - text.data()) + 1;
        matched = 1;
      }
      while (matched < size_ && at < text.size() && text[at] == text_[matched]) {
        ++matched;
        ++at;
      }
      if (matched == size_) return at;
      if (at == text.size()) return kNowhere;
      if (borders == nullptr) borders = Borders();
      matched = borders[matched - 1];
    }
  }

 private:
  // Enough for patterns that pass CheckLikePattern. Stored patterns may be longer: older versions
  // did not check.
  static constexpr size_t kInline = kMaxPatternCharacters * 4;

  char inline_text_[kInline];
  uint32_t inline_borders_[kInline];
  Vector<char> long_text_;
  Vector<uint32_t> long_borders_;
  char* text_ = inline_text_;
  uint32_t* borders_ = inline_borders_;
  size_t size_ = 0;
};

// Whether the text from `at` on ends with the part. A part has a fixed number of characters, so the
// match must begin that many characters before the end.
bool EndsWith(std::string_view text, size_t at, std::string_view part) {
  size_t characters = 0;
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '\\' && i + 1 < part.size()) ++i;
    if (!IsContinuation(part[i])) ++characters;
  }
  size_t from = text.size();
  for (; characters > 0; --characters) {
    if (from <= at) return false;
    do {
      --from;
    } while (from > at && IsContinuation(text[from]));
  }
  return MatchAt(text, from, part) == text.size();
}

}  // namespace

bool LikeMatches(std::string_view text, std::string_view pattern) {
  bool last = false;
  const std::string_view first = TakePart(&pattern, &last);
  size_t at = MatchAt(text, 0, first);
  if (last || at == kNowhere) return at == text.size();
  while (true) {
    const std::string_view part = TakePart(&pattern, &last);
    if (last) return EndsWith(text, at, part);
    if (part.empty()) continue;
    at = HasAny(part) ? FindWithAny(text, at, part) : Needle(part).FindIn(text, at);
    if (at == kNowhere) return false;
  }
}

bool IsLikePattern(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && ++i == pattern.size()) return false;
  }
  return true;
}

Status CheckLikePattern(std::string_view pattern) {
  size_t characters = 0;
  size_t wildcards = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (!IsContinuation(pattern[i])) ++characters;
    if (pattern[i] == '\\') {
      ++i;
      ++characters;
    } else if (pattern[i] == '%' || pattern[i] == '_') {
      ++wildcards;
    }
  }
  if (characters > kMaxPatternCharacters)
    return {Code::kLimit, "a pattern of `like` may have 200 characters"};
  if (wildcards > kMaxPatternWildcards)
    return {Code::kLimit, "a pattern of `like` may have 32 wildcards"};
  return Status::Ok();
}

uint32_t MaxOverlappingMatches(std::string_view pattern) {
  bool last = false;
  TakePart(&pattern, &last);
  uint32_t most = 0;
  while (!last) {
    const std::string_view part = TakePart(&pattern, &last);
    if (HasAny(part)) {
      most = std::max(most, static_cast<uint32_t>(part.size()));
      continue;
    }
    Needle needle(part);
    const uint32_t* borders = needle.Borders();
    // ending[i]: how many prefixes of the part are suffixes of its first i + 1 bytes, themselves
    // included.
    Vector<uint32_t> ending(needle.size(), 1);
    for (size_t i = 0; i < needle.size(); ++i) {
      if (borders[i] > 0) ending[i] = ending[borders[i] - 1] + 1;
      most = std::max(most, ending[i]);
    }
  }
  return most;
}

}  // namespace skerry
