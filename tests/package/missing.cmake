# cmake -DSOURCE=<sources of impasto> -DWORK=<scratch> -P missing.cmake
# Where libraries are missing, all of them are named at once, with the packages that have them.
file(REMOVE_RECURSE ${WORK})
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_LIBDIR=${WORK} ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK} -G Ninja
          -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
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
if(output MATCHES "libssl-dev")
  message(FATAL_ERROR "named what is there:\n${output}")
endif()
