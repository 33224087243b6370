// Survey: what an update names, for what a server does before the rules are asked: it locks realms
// that begin, reads rows ahead, and counts members. No rule is decided here, and nothing is looked
// up: it says by the predicates of the rules what the ops are about, so that a server reads no op.
#ifndef SKERRY_AUTHORITY_SURVEY_H_
#define SKERRY_AUTHORITY_SURVEY_H_

#include <string>
#include <string_view>
#include <utility>

#include "base/map.h"
#include "base/vector.h"
#include "log/op.h"
#include "log/wire/survey.h"
#include "model/schema.h"

namespace skerry {

// The stream, in the realm of a user's own, whose actions name those who may not invite the user.
inline constexpr std::string_view kBlockedStream = "$blocked";

struct Survey {
  Map<std::string, Map<TableIndex, Set<std::string>>> rows;  // ids by realm and table
  Set<std::string> founds;                                   // realms, if there are none yet
  Vector<wire::NamedMember> members;                         // one for each op, in their order
  Set<std::pair<std::string, std::string>> streams;          // realm, stream: those appended to
  Set<std::string> blocks;  // users who may no longer invite the author
};

Survey SurveyOf(const Schema& schema, const Update& update, std::string_view author);

// The same as JSON text, for the updates of a commit (docs/authority.md, section 3). An update that
// the admission will refuse for its form names nothing.
std::string SurveyJson(const Schema& schema, std::string_view text);

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_SURVEY_H_
