set(SKERRY_MODEL_TEST_SOURCES
  model/row_store_test.cc
  model/schema_test.cc
)
