#include "sync/times.h"

namespace skerry {
namespace {

void Take(const Data& data, const char* name, double* value) {
  const double given = data[name].as_number();
  if (given > 0) *value = given;
}

void Take(const Data& data, const char* name, uint64_t* value) {
  const uint64_t given = data[name].as_u64();
  if (given > 0) *value = given;
}

}  // namespace

SyncTimes ParseSyncTimes(const Data& data) {
  SyncTimes times;
  Take(data, "beat", &times.heartbeat_ms);
  Take(data, "look", &times.look_ms);
  Take(data, "timeout", &times.timeout_ms);
  Take(data, "listenBeat", &times.listen_heartbeat_ms);
  Take(data, "listenLook", &times.listen_look_ms);
  Take(data, "listenTimeout", &times.listen_timeout_ms);
  Take(data, "retry", &times.retry_ms);
  Take(data, "retryMax", &times.retry_max_ms);
  Take(data, "imageCalm", &times.image_calm_ms);
  Take(data, "idle", &times.idle_ms);
  Take(data, "idleListening", &times.idle_listening_ms);
  Take(data, "fetch", &times.fetch_ms);
  Take(data, "imageFetch", &times.image_fetch_ms);
  Take(data, "token", &times.token_ms);
  Take(data, "validate", &times.validate_ms);
  Take(data, "socketRetry", &times.socket_retry_ms);
  Take(data, "socketRetryMax", &times.socket_retry_max_ms);
  Take(data, "hello", &times.hello_ms);
  Take(data, "ping", &times.ping_ms);
  Take(data, "pong", &times.pong_ms);
  Take(data, "service", &times.service_ms);
  Take(data, "serviceStuck", &times.service_stuck_ms);
  Take(data, "serviceLook", &times.service_look_ms);
  return times;
}

SyncLimits ParseSyncLimits(const Data& data) {
  SyncLimits limits;
  Take(data, "pull", &limits.pull);
  Take(data, "mutations", &limits.mutations);
  Take(data, "imageRecords", &limits.image_records);
  Take(data, "imageBytes", &limits.image_bytes);
  return limits;
}

}  // namespace skerry
