/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opens every file that mcproxy reads or writes by a path of its own or of the configuration. Other users may be
 * able to write to the directory, so a name there proves nothing: a link can lead to another file, and a FIFO or
 * a device can block or never end. All functions return -errno on failure; none of them blocks on a file.
 */
#ifndef MCPROXY_KERNEL_FILE_H
#define MCPROXY_KERNEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FILE_PATH_SIZE 4096 /* PATH_MAX */

enum file_use {
	/* To read: a file that the user names. Follows a symbolic link only if no other user than root and this
	 * process's user may write to its directory. */
	FILE_NAMED,
	/* The same, or a pipe named /dev/stdin, /dev/fd/N or /proc/self/fd/N, which can be read once. */
	FILE_STREAM,
	/* To read: a file that an earlier run has written. Neither symbolic nor hard links, and only a file of
	 * root, of this user or of the directory's owner. */
	FILE_STATE,
	/* To write: as FILE_STATE. The file is made with the mode or, if it exists, emptied. */
	FILE_OUTPUT,
};

/* A descriptor of a regular file. -ENXIO: it is a FIFO, a device or a socket; -ELOOP, -EMLINK: a link; -EACCES also
 * for a file of another user. file_problem has the text. */
int file_open(const char *path, enum file_use use, mode_t mode);

/* Makes a new file beside path, with exactly this mode, to be written and then renamed to path. Its name is not
 * predictable, so that no other user can take it first. */
int file_open_temporary(const char *path, mode_t mode, char name[FILE_PATH_SIZE]);

/* Renames the temporary file to path, which then names it alone. Without replace: -EEXIST if path exists. Removes
 * the temporary file on failure. */
int file_rename(const char *temporary, const char *path, bool replace);

/* Makes the directory of the file at path, unless it exists, with mode 0755 whatever the umask is. */
int file_make_directory(const char *path);

/* Reads to the end, but at most size bytes; returns how many. For a pipe it waits, in total at most patience
 * milliseconds, then returns -ETIMEDOUT. */
ssize_t file_read(int fd, char *buffer, size_t size, int patience);

/* The text of a failure of these functions: what the path is, or what strerror says. */
const char *file_problem(int result);

#endif
