# What comes from outside, changed at random (fuzz_test.cc, libfuzzer.cc).
set(SKERRY_FUZZ_SOURCES
  test/fuzz/authority_targets.cc
  test/fuzz/log_targets.cc
  test/fuzz/model_targets.cc
  test/fuzz/mutator.cc
  test/fuzz/runner.cc
  test/fuzz/snapshot.cc
  test/fuzz/targets.cc
  test/fuzz/window_host.cc
  test/fuzz/window_targets.cc
  test/fuzz/worker_targets.cc
)
set(SKERRY_FUZZ_TEST_SOURCES test/fuzz/fuzz_test.cc)
# What they stand on, for libFuzzer's own program; the tests of the core have these already.
set(SKERRY_FUZZ_FIXTURES
  test/core/authority/pushing.cc
  test/core/authority/world.cc
  test/core/client/client_fixture.cc
  test/core/client/window_world.cc
  test/core/database/memory_database.cc
  test/core/database/memory_database_pull.cc
  test/core/database/memory_foreign.cc
  test/core/database/memory_forgetting.cc
  test/core/database/memory_offers.cc
  test/core/database/memory_streams.cc
  test/core/log/log_fixture.cc
  test/core/sync/fake_storage.cc
  test/core/sync/sync_fixture.cc
  test/core/sync/sync_server.cc
  test/core/sync/sync_world.cc
)
