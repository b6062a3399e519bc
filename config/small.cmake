# SPDX-License-Identifier: BSD-2-Clause
# What makes a MinSizeRel build smaller than -Os alone. tests/size.sh holds the limit.
include(CheckCCompilerFlag)
include(CheckIPOSupported)
include(CheckLinkerFlag)

check_c_compiler_flag(-Oz HAVE_OZ)
if(HAVE_OZ)
	string(REPLACE "-Os" "-Oz" CMAKE_C_FLAGS_MINSIZEREL "${CMAKE_C_FLAGS_MINSIZEREL}")
endif()
check_ipo_supported(RESULT HAVE_IPO OUTPUT reason LANGUAGES C)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${HAVE_IPO})
# Nothing unwinds the stack; assertions are on, without their texts.
add_compile_options(-fno-asynchronous-unwind-tables -fno-unwind-tables)
include_directories(BEFORE include/small)
foreach(flag noseparate-code pack-relative-relocs)
	check_linker_flag(C -Wl,-z,${flag} HAVE_${flag})
	if(HAVE_${flag})
		add_link_options(-Wl,-z,${flag})
	endif()
endforeach()
add_link_options(-Wl,--build-id=none -Wl,--hash-style=gnu -Wl,-O1)
