# The CUDA kernels: compiled by nvcc for the GPU and by the host's compiler for the host-SIMT machine.
file(GLOB IMPASTO_DEVICE_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*/*.cu)
