// What the host asks the authority about pushed updates before it admits them: what do they name?
// (docs/authority.md, section 3)
#ifndef SKERRY_LOG_WIRE_SURVEY_H_
#define SKERRY_LOG_WIRE_SURVEY_H_

#include <string>

#include "base/data.h"
#include "base/map.h"
#include "base/vector.h"
#include "log/members.h"

namespace skerry::wire {

struct SurveyedUpdate {
  Data update;
  std::string user;    // its author
  bool older = false;  // the client's schema is of an earlier release

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("update", self.update);
    member("user", self.user);
    member.Optional("older", self.older);
  }
};

struct SurveyRequest {
  Vector<SurveyedUpdate> updates;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("updates", self.updates);
  }
};

// What an op may do to a membership.
struct NamedMember {
  std::string realm;
  std::string user;
  bool adds = false;     // it may make it, and not only change or remove it
  bool accepts = false;  // its user, the author, accepts it

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("user", self.user);
    member("adds", self.adds);
    member("accepts", self.accepts);
  }
};

struct NamedStream {
  std::string realm;
  std::string stream;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("realm", self.realm);
    member("stream", self.stream);
  }
};

// What one update names; nothing, if the admission will refuse it for its form.
struct Survey {
  Map<std::string, Map<std::string, Vector<std::string>>> rows;  // ids by realm and table
  Vector<std::string>
      founds;  // realms of which its author becomes the owner, if there are none yet
  Vector<NamedMember> members;  // one for each op, in their order
  Vector<NamedStream> streams;  // those to which it appends
  Vector<std::string> blocks;   // users who may no longer invite its author

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("rows", self.rows);
    member("founds", self.founds);
    member("members", self.members);
    member("streams", self.streams);
    member("blocks", self.blocks);
  }
};

struct Surveys {
  Vector<Survey> surveys;  // in the order of the updates

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("surveys", self.surveys);
  }
};

}  // namespace skerry::wire

#endif  // SKERRY_LOG_WIRE_SURVEY_H_
