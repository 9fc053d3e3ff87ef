# What `./dev package` makes: an archive that runs where nothing of ours is installed. It holds the
# program, what a GPU run needs besides (benchmarks/campaign/), and every shared library of theirs but those of C
# and C++ and NVIDIA's, which belong to the machine. The preset `package` lets the programs find them.
set(IMPASTO_ARCHIVE_EXPAT "" CACHE FILEPATH "A libexpat.so.1 to put into the archive in place of the system's")
set(archive_programs impasto_app)
foreach(program cuda_kernels_test cuda_bench backend_test iteration_bench)
  if(TARGET ${program})
    list(APPEND archive_programs ${program})
  endif()
endforeach()

install(TARGETS ${archive_programs} impasto RUNTIME_DEPENDENCY_SET archive_libraries
        RUNTIME COMPONENT archive EXCLUDE_FROM_ALL
        LIBRARY DESTINATION lib COMPONENT archive EXCLUDE_FROM_ALL NAMELINK_SKIP
        ARCHIVE COMPONENT never EXCLUDE_FROM_ALL)
set(archive_expat "")
if(IMPASTO_ARCHIVE_EXPAT)
  set(archive_expat "^libexpat\\.so")
  install(FILES ${IMPASTO_ARCHIVE_EXPAT} DESTINATION lib COMPONENT archive EXCLUDE_FROM_ALL)
endif()
install(RUNTIME_DEPENDENCY_SET archive_libraries
        PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|pthread|rt|resolv|util|stdc\\+\\+|gcc_s)\\.so"
                            "^lib(cuda|cudart|cudnn|cublas|cublasLt|nvrtc|nvToolsExt)[._]"
                            ${archive_expat}
        LIBRARY DESTINATION lib COMPONENT archive EXCLUDE_FROM_ALL)
install(DIRECTORY benchmarks/campaign benchmarks/peers DESTINATION share/impasto/benchmarks
        COMPONENT archive EXCLUDE_FROM_ALL FILES_MATCHING PATTERN "*.py" PATTERN "__pycache__" EXCLUDE)
install(FILES benchmarks/batch_sizes.py benchmarks/context.py benchmarks/results.py DESTINATION share/impasto/benchmarks
        COMPONENT archive EXCLUDE_FROM_ALL)
install(FILES docs/gpu_run.md LICENSE DESTINATION share/impasto COMPONENT archive EXCLUDE_FROM_ALL)

# Where there is no repository, results take the commit from here.
install(CODE "execute_process(
  COMMAND \"${CMAKE_COMMAND}\" \"-DSOURCE=${PROJECT_SOURCE_DIR}\"
          \"-DOUTPUT=\${CMAKE_INSTALL_PREFIX}/share/impasto/build.json\"
          -P \"${PROJECT_SOURCE_DIR}/cmake/build_commit.cmake\" COMMAND_ERROR_IS_FATAL ANY)"
        COMPONENT archive EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR TXZ)
set(CPACK_THREADS 0)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL archive)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON)
set(CPACK_PACKAGE_FILE_NAME impasto-${PROJECT_VERSION}-${CMAKE_SYSTEM_PROCESSOR})
include(CPack)
