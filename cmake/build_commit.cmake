# Writes the commit of the tree SOURCE, and whether it has changes, to OUTPUT: a header, or a file in JSON.
# Run at every build; the file is touched only when it would say something else.
cmake_path(GET SOURCE PARENT_PATH above)
set(ENV{GIT_CEILING_DIRECTORIES} ${above}) # a repository that only contains the tree is not meant
execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD RESULT_VARIABLE code OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(dirty unknown)
if(code EQUAL 0)
  execute_process(COMMAND git --no-optional-locks -C ${SOURCE} status --porcelain OUTPUT_VARIABLE changes
                  COMMAND_ERROR_IS_FATAL ANY)
  set(dirty false)
  if(changes)
    set(dirty true)
  endif()
else()
  set(commit unknown)
endif()
set(text "#define IMPASTO_COMMIT \"${commit}\"\n#define IMPASTO_DIRTY \"${dirty}\"\n")
if(OUTPUT MATCHES "\\.json$")
  set(text "{\"commit\": \"${commit}\", \"dirty\": \"${dirty}\"}\n")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "${text}")
