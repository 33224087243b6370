# Scripts of what once went wrong (docs/design.md, "Holes that were closed"), and what they are told
# with. The *.json beside them are runs of the simulator, which test/sim/replay_test.cc replays.
set(SKERRY_SPEC_TEST_SOURCES
  cascade_test.cc
  commits_test.cc
  fill_test.cc
  lease_test.cc
  overwritten_test.cc
  pull_test.cc
  push_test.cc
  support/actor.cc
  support/page.cc
  support/server.cc
  support/story.cc
  support/worker.cc
)
