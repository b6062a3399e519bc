# SPDX-License-Identifier: BSD-2-Clause
# Debian's cross compiler for big-endian 32-bit MIPS, as in many routers. Debian has no libraries for it any more: scripts/cross links
# the headers below MCPROXY_ROOT and builds cmocka there, so only programs that need no other library can be linked. qemu runs them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR mips)
set(CMAKE_C_COMPILER mips-linux-gnu-gcc)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MCPROXY_ROOT)
set(ENV{PKG_CONFIG_LIBDIR} ${MCPROXY_ROOT}/pkgconfig)
set(ENV{PKG_CONFIG_ALLOW_SYSTEM_CFLAGS} 1)
set(UTHASH_INCLUDE_DIR ${MCPROXY_ROOT}/include)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-mips-static)
