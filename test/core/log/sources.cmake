set(SKERRY_LOG_TEST_SOURCES
  test/core/log/fold_op_test.cc
  test/core/log/fold_ops_test.cc
  test/core/log/log_fixture.cc
)
