/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A process of its own for what holds for the rest of a process's life, such as a system call filter.
 */
#ifndef MCPROXY_TESTS_CHILD_H
#define MCPROXY_TESTS_CHILD_H

/* Asserts that the function returns 0 in a child process. */
void expect_child(int (*run)(void));

#endif
