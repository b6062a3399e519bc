# SPDX-License-Identifier: BSD-2-Clause
# Where everything is installed.
set(MCPROXY_INIT "systemd" CACHE STRING "Init systems whose files are installed: systemd, openrc, both (a;b), or none")

install(TARGETS mcproxy RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
if(TARGET mcproxyctl)
	install(TARGETS mcproxyctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES docs/mcproxy.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/mcproxy.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES config/mcproxy.conf DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# These look in lib and share whatever the architecture.
configure_file(config/systemd/mcproxy.service.in ${CMAKE_BINARY_DIR}/mcproxy.service @ONLY)
configure_file(config/openrc/mcproxy.in ${CMAKE_BINARY_DIR}/openrc/mcproxy @ONLY)
if("systemd" IN_LIST MCPROXY_INIT)
	install(FILES ${CMAKE_BINARY_DIR}/mcproxy.service DESTINATION lib/systemd/system)
	install(FILES config/systemd/mcproxy.sysusers DESTINATION lib/sysusers.d RENAME mcproxy.conf)
	install(FILES config/systemd/mcproxy.tmpfiles DESTINATION lib/tmpfiles.d RENAME mcproxy.conf)
endif()
if("openrc" IN_LIST MCPROXY_INIT)
	install(PROGRAMS ${CMAKE_BINARY_DIR}/openrc/mcproxy DESTINATION /etc/init.d)
	install(FILES config/openrc/mcproxy.confd DESTINATION /etc/conf.d RENAME mcproxy)
endif()
