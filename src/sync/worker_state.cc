#include "sync/worker_state.h"

#include <utility>

#include "sync/worker_config.h"

namespace skerry {
namespace {

WorkerSetup SetupOf(Schema* schema, WorkerConfig* config) {
  const bool in_window = config->mode != Mode::kService;
  return {.schema = std::move(*schema),
          .description = std::move(config->schema),
          .times = ParseSyncTimes(config->times),
          .limits = ParseSyncLimits(config->limits),
          .tab = std::move(config->tab),
          .user = std::move(config->user),
          .service = std::move(config->service),
          .keeps_token = config->keeps_token,
          .locks = config->locks,
          .socket = in_window && config->socket,
          .images = in_window && config->images,
          .device_images = config->images};
}

}  // namespace

WorkerState::WorkerState(Schema* schema, WorkerConfig* config)
    : setup(SetupOf(schema, config)),
      random{config->seed},
      ids{&random},
      connection(config->mode, std::move(config->reason), config->visible, config->online),
      sign_in(config->auth, setup.times.token_ms),
      seen(&setup.schema, &ids) {}

}  // namespace skerry
