# The CUDA kernels: compiled by nvcc for the GPU and by the host's compiler for the host-SIMT machine.
set(IMPASTO_DEVICE_SOURCES
  gram/gram.cu
  preprocess/preprocess.cu
  style_backward/style_backward.cu
  style_loss/style_loss.cu
)
list(TRANSFORM IMPASTO_DEVICE_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/kernels/)
