# SPDX-License-Identifier: BSD-2-Clause
# Debian's cross compiler. scripts/cross puts the libraries below MCPROXY_ROOT; qemu runs the programs.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MCPROXY_ROOT)

set(libraries ${MCPROXY_ROOT}/usr/lib/aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${MCPROXY_ROOT})
set(ENV{PKG_CONFIG_ALLOW_SYSTEM_CFLAGS} 1)
set(CMAKE_FIND_ROOT_PATH ${MCPROXY_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${libraries} -L${MCPROXY_ROOT}/lib/aarch64-linux-gnu -Wl,-rpath-link,${libraries}:${MCPROXY_ROOT}/lib/aarch64-linux-gnu")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu
	-E LD_LIBRARY_PATH=${libraries}:${MCPROXY_ROOT}/lib/aarch64-linux-gnu)
