set(SKERRY_MODEL_TEST_SOURCES
  model/collation_test.cc
  model/filter_test.cc
  model/query_test.cc
  model/real_cities_test.cc
  model/row_store_test.cc
  model/schema_test.cc
)
