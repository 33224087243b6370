// The record `sync`: the state of the client's synchronisation. There is one such record, in the
// store `sync` under the key `sync`. Every window and worker may rewrite it in a transaction;
// unknown fields are preserved.
#ifndef SKERRY_LOG_SYNC_RECORD_H_
#define SKERRY_LOG_SYNC_RECORD_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "log/cursor.h"
#include "log/members.h"
#include "log/mutation_record.h"
#include "log/outbox_record.h"
#include "log/record_version.h"
#include "model/schema.h"

namespace skerry {

// The progress of a scope's initial sync. Stored as false (not begun), true (complete), or the id
// of the last row read.
struct ScopeFill {
  bool whole = false;
  std::optional<std::string> upto;
  friend bool operator==(const ScopeFill&, const ScopeFill&) = default;
};
bool CanRead(const Data& data, const ScopeFill*);
void FromData(Data&& data, ScopeFill* out);
Data ToData(const ScopeFill& filled);

// A scope that a window asks for or drops, or that an answer says has to be read again.
struct WantedScope {
  std::string table;
  Data where;  // the wire's filter
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table);
    member("where", self.where);
  }
};

// A scope that windows want, and its progress.
struct SyncScope {
  std::string table;
  Data where;
  ScopeFill filled;
  std::optional<double> asked;  // days since 1970, of the last time that a window asked for it
  std::optional<bool> inner;    // no window asks for it: a sub-select of another scope needs it
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table).Require(IsText);
    member("where", self.where).Require(IsListOf<Data>);
    member("filled", self.filled).Require(Is<ScopeFill>);
    member.Optional("asked", self.asked);
    member.Optional("inner", self.inner);
  }
  friend bool operator==(const SyncScope&, const SyncScope&) = default;
};

// A stream that windows want, or all streams with a prefix (log/stream_name.h).
struct SyncStream {
  std::string stream;
  std::optional<uint64_t> last;  // only so many of its actions are asked for at first
  // By realm: not all actions up to the cursor are here, only those up to this revision. 0: none
  // was asked for yet. In other realms with a cursor, all of them are here.
  Revisions behind;
  std::optional<double> asked;  // as in SyncScope
  // The version of the reducer that folds it, the highest one that was asked for: snapshots of this
  // version can take the place of actions, and where it migrates those of earlier versions.
  std::optional<uint64_t> reducer;
  std::optional<bool> migrates;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("stream", self.stream).Require(IsText);
    member.Optional("last", self.last);
    member("behind", self.behind).Require(IsMapOf<uint64_t>);
    member.Optional("asked", self.asked);
    member.Optional("reducer", self.reducer);
    member.Optional("migrates", self.migrates);
  }
  friend bool operator==(const SyncStream&, const SyncStream&) = default;
};

// The revision up to which all actions of the stream in this realm are here. None: nothing of it was
// asked for yet, or the realm has no cursor.
std::optional<uint64_t> FilledIn(const SyncStream& stream, const Cursors& cursors,
                                 std::string_view realm);

inline bool IsImageSize(const Data& data) { return data.as_u64(~uint64_t{0}) <= kMaxImageBytes; }

// A lost realm.
struct LostPlace {
  std::string cursor;           // how far it was known; empty: nothing of it was
  std::optional<bool> founded;  // a window has asked the server to found it again
  // False: the server has the realm again, and a window has to offer the rows that are held of it before
  // a pull replaces them. True: they were offered.
  std::optional<bool> offered;
  // The last entry of the log that has what was offered: the server may be restored once more before the realm is read.
  std::optional<std::string> given;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("cursor", self.cursor);
    member.Optional("founded", self.founded);
    member.Optional("offered", self.offered);
    member.Optional("given", self.given);
  }
  friend bool operator==(const LostPlace&, const LostPlace&) = default;
};

// A part of an image. In its mount it is stored in files (docs/internals.md, section 3).
struct ImagePart {
  std::string file;
  uint64_t bytes = 0;
  std::string checksum;
  std::optional<bool> left_out;  // the schema could not hold something that was to be in it
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("file", self.file).Require(IsText);
    member("bytes", self.bytes).Require(IsImageSize);
    member("checksum", self.checksum);
    member.Optional("leftOut", self.left_out);
  }
  friend bool operator==(const ImagePart&, const ImagePart&) = default;
};

// Where the image of base is. The image contains all records up to n.
struct ImagePointer {
  std::string generation;  // names this image; none before or after it has the same name
  // A mount is used for one image after the other. None: the image was made by a release that gave
  // each image a mount of its own, under the name of its generation.
  std::optional<std::string> mount;
  Vector<ImagePart> parts;
  uint64_t n = 0;
  Cursors cursors;
  std::optional<uint64_t> record_bytes;  // SyncRecord::record_bytes as of n
  std::optional<std::string> layout;     // Layout of the schema under which it was made
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("generation", self.generation).Require(Is<std::string>);
    member.Optional("mount", self.mount);
    member("parts", self.parts).Require(IsListOf<ImagePart>);
    member("n", self.n).Require(IsCount);
    member("cursors", self.cursors).Require(IsMapOf<std::string>);
    member.Optional("recordBytes", self.record_bytes);
    member.Optional("layout", self.layout);
  }
  friend bool operator==(const ImagePointer&, const ImagePointer&) = default;
};

// An image in a mount of its own that has to be deleted (ImagePointer::mount).
struct FormerImage {
  std::string generation;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("generation", self.generation).Require(Is<std::string>);
  }
};

// The identity before the present one. The mutations that were stored then may have been applied
// under it.
struct FormerIdentity {
  std::string client;
  Revisions seen;      // as SyncRecord::seen was
  uint64_t up_to = 0;  // the key of the last such mutation
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("client", self.client).Require(IsText);
    member("seen", self.seen).Require(IsMapOf<uint64_t>);
    member("upTo", self.up_to).Require(IsCount);
  }
};

// By table and prop: the defaults of props in the schemas that have been in use, so that a default
// that a client of an earlier release has filled in is not taken for a value of the user's. Texts of
// DefaultText.
using OldDefaults = Map<std::string, Map<std::string, std::string>>;
std::string DefaultText(const Value& value);

// What windows use of the record. Its required members are those that windows and images rely on:
// without one of them the record is damaged, and is completed by CompleteSyncRecord. The members
// that only workers use are unknown fields to windows, which preserve them: so a page does not load
// the code that reads these.
struct SyncProgress {
  double version = kRecordVersion;
  uint64_t n = 0;              // of the last record in `updates`; records beyond it are ignored
  uint64_t removed_up_to = 0;  // mutations up to this key that are not stored are gone for good
  Cursors cursors;
  Vector<SyncScope> scopes;
  std::optional<double> clock_offset;    // ms that the server's clock is ahead
  std::optional<double> last_synced_at;  // ms; null: never
  uint64_t schema = 0;                   // the highest schema version that has opened the database
  std::optional<ImagePointer> image;
  std::optional<ImagePointer> previous;  // the image before, in case `image` cannot be read
  Vector<std::string> refill;            // realms whose rows are removed when the realm comes again
  // An image was given up, and is still in its mount.
  std::optional<bool> leftover;
  // Realms that the server has lost: it was restored from a backup. Their rows are kept, and nothing
  // is written to them, until the server has them again.
  std::optional<Vector<std::string>> lost;
  Map<std::string, LostPlace> lost_at;
  std::optional<Vector<SyncStream>> streams;
  // Memberships of the user that wait to be accepted, the newest first, as a pull has brought them:
  // [{realm, role, by, at}]; null: none.
  Data invitations;
  // By realm: the server has forgotten the ids of actions up to this time of its clock, ms.
  std::optional<ForgottenUpTo> forgotten;
  uint64_t record_bytes = 0;  // total size of the bodies of all records up to n
  // When a window last compared with the server, or began to; before that, of the first pull. Ms of the device's
  // clock.
  std::optional<double> compared_at;
  PreservedFields rest;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("v", self.version);
    member("n", self.n).Require(IsCount);
    member("goneUpTo", self.removed_up_to);
    member("cursors", self.cursors).Require(IsMapOf<std::string>);
    member("scopes", self.scopes);
    member("clockOffset", self.clock_offset);
    member("lastSyncedAt", self.last_synced_at);
    member("schema", self.schema);
    member("image", self.image).Require(IsNullOr<ImagePointer>);
    member("previous", self.previous).Require(IsNullOr<ImagePointer>);
    member("refill", self.refill);
    member("recordBytes", self.record_bytes);
    member.Optional("leftover", self.leftover);
    member.Optional("lost", self.lost);
    member.Optional("lostAt", self.lost_at);
    member.Optional("streams", self.streams);
    member("invitations", self.invitations);
    member.Optional("forgotten", self.forgotten);
    member.Optional("comparedAt", self.compared_at);
  }

  // Whether the rows of a lost realm were offered; none: they need not be, yet.
  std::optional<bool> Offered(const std::string& realm) const;
  // The realm is no longer lost.
  void Regain(const std::string& realm);
  static SyncProgress Read(Data stored);
  Data Write() const;
};

// The whole record, as workers use it.
struct SyncRecord : SyncProgress {
  std::string client;     // the identity for which updates are grouped
  Vector<Cursors> older;  // earlier cursors, the newest first; at most kMaxOlderCursors
  uint64_t scope_version = 0;
  Chain chain;
  Revisions seen;  // by realm: the highest confirmed seq of this identity's updates
  std::optional<FormerIdentity> follows;
  std::optional<std::string> realms_token;
  // The layout that could not hold something that the server sent. A client with another layout
  // reads everything again. "any": this happened under two layouts, so every layout reads
  // everything again.
  std::optional<std::string> lacks;
  // The n of the last record that removed the rows of a revoked realm. Both images have to be made
  // from it on, because those before it, and the records before it, still hold these rows.
  std::optional<uint64_t> revoked_at;
  std::optional<OldDefaults> defaults;
  // The number of the last image that was begun (ImageDraft).
  std::optional<uint64_t> drafts;
  // There may be images in mounts of their own, and these have to be deleted. None: there is no
  // such image, named or not.
  std::optional<Vector<FormerImage>> generations;
  Vector<KnownMutation> known;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    SyncProgress::Each(self, member);
    member("client", self.client);
    member("older", self.older);
    member("scopeVersion", self.scope_version);
    member("chain", self.chain);
    member("seen", self.seen);
    member.Optional("follows", self.follows);
    member("realmsToken", self.realms_token);
    member.Optional("lacks", self.lacks);
    member.Optional("revokedAt", self.revoked_at);
    member.Optional("defaults", self.defaults);
    member.Optional("drafts", self.drafts);
    member.Optional("generations", self.generations);
    member("known", self.known);
  }
  static SyncRecord Read(Data stored);
  Data Write() const;
};

inline constexpr size_t kMaxOlderCursors = 8;

// The stored record, completed by every member that the sync worker relies on, and with the present
// names of tables and props in its scopes. `client` becomes the
// identity if it has none. REQUIRES: the record is not from a newer version.
SyncRecord CompleteSyncRecord(Data stored, std::string_view client, const Schema& schema);

// Notes the defaults of the schema.
void NoteDefaults(const Schema& schema, SyncRecord* sync);

// Sets another identity, with an empty chain and nothing seen. Updates in the outbox keep theirs.
// `follows` is not changed.
void NewIdentity(const std::string& client, SyncRecord* sync);

// Whether a newer version of the application has opened this database. What this version does not
// know may then belong to that one, and is not changed.
bool IsFromNewerVersion(const Schema& schema, const SyncProgress& sync);

// The name of a schema's layout in records.
std::string Layout(const Schema& schema);
// Whether this schema has to read everything again, because `lacks` names another layout.
bool MustReadAgain(const Schema& schema, const SyncRecord& sync);
// Notes in `lacks` that this layout could not hold something. If another layout is noted already,
// both have missed something, and `lacks` becomes "any".
void NoteLeftOut(const std::string& layout, SyncRecord* sync);

}  // namespace skerry

#endif  // SKERRY_LOG_SYNC_RECORD_H_
