# Tests that belong to no single folder.
set(SKERRY_TEST_SOURCES
  test/core/database/memory_database.cc
  test/core/database/memory_database_pull.cc
  test/core/database/memory_streams.cc
  test/core/model_check/base_check.cc
  test/core/model_check/cascade_agreement_test.cc
  test/core/model_check/check_schema.cc
  test/core/model_check/naive_client.cc
  test/core/model_check/naive_members.cc
  test/core/model_check/naive_pull.cc
  test/core/model_check/naive_served.cc
  test/core/model_check/naive_server.cc
  test/core/model_check/naive_world_test.cc
  test/core/model_check/production_client.cc
  test/core/model_check/production_server.cc
  test/core/model_check/step_by_step_test.cc
)
