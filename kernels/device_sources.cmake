# The CUDA kernels: compiled by nvcc for the GPU and by the host's compiler for the host-SIMT machine.
set(IMPASTO_DEVICE_SOURCES
  adam/adam.cu
  axpby/axpby.cu
  content_loss/content_loss.cu
  first_conv/first_conv.cu
  gram/gram.cu
  gram_loss/gram_loss.cu
  pool/pool.cu
  preprocess/preprocess.cu
  style_backward/style_backward.cu
  style_backward/style_backward_product.cu
  style_loss/style_loss.cu
  total_variation/total_variation.cu
)
list(TRANSFORM IMPASTO_DEVICE_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/kernels/)
