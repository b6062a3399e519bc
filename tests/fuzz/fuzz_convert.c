/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Configurations of other proxies: the input is the file. It is read as the kind that it looks like, and as one more, which
 * its size chooses. The daemon must accept what comes out; a failure must have a reason, and a line that the file has.
 */
#include "ctl/convert/convert.h"
#include "daemon/config/config.h"

#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

static unsigned count_lines(const char *text)
{
	unsigned count = 1;

	for (; *text != 0; text++)
		count += *text == '\n';
	return count;
}

static void check_accepted(const char *text)
{
	char path[64], error[CONFIG_ERROR_SIZE] = "";
	int fd = memfd_create("converted", MFD_CLOEXEC);
	struct config *config;

	assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	config = config_load(path, error);
	assert(config != NULL && config->instance_count > 0);
	config_free(config);
	close(fd);
}

static void check(const char *text, const char *kind, bool strict)
{
	struct converted converted = convert(text, kind, strict);

	assert(memchr(converted.problem, 0, sizeof converted.problem) != NULL);
	assert((converted.text == NULL) == (converted.problem[0] != 0));
	if (converted.text != NULL) {
		assert(converted.differs == (strstr(converted.text, "# difference") != NULL));
		check_accepted(converted.text);
	} else {
		assert(converted.line <= count_lines(text));
		/* Only what is wrong with the whole file has no line. */
		assert(converted.line > 0 || strstr(converted.problem, "mcproxy does not accept") == NULL);
	}
	free(converted.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	size_t kinds = 0;

	assert(text != NULL);
	while (convert_kind_name(kinds) != NULL)
		kinds++;
	check(text, NULL, size % 2 != 0);
	check(text, convert_kind_name(size % kinds), size % 2 == 0);
	free(text);
	return 0;
}
