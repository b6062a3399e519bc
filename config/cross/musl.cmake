# SPDX-License-Identifier: BSD-2-Clause
# The musl wrapper of this machine's compiler. scripts/cross links the headers below MCPROXY_ROOT. The libraries are
# missing there, so only programs that need none of them can be linked.
set(CMAKE_C_COMPILER musl-gcc)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MCPROXY_ROOT)
set(ENV{PKG_CONFIG_LIBDIR} ${MCPROXY_ROOT}/pkgconfig)
set(ENV{PKG_CONFIG_ALLOW_SYSTEM_CFLAGS} 1)
set(UTHASH_INCLUDE_DIR ${MCPROXY_ROOT}/include)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
