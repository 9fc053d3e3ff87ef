# cmake -DSOURCE=<sources of impasto> -DWORK=<scratch> -P missing.cmake
# Where libraries are missing, all of them are named at once, with the packages that have them.
# HDF5 is there, without a file for pkg-config, as Fedora and conda-forge have it.
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/prefix/include/H5public.h
     "#define H5_VERS_MAJOR 1 /* */\n#define H5_VERS_MINOR 14\n#define H5_VERS_RELEASE 6\n")
file(WRITE ${WORK}/prefix/lib/libhdf5.so "")
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_LIBDIR=${WORK} ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK} -G Ninja
          -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON -DCMAKE_PREFIX_PATH=${WORK}/prefix
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "configured without fmt:\n${output}")
endif()
foreach(expected "fmt 8\\.1" "libvips 8\\.12" "apt-get install[^\n]* libfmt-dev[^\n]* libvips-dev"
                 "dnf install[^\n]* fmt-devel[^\n]* vips-devel" "pacman -S[^\n]* fmt[^\n]* libvips"
                 "conda-forge[^\n]* fmt[^\n]* libvips")
  if(NOT output MATCHES "${expected}")
    message(FATAL_ERROR "expected '${expected}' in:\n${output}")
  endif()
endforeach()
if(output MATCHES "libssl-dev|libhdf5-dev|libtomlplusplus-dev")
  message(FATAL_ERROR "named what is there:\n${output}")
endif()
