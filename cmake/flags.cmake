# Flags of our own code, not of those who link it. To clang, std::stable_sort() of GCC 12's library calls
# something deprecated; GCC still tells what we call.
add_library(impasto_flags INTERFACE)
target_compile_options(impasto_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-deprecated-declarations>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${IMPASTO_WERROR}>>:-Werror>)

# The CPU kernels are plain loops that the compiler vectorises for the machine they are built for.
# -fno-trapping-math and -fno-math-errno allow vector selects and square roots without changing a
# result; sums are not reordered.
add_library(impasto_kernel_flags INTERFACE)
target_compile_options(impasto_kernel_flags INTERFACE
  -march=${IMPASTO_CPU_ARCH} -O3 -fno-trapping-math -fno-math-errno)

if(IMPASTO_SANITIZE)
  add_compile_options(-fsanitize=${IMPASTO_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${IMPASTO_SANITIZE})
endif()

# For what waits for files and libraries. Under sanitizers -O0 takes a third less time to compile than -O1.
set(impasto_compiled_quickly $<$<CONFIG:Release>:-O1>)
if(IMPASTO_SANITIZE)
  set(impasto_compiled_quickly -O0)
endif()
