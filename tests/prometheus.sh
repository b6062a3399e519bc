#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: prometheus.sh SOURCE_DIR
# The alert rules are valid, fire when they must, and each one is tested and described; the dashboard names metrics that exist.
# Without promtool: skipped (77).
set -u
cd "$1" || exit 1
rules=config/prometheus/mcproxy.rules.yml
failed=0

for alert in $(sed -n 's/^ *- alert: //p' $rules); do
	for file in tests/prometheus/mcproxy.rules.test.yml docs/monitoring.md; do
		grep -q "\b$alert\b" $file || { echo "prometheus: $file: $alert is missing" >&2; failed=1; }
	done
done
for metric in $(grep -oE '\bmcproxy_[a-z_]+[{]' config/grafana/mcproxy.json | tr -d '{' | sort -u); do
	name=${metric#mcproxy_}
	[ "$name" = up ] || grep -q "\"${name%_total}\"" src/ctl/metrics_text.c ||
		{ echo "prometheus: config/grafana/mcproxy.json: $metric does not exist" >&2; failed=1; }
done
[ $failed = 0 ] || exit 1
command -v promtool >/dev/null || exit 77
promtool check rules $rules && promtool test rules tests/prometheus/mcproxy.rules.test.yml
