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
