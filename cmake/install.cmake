# cmake --install: headers, both libraries, grasp.pc (which finds its prefix by its own place, so a copied tree works), the command.
include(GNUInstallDirs)

file(RELATIVE_PATH GR_PC_TO_PREFIX /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
configure_file(cmake/grasp.pc.in grasp.pc @ONLY)

install(TARGETS grasp grasp_static grasp_shared)
install(DIRECTORY include/grasp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_BINARY_DIR}/grasp.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY models/grasp-tiny DESTINATION ${CMAKE_INSTALL_DATADIR}/grasp/models OPTIONAL)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The manual page and the completions are what the command itself prints, so they are made where it can be run: not by a cross build
# without an emulator.
if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
  set(GR_SHARE ${CMAKE_BINARY_DIR}/share)
  file(MAKE_DIRECTORY ${GR_SHARE})
  set(GR_RUN ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:grasp>)
  add_custom_command(TARGET grasp POST_BUILD
    COMMAND ${GR_RUN} help --man > ${GR_SHARE}/grasp.1
    COMMAND ${GR_RUN} completion bash > ${GR_SHARE}/grasp.bash
    COMMAND ${GR_RUN} completion zsh > ${GR_SHARE}/grasp.zsh
    COMMAND ${GR_RUN} completion fish > ${GR_SHARE}/grasp.fish)
  install(FILES ${GR_SHARE}/grasp.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${GR_SHARE}/grasp.bash RENAME grasp DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${GR_SHARE}/grasp.zsh RENAME _grasp DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${GR_SHARE}/grasp.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
