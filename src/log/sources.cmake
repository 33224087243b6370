set(SKERRY_LOG_SOURCES
  src/log/fold_op.cc
  src/log/fold_ops.cc
)
