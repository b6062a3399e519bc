# SPDX-License-Identifier: BSD-2-Clause
# The musl wrapper of this machine's compiler, and the static libraries that scripts/musl-libraries has built below MCPROXY_ROOT.
set(CMAKE_C_COMPILER musl-gcc)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MCPROXY_ROOT)
set(ENV{PKG_CONFIG_LIBDIR} ${MCPROXY_ROOT}/lib/pkgconfig)
set(ENV{PKG_CONFIG_ALLOW_SYSTEM_CFLAGS} 1)
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(UTHASH_INCLUDE_DIR ${MCPROXY_ROOT}/include)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
