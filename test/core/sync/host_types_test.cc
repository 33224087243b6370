// Goal: the types by which the package's JavaScript knows the events, effects, messages and records
// of the cores of a window and of a sync worker are those of the core's structs. Method: that of
// test/core/log/wire_types_test.cc.
#include <doctest/doctest.h>

#include <string>

#include "client/client.h"
#include "client/effect.h"
#include "client/event.h"
#include "client/streams.h"
#include "log/effect.h"
#include "log/mutation_record.h"
#include "log/wire/rule_steps.h"
#include "sync/event.h"
#include "sync/image_job.h"
#include "sync/message.h"
#include "sync/sync_error.h"
#include "sync/turn.h"
#include "sync/worker_config.h"
#include "test/core/log/declarations.h"

namespace skerry::test {

template <>
struct ItemOf<SyncError> {
  static std::string Type(Declarations* all) {
    all->Add<SyncError>();
    return "SyncError | null";  // null: no error
  }
};

namespace {

TEST_CASE("the package's types of what crosses to the core are those of the core") {
  Declarations types;
  types.Add<ClientOptions>();
  types.Add<WorkerConfig>();

  types.AddUnion("WindowEvents", WindowEvents());
  types.AddUnion("WorkerEvents", WorkerEvents());
  types.Add<ReadEvent>();

  types.AddUnion("CommonEffects",
                 OneOf<effect::Transact, effect::Broadcast, effect::Post, effect::WriteReply,
                       effect::MoreReply, effect::AbortReply>());
  types.AddUnion("WindowEffects",
                 OneOf<effect::SetWindowTimer, effect::CancelWindowTimer, WindowState,
                       effect::LoadImage, effect::Ready, effect::OpenFailed, effect::Problem,
                       effect::StorageFailed, effect::StorageRecovered, effect::DataLost,
                       effect::UpdateNeeded, effect::Keep, effect::Settle, effect::StreamPage,
                       effect::Conflicts, effect::Resolved, effect::Validate, effect::Undo,
                       effect::KeepUndo, effect::Compared, effect::Offer, effect::Mended>());
  types.AddUnion(
      "WorkerEffects",
      OneOf<effect::SetWorkerTimer, effect::CancelWorkerTimer, effect::Fetch, effect::AbortFetch,
            effect::StartImage, effect::AbortImage, effect::Lock, effect::AskToken, effect::Socket,
            effect::WakeService, effect::ShowStatus>());
  types.Add<Drained>();
  types.Add<KeptProp>();

  types.AddUnion("PostMessages", PostMessages());
  types.AddUnion("ChannelMessages", ChannelMessages());
  types.AddUnion("WorkerPosts",
                 OneOf<LeaseCopyMessage, SyncedMessage, ScopesFailedMessage, StreamsFailedMessage,
                       HistoryAnswerMessage, ImageFailedMessage, LeftMessage, UnreadableMessage>());
  types.Add<HelperNote>();
  types.Add<AskedId>();
  types.Add<KeptMessage>();
  types.Add<wire::RuleQuestion>();
  types.Add<wire::RuleAnswer>();
  types.Add<ConflictsMessage>();
  types.Add<AddedMessage>();
  CheckTypes(SKERRY_ROOT "/js/core/core-types.ts", "src/client, src/log and src/sync",
             "test/core/sync/host_types_test.cc", types);
}

}  // namespace
}  // namespace skerry::test
