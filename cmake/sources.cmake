# impasto_sources(TARGET GROUP source...): sources that are compiled as one file where IMPASTO_UNITY is on.
# Most of a file's compile time are its headers, and code that templates of JSON and of options make anew
# in every file: a group pays for them once.
function(impasto_sources target group)
  target_sources(${target} PRIVATE ${ARGN})
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${IMPASTO_UNITY} UNITY_BUILD_MODE GROUP)
  set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${group})
endfunction()
