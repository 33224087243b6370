set(SKERRY_LOG_TEST_SOURCES test / core / log / body_codec_test.cc test / core / log /
    convert_test.cc test / core / log / envelope_test.cc test / core / log / fold_op_test.cc test /
    core / log / fold_ops_test.cc test / core / log / image_test.cc test / core / log /
    log_fixture.cc test / core / log / mutation_json_test.cc test / core / log /
    record_test.cc test / core / log / row_data_test.cc test / core / log / row_map.cc test / core /
    log / wire_codec_test.cc)
