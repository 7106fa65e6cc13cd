# cmake --install: headers, both libraries, grasp.pc (which finds its prefix by its own place, so a copied tree works), the command.
include(GNUInstallDirs)

file(RELATIVE_PATH GR_PC_TO_PREFIX /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
configure_file(cmake/grasp.pc.in grasp.pc @ONLY)

install(TARGETS grasp grasp_static grasp_shared)
install(DIRECTORY include/grasp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_BINARY_DIR}/grasp.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
