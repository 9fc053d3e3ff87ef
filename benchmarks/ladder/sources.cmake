# Every rung of every ladder with its inputs, its check and its work, for whatever device the list's
# user compiles it: the programs simt_bench and cuda_bench, and the test that counts traffic.
set(IMPASTO_LADDER_SOURCES
  adam.cpp
  content_loss.cpp
  first_conv.cpp
  gram.cpp
  gram_loss.cpp
  ops.cpp
  pool_backward.cpp
  style_backward.cpp
  total_variation.cpp
)
list(TRANSFORM IMPASTO_LADDER_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/benchmarks/ladder/)
