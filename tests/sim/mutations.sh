#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# mutations.sh [SOURCE_DIR]: proves that the simulator finds bugs. Breaks one thing in a copy of the core at a time, builds the
# simulator with it and expects it to fail; the unbroken core must pass. CC and CFLAGS are respected.

set -eu

source_dir=$(cd "${1:-$(dirname "$0")/../..}" && pwd)
build_dir=$(mktemp -d)
trap 'rm -rf "$build_dir"' EXIT
steps=3000000         # of the unbroken core
mutant_steps=100000000 # at most; the simulator ends at the first error, whose seed is not known beforehand

# file in src/core | what is broken | how
mutations='
router/group_records.c|INCLUDE, IS_IN: does not refresh|s/\[IS_IN\] = {RUN,\( *KEEP, *NONE,\)/[IS_IN] = {KEEP,\1/
router/group_records.c|INCLUDE, TO_EX: stays INCLUDE|s/\(\[TO_EX\] = {KEEP | ASK, *DELETE, *NONE, *NONE, *BLOCK_IT, *\)true,/\1false,/
router/group_records.c|INCLUDE, BLOCK: does not ask|s/\[BLOCK\] = {KEEP | ASK,\( *KEEP, *NONE,\)/[BLOCK] = {KEEP,\1/
router/group_records.c|EXCLUDE, IS_EX: keeps what is excluded no more|s/\(\[IS_EX\] = {KEEP, *DELETE, *KEEP, *\)DELETE,/\1KEEP,/
router/group_records.c|EXCLUDE, IS_EX: blocks new sources at once|s/\(\[IS_EX\] = {KEEP, *DELETE, *KEEP, *DELETE, *\)RUN,/\1BLOCK_IT,/
router/group_records.c|EXCLUDE, TO_IN: does not ask for the group|s/\(\[TO_IN\] = {RUN, *KEEP | ASK, *RUN, *KEEP, *RUN, *false, *\)true}/\1false}/
router/group_records.c|EXCLUDE, ALLOW: leaves it blocked|s/\(\[ALLOW\] = {RUN, *KEEP, *\)RUN, *KEEP,/\1KEEP, KEEP,/
router/group_records.c|EXCLUDE, BLOCK: does not ask|s/\[BLOCK\] = {KEEP | ASK,\( *KEEP, *KEEP,\)/[BLOCK] = {KEEP,\1/
router/group_hosts.c|fast leave: ends EXCLUDE though another host excludes|s/if (member->filter.mode == FILTER_EXCLUDE || /if (/
router/group_hosts.c|fast leave: ends a source though another host wants it|s/\&\& !members_want(group->members, now, source)//
router/group_hosts.c|fast leave: trusts the list beside older hosts|s/group_version(group, timers, now) == VERSION_3 \&\&/true \&\&/;s/if (report_version < VERSION_3 || /if (/
router/members.c|hosts: ALLOW of a host in EXCLUDE mode is not noted|s/return change(wanted, pool, sources, !exclude);/return exclude || change(wanted, pool, sources, true);/
router/members.c|hosts: one beyond the limit is forgotten|s/members->unknown_until = until;/(void)0;/
base/filter.c|merge: EXCLUDE lists are subtracted|s/sources_intersect(&into/sources_subtract(\&into/
router/forward.c|routes lead back to their input|s/link != input \&\& link_forwards/link_forwards/
router/wants.c|early routes: links that exclude sources count as well|s/if (!wants_all(link_group))/if (link_group->group.mode != FILTER_EXCLUDE)/
router/election.c|early routes: a change of querier has no effect|s/instance->forwarding_due\[family\] = true;/(void)0;/
router/requests.c|routes do not follow the members|s/forward_update(instance, membership, now);//
router/filtering.c|filters: filter_in has no effect on packets|s/return passes(input->settings.filter_in, input->entry_in, key) \&\&/return/
router/filtering.c|filters: filter_in has no effect on joins|s/narrow(instance, upstream->settings.filter_in,/narrow(instance, NULL,/
router/filtering.c|filters: one link decides for all that a rule may name|s/filter_merge(&left, &one);/left.mode = one.mode, left.sources.count = one.sources.count;/
router/forward.c|filters: streams go upstream whatever they say|s/if (!filtering_passes(input, instance->links\[id\], key))/if (false)/
router/requests.c|early routes: streams that filters may deny count as well|s/(upstream == NULL || !wants_may_be_denied(membership, upstream))/true/
router/requests.c|choice: only the first link learns what is wanted|s/while (set64_take(&instance->upstream_walk.links, &id))/if (set64_take(\&instance->upstream_walk.links, \&id))/
router/choice.c|choice: the order of the file has no effect|s/return (order != 0 ? order : strncmp/return (false ? order : strncmp/
router/choice.c|choice: sources of an earlier link are joined again|s/sources_subtract(&filter->sources, &one.sources);/(void)0;/
router/choice.c|choice: a group of an earlier link is joined again|s/else if (!filter_is_none(&one))/else if (false)/
router/choice.c|choice: a link that is down is taken|s/if (link->family\[family\].usable)$/if (true)/
router/forward.c|choice: streams of later links are taken as well|s/choice_of_stream(instance, link, key) == input);/true);/
host/reporter_queries.c|host: general queries are not answered|s/^\t\treceive_general(reporter, now, query->max_response);/\t\t(void)0;/
host/reporter_changes.c|host: changes of sources are not reported|s/ || !add_pending(.*) {/) {/
host/joins.c|host: the kernel never leaves|s/return row->parts != NULL \&\& leave(op, row->parts);/return false;/
'

compile() { # SOURCE OBJECT
	${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 ${CFLAGS:-} -I"$source_dir/include" -I"$source_dir/src" -I"$source_dir/tests" -I"$source_dir/tests/sim" -c "$1" -o "$2"
}

compile_all() {
	for file in "$source_dir"/src/core/*/*.c; do
		case $file in */no_*) continue ;; esac # a stand-in of a build without a part
		compile "$file" "$build_dir/core_$(basename "$file" .c).o" &
	done
	for name in agenda frame kernel member network oracle other_querier proxy rules simulate topology trouble uplink want; do
		compile "$source_dir/tests/sim/$name.c" "$build_dir/sim_$name.o" &
	done
	compile "$source_dir/tests/support/random.c" "$build_dir/sim_random.o" &
	compile "$source_dir/src/daemon/worker/recording.c" "$build_dir/sim_record.o" &
	compile "$source_dir/src/kernel/file.c" "$build_dir/sim_file.o" &
	wait
}

link() { # OBJECTS
	${CC:-cc} ${CFLAGS:-} -o "$build_dir/simulate" "$@"
}

passes() { # STEPS
	"$build_dir/simulate" --seed 1 --steps "$1" >"$build_dir/output"
}

compile_all
link "$build_dir"/core_*.o "$build_dir"/sim_*.o
if ! passes $steps; then
	cat "$build_dir/output"
	echo "the unbroken core does not pass"
	exit 1
fi

printf '%s\n' "$mutations" | {
	missed=0
	while IFS='|' read -r file what how; do
		[ -n "$file" ] || continue
		name=$(basename "$file" .c)
		sed "$how" "$source_dir/src/core/$file" >"$build_dir/mutant.c"
		if cmp -s "$source_dir/src/core/$file" "$build_dir/mutant.c"; then
			echo "cannot be applied: $what"
			missed=1
			continue
		fi
		compile "$build_dir/mutant.c" "$build_dir/mutant.o"
		mv "$build_dir/core_$name.o" "$build_dir/unbroken.o"
		link "$build_dir/mutant.o" "$build_dir"/core_*.o "$build_dir"/sim_*.o
		mv "$build_dir/unbroken.o" "$build_dir/core_$name.o"
		if passes $mutant_steps; then
			echo "missed: $what"
			missed=1
		else
			echo "caught: $what: $(head -n 1 "$build_dir/output")"
		fi
	done
	exit $missed
}
