// WindowStreams: the streams that the application of one window has open: a plain one and a reduced
// one of a realm, and one whose name has a prefix that the application wants as a whole. It shows
// what the core hands over, as js/api/streams.ts does.
#ifndef SKERRY_TEST_SIM_WINDOW_STREAMS_H_
#define SKERRY_TEST_SIM_WINDOW_STREAMS_H_

#include <cstdint>
#include <string>

#include "base/data.h"
#include "base/random.h"
#include "base/vector.h"
#include "test/core/client/shown_stream.h"
#include "test/core/database/memory_database.h"
#include "test/core/model_check/naive_model.h"

namespace skerry::sim {

inline constexpr char kPlainStream[] = "chat";
inline constexpr char kReducedStream[] = "sum";
inline constexpr char kStreamPrefix[] = "log/*";
inline constexpr char kStreamWithPrefix[] = "log/1";
inline constexpr uint64_t kKeep = 3;  // of plain streams: so many of the last actions are shown

struct OpenStream {
  uint64_t handle = 0;
  std::string realm;
  std::string name;
  uint64_t version = 0;  // of its reducer; 0: it is plain
  test::ShownStream shown;
};

class WindowStreams {
 public:
  // `serial`: of the window. `version`: of its reducers.
  WindowStreams(const test::naive::Names& realms, uint64_t serial, uint64_t version);

  // The events with which they are opened.
  Vector<Data> Opening() const;
  // The event with which a new worker hears what is wanted.
  Data Wanted() const;
  // Takes the drained news. Returns a problem; empty: none.
  std::string Take(const Data& news);
  // The events that store states, and remove what no window of this application shows.
  Vector<Data> Folding() const;
  // The operation of an append.
  static Data AnyAppend(const test::naive::Names& realms, Random* random);

  const Vector<OpenStream>& open() const { return open_; }
  // The actions that a reduced stream has folded, in order.
  static Vector<std::string> FoldedBy(const OpenStream& stream);

 private:
  Vector<OpenStream> open_;
};

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_WINDOW_STREAMS_H_
