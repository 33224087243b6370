set(SKERRY_MODEL_SOURCES
  src/model/prop_value.cc
  src/model/schema.cc
  src/model/schema_parse.cc
  src/model/value.cc
)
