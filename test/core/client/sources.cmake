set(SKERRY_CLIENT_TEST_SOURCES
  test/core/client/client_fixture.cc
  test/core/client/live_query_test.cc
  test/core/client/tab_test.cc
  test/core/client/view_test.cc
  test/core/client/window_world.cc
  test/core/client/windows_in_step_test.cc
)
