# One row a feature: its name (GR_HAVE_<name>), the pkg-config module it needs, and the noun of the files that are left out where it
# is missing: src/*/<noun>.c, tests/*/test_<noun>.c, fuzz/fuzz_<noun>.c.
set(GR_FEATURE_DEFINITIONS "")
set(GR_FEATURE_LIBRARIES "")
set(GR_FEATURE_MODULES "")
set(GR_EXCLUDED_SOURCES "/src/backend/cuda/")

function(gr_feature name module noun)
  if(NOT GR_CORE_ONLY AND PKG_CONFIG_FOUND)
    pkg_check_modules(${name} IMPORTED_TARGET ${module})
  endif()
  if(${name}_FOUND AND NOT GR_CORE_ONLY)
    set(GR_FEATURE_DEFINITIONS ${GR_FEATURE_DEFINITIONS} GR_HAVE_${name}=1 PARENT_SCOPE)
    set(GR_FEATURE_LIBRARIES ${GR_FEATURE_LIBRARIES} PkgConfig::${name} PARENT_SCOPE)
    set(GR_FEATURE_MODULES ${GR_FEATURE_MODULES} ${module} PARENT_SCOPE)
  else()
    message(NOTICE "grasp: without ${name} (${module})")
    set(GR_EXCLUDED_SOURCES "${GR_EXCLUDED_SOURCES}|/(test_|fuzz_)?${noun}\\.c$" PARENT_SCOPE)
  endif()
endfunction()

gr_feature(JPEG libjpeg jpeg)
gr_feature(SPNG spng    "png(_write)?")
gr_feature(WEBP libwebp webp)
