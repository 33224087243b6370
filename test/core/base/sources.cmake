set(SKERRY_BASE_TEST_SOURCES
  base/base_test.cc
  base/data_test.cc
  base/number_text_test.cc
  base/vector_test.cc
)
