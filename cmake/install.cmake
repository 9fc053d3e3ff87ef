# find_package(impasto) gives impasto::impasto, the engine without the command line, and impasto::convert
# for convert_weights(). `#include <impasto.hpp>` is all that a program needs.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS impasto impasto_convert EXPORT impasto-targets)
if(IMPASTO_PROGRAM)
  install(TARGETS impasto_app RUNTIME)
endif()
install(FILES impasto.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/impasto)
install(EXPORT impasto-targets NAMESPACE impasto:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/impasto)
install(DIRECTORY simt kernels host weights DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/impasto
        FILES_MATCHING PATTERN "*.hpp" PATTERN "app" EXCLUDE PATTERN "film" EXCLUDE)
configure_package_config_file(cmake/impasto-config.cmake.in ${CMAKE_BINARY_DIR}/impasto-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/impasto)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/impasto-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/impasto-config.cmake ${CMAKE_BINARY_DIR}/impasto-config-version.cmake
              cmake/FindDNNL.cmake cmake/FindHDF5C.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/impasto)
