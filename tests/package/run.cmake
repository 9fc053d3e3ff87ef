# cmake -DBUILD=<build of impasto> -DSOURCE=<sources of impasto> -DWORK=<scratch> -DCOMPILER=<its C++ compiler>
#       -DFLAGS=<its flags> -DLINK_FLAGS=<its linker's> -P run.cmake
# A program of somebody else's, with the installed package: built, and run on pictures of ours. And with
# the sources as a part of its build: configured, and compiled as far as it is not ours.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV} failed:\n${output}")
  endif()
endfunction()
set(configure ${CMAKE_COMMAND} -S ${SOURCE}/tests/package -G Ninja -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_EXE_LINKER_FLAGS=${LINK_FLAGS})

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${configure} -B ${WORK}/installed -DCMAKE_PREFIX_PATH=${WORK}/prefix)
run(${CMAKE_COMMAND} --build ${WORK}/installed)
run(${WORK}/prefix/bin/impasto samples ${WORK} --size 96)
run(${WORK}/installed/user ${WORK}/scene.png ${WORK}/painting.png ${WORK}/result.png)
if(NOT EXISTS ${WORK}/result.png)
  message(FATAL_ERROR "the program wrote no picture")
endif()

run(${configure} -B ${WORK}/sources -DIMPASTO_SOURCE=${SOURCE})
run(${CMAKE_COMMAND} --build ${WORK}/sources --target CMakeFiles/user.dir/main.cpp.o)
