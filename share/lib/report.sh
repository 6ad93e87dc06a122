# report.sh - what is known of every volume, within bounded time, as lines of tab separated words:
#
#     check   VOLUME CHECK LEVEL TEXT		health.sh; VOLUME may be a group
#     metric  NAME LABELS VALUE			metrics.sh
#     perf    TEXT				as Nagios' plugins have it
#
# Needs lock.sh, health.sh, metrics.sh, group.sh, and what those need.
# shellcheck shell=bash disable=SC2154

readonly REPORT_EACH=20 REPORT_ALL=45	# seconds

# report_all [VOLUME]... - of all, or of those.
report_all() {
	local name text ends
	local -a names=("$@")
	monotonic
	ends=$((REPLY + REPORT_ALL))
	report_place=$(mktemp -d "$ZUMASTOR_RUN/jobs/report.XXXXXX")
	always rm -rf -- "$report_place"
	(($#)) || mapfile -t names < <(volume_list)
	for name in "${names[@]}"; do
		report_bounded "$name"
	done
	(($#)) || report_groups
}

# report_bounded VOLUME - by a process of its own, which is not waited for when a disk does not answer.  It holds a lock: the
# next report does not make another one.
report_bounded() {
	local ended seconds out=$report_place/$1
	monotonic
	seconds=$((ends - REPLY))
	((seconds <= REPORT_EACH)) || seconds=$REPORT_EACH
	((seconds >= 1)) || seconds=1
	exec {ended}< <(set -e; report_volume "$1" >"$out" 2>"$out.error"; printf 'done\n')
	read_line "$seconds" "$ended" || true
	[[ -n $REPLY ]] || kill -KILL "$!" 2>/dev/null || true
	exec {ended}<&-
	if [[ $REPLY == done ]]; then
		cat -- "$out"
	elif [[ -d $ZUMASTOR_STATE/volumes/$1 ]]; then	# not forgotten meanwhile
		report_failed "$1" "$out.error" "$seconds"
	fi
}

# report_failed VOLUME FILE SECONDS - it could not be told how it is, perhaps because of what is in FILE.
report_failed() {
	local words=
	IFS= read -r words <"$2" || true
	words=${words#*: }
	health_unknown "$1" "${words:-no answer in $3 seconds}"
	report_checks "$1"
}

# report_volume VOLUME
report_volume() {
	lock_take "$1:report" 10
	status_read "$1"
	health_read report_target
	metrics_volume
	report_perf
	report_checks "$1"
}

report_target() {
	metrics_target
	[[ -z ${t[behind_seconds]} ]] || printf "perf\t'%s_%s_lag'=%ss;;;0\n" "$volume" "${t[host]}" "${t[behind_seconds]}"
}

report_perf() {
	[[ -z ${s[newest_time]} ]] ||
		printf "perf\t'%s_newest'=%ss;;;0\n" "$volume" $((EPOCHSECONDS > s[newest_time] ? EPOCHSECONDS - s[newest_time] : 0))
	((s[store_total_bytes] == 0)) ||
		printf "perf\t'%s_store'=%sB;;;0;%s\n" "$volume" "${s[store_used_bytes]}" "${s[store_total_bytes]}"
}

# report_checks NAME
report_checks() {
	local name
	for name in "${checks[@]}"; do
		printf 'check\t%s\t%s\t%s\t%s\n' "$1" "$name" "${check_level[$name]}" "$(one_line "${check_text[$name]}")"
	done
}

report_groups() {
	local group group_dir name
	local -a members
	while IFS= read -r name; do
		if (group_load "$name") 2>/dev/null; then
			group_load "$name"
			health_group
			report_checks "$name"
		fi
	done < <(group_list)
}
