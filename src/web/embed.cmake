# SPDX-License-Identifier: BSD-2-Clause
# usage: cmake -D OUTPUT=page.c -D DIRECTORY=src/web/page -P embed.cmake
# Makes the files of the page a C file (page.h).
set(text "/* Made by embed.cmake. */\n#include \"web/page.h\"\n\n")
set(table "const struct page_file page_files[] = {\n")
set(number 0)
foreach(entry "index.html|text/html; charset=utf-8" "page.css|text/css; charset=utf-8" "page.js|text/javascript; charset=utf-8")
	string(REGEX REPLACE "\\|.*" "" name "${entry}")
	string(REGEX REPLACE ".*\\|" "" type "${entry}")
	file(READ "${DIRECTORY}/${name}" bytes HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
	string(REGEX REPLACE "(................................................................................)" "\\1\n\t" bytes "${bytes}")
	string(APPEND text "static const unsigned char file_${number}[] = {\n\t${bytes}\n};\n\n")
	string(APPEND table "\t{\"${name}\", \"${type}\", file_${number}, sizeof file_${number}},\n")
	math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}" "${text}${table}\t{0},\n};\n")
