/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/convert.h"

#include "ctl/convert/accept.h"
#include "ctl/convert/grammars.h"
#include "ctl/convert/write.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct kind {
	const char *name;
	const char *title;
	read_grammar *read;
	struct scan_rules rules;
	/* Guesses: a line of the text begins with the words of a sign, without regard to case. With * before them they
	 * stand anywhere outside a comment, with ~ so does the one word, and + stands for the rest of a word. The first
	 * kind that has a sign wins. */
	const char *const *signs;
};

#define SIGNS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct kind kinds[] = {
	{"uci-igmpproxy",
         "igmpproxy's UCI file",
         read_uci_igmpproxy,
         {.comments = "#", .quotes = true},
         SIGNS("config igmpproxy", "config phyint")},
	{"uci-mcproxy",
         "the UCI file of mcproxy 1.1",
         read_uci_mcproxy,
         {.comments = "#", .quotes = true},
         SIGNS("config mcproxy", "config instance", "config behaviour")},
	{"vyos",
         "VyOS commands",
         read_vyos,
         {.comments = "#", .quotes = true},
         SIGNS("set protocols igmp-proxy")},
	{"udm-iptv",
         "the environment of udm-iptv",
         read_udm_iptv,
         {.comments = "#", .quotes = true},
         SIGNS("IPTV_+", "export IPTV_+")},
	{"improxy",
         "an improxy file",
         read_improxy,
         {.comments = "#"},
         SIGNS("igmp enable", "igmp disable", "mld enable", "mld disable", "down_to_up")},
	{"smcroute", "an smcroute file", read_smcroute, {.comments = "#"}, SIGNS("mgroup", "mroute")},
	/* The words that igmpproxy does not have. */
	{"igmpv3proxy",
         "an igmpv3proxy file",
         read_igmpv3proxy,
         {.comments = "#", .comment_anywhere = true},
         SIGNS("include", "logfile", "loglevel", "rescanvifnl", "rescanconf", "group", "mctables", "kbufsize",
               "pbufsize", "reqqueuesize", "timerqueuesize", "defaultquickleave", "defaulthash+",
               "defaultmax+", "defaultup", "defaultupdown", "defaultthreshold", "defaultrate+",
               "defaultquer+", "defaultrobust+", "defaultlast+", "defaultbw+", "defaultproxy+", "defaultno+",
               "defaultssm+", "defaulttable", "defaultdisable+", "defaultfilter+", "~filter", "~updownstream",
               "~noquickleave", "~querierelection", "~noquerierelection", "~proxylocalmc", "~noproxylocalmc",
               "~maxorigins", "~querierip", "~querierver", "~ssmrange", "~cksumverify", "~nocksumverify",
               "~bwcontrol", "~robustness", "~robustnessvalue", "~queryinterval", "~queryresponseinterval",
               "~lastmemberinterval", "~lastmembercount", "~nodefaultfilter", "~disableipmrules",
               "~allowednet", "~deniednet")},
	{"igmpproxy",
         "an igmpproxy file",
         read_igmpproxy,
         {.comments = "#", .comment_anywhere = true},
         SIGNS("phyint", "quickleave", "defaultdown")},
	{"uci-omcproxy",
         "omcproxy's UCI file",
         read_uci_omcproxy,
         {.comments = "#", .quotes = true},
         SIGNS("config proxy")},
	{"mcproxy-1.1",
         "a file of mcproxy 1.1",
         read_mcproxy_1_1,
         {.comments = "#", .marks = "(){}|;/-=>", .quotes = true, .comment_anywhere = true},
         SIGNS("*pinstance")},
	{"mcproxy-0.1", "a file of mcproxy 0.1", read_mcproxy_0_1, {.comments = "#"}, SIGNS("*==>")},
	{"mikrotik",
         "an export of RouterOS",
         read_mikrotik,
         {.comments = "#", .quotes = true, .continued = true},
         SIGNS("/routing igmp-proxy")},
	{"frr",
         "FRR's configuration",
         read_frr,
         {.comments = "!#"},
         SIGNS("ip igmp", "ipv6 mld", "ip pim", "frr version")},
	{"omcproxy",
         "a command line of omcproxy",
         read_omcproxy,
         {.comments = "#", .quotes = true},
         SIGNS("*omcproxy ", "*,")},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

const char *convert_kind_name(size_t index)
{
	return index < KINDS ? kinds[index].name : NULL;
}

static bool has_words(const char *line, const char *sign)
{
	for (line += strspn(line, " \t"); *sign != '\0'; sign++) {
		size_t blanks = strspn(line, " \t");

		if (*sign == '+')
			return true;
		if (*sign == ' ' ? blanks == 0
		                 : tolower((unsigned char)*line) != tolower((unsigned char)*sign))
			return false;
		line += *sign == ' ' ? blanks : 1;
	}
	return strchr(" \t\r\n;:", *line) != NULL;
}

/* In the rest of the line, up to a comment. */
static bool has_sign(const char *line, const char *sign)
{
	bool words = *sign == '~', anywhere = *sign == '*';

	if (!words && !anywhere)
		return has_words(line, sign);
	for (size_t size = strcspn(line, "#\n"); size > 0; line++, size--) {
		if (anywhere && strncasecmp(line, sign + 1, strlen(sign + 1)) == 0)
			return true;
		if (words && strchr(" \t", line[0]) != NULL && has_words(line, sign + 1))
			return true;
	}
	return false;
}

static bool has_signs(const struct kind *kind, const char *text)
{
	for (const char *line = text; *line != '\0'; line += strspn(line, "\n")) {
		for (size_t i = 0; kind->signs[i] != NULL; i++)
			if (has_sign(line, kind->signs[i]))
				return true;
		line += strcspn(line, "\n");
	}
	return false;
}

static const struct kind *find_kind(const char *name, const char *text)
{
	for (size_t i = 0; i < KINDS; i++)
		if (name != NULL ? strcmp(kinds[i].name, name) == 0 : has_signs(&kinds[i], text))
			return &kinds[i];
	return NULL;
}

static void read_kind(const struct kind *kind, const char *text, struct output *output)
{
	struct scan scan = scan_text(text, &kind->rules);

	output->scan = &scan;
	if (scan.problem_line > 0)
		output_fail(output, scan.problem_line, "a quote does not end in its line");
	else if (scan.count == 0)
		output_fail(output, 0, "no configuration in it");
	else if (!kind->read(&scan, output))
		output_fail(output, 0, "no memory");
	else if (output->instances == NULL)
		output_fail(output, 0, "no interfaces in it");
	output->scan = NULL;
	scan_free(&scan);
}

/* The line of the input that a line of the page comes from, or else the one above. */
static unsigned origin(const struct lines *page, unsigned line)
{
	for (size_t i = line < page->count ? line : page->count; i-- > 0;)
		if (page->line[i].from > 0)
			return page->line[i].from;
	return 0;
}

/* The text, if the daemon accepts it. */
static char *write_text(struct output *output)
{
	struct lines page = output_page(output);
	char problem[CONVERT_PROBLEM_SIZE], *text = NULL;
	unsigned line;

	if (!output->no_memory)
		text = lines_text(&page);
	if (text == NULL) {
		output_fail(output, 0, "no memory");
	} else if (!accept_configuration(text, &line, problem, sizeof problem)) {
		output_fail(output, origin(&page, line), "%s", problem);
		free(text);
		text = NULL;
	}
	lines_clear(&page);
	return text;
}

struct converted convert(const char *text, const char *name, bool strict)
{
	const struct kind *kind = find_kind(name, text);
	struct output output = {.strict = strict};
	struct converted result = {0};

	if (kind == NULL) {
		snprintf(result.problem, sizeof result.problem,
		         name != NULL ? "no such kind" : "of no kind that is known; name it with --from");
		return result;
	}
	output.kind = kind->title;
	read_kind(kind, text, &output);
	if (!output_has_failed(&output))
		result.text = write_text(&output);
	result.kind = kind->name;
	result.differs = output.differs;
	result.line = output.line;
	memcpy(result.problem, output.problem, sizeof result.problem);
	output_free(&output);
	return result;
}
