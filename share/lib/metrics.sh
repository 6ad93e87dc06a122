# metrics.sh - the state of all volumes in Prometheus' text format.
#
# Needs status.sh, health.sh, what they need, and report.sh for the file.   Names and units as Prometheus' users expect them: base
# units, timestamps rather than ages, _total for what only grows.
# shellcheck shell=bash disable=SC2154

# In the order of the file: NAME TYPE HELP
readonly METRICS='
zumastor_volume_up gauge Whether the volume is running.
zumastor_volume_size_bytes gauge Size of the volume.
zumastor_check_state gauge How a check came out: 0 ok, 1 warning, 2 critical, 3 unknown.
zumastor_snapshots gauge Snapshots that can be used.
zumastor_snapshots_lost gauge Snapshots whose content cannot be trusted.
zumastor_snapshots_damaged gauge Snapshots that were found to differ from what they should be.
zumastor_snapshot_newest_timestamp_seconds gauge When the newest snapshot was taken.
zumastor_snapshot_last_timestamp_seconds gauge When the newest snapshot of a schedule was taken.
zumastor_store_size_bytes gauge Size of the snapshot store.
zumastor_store_used_bytes gauge How much of the snapshot store is used.
zumastor_store_metadata_size_bytes gauge Size of the metadata of the snapshot store.
zumastor_store_metadata_used_bytes gauge How much of the metadata of the snapshot store is used.
zumastor_store_full_seconds gauge How long the snapshot store will last, where it grows.
zumastor_replication_last_success_timestamp_seconds gauge When the target was last found to have everything, or given it.
zumastor_replication_lag_seconds gauge How much older than the newest snapshot what the target has is.
zumastor_replication_lag_bytes gauge How much of that has changed since, at most.
zumastor_replication_lag_snapshots gauge Snapshots that are newer than what the target has.
zumastor_replication_failures_total counter Replications to the target that have failed.
zumastor_source_last_success_timestamp_seconds gauge When the source of a replica was last heard of.
'

# metric NAME VALUE [LABEL VALUE]... - a line of the report; nothing where there is no VALUE.  Labels are names that need no quoting.
metric() {
	local name=$1 value=$2 labels="volume=\"$volume\""
	[[ -n $value ]] || return 0
	shift 2
	while (($#)); do
		labels+=",$1=\"$2\""
		shift 2
	done
	printf 'metric\t%s\t%s\t%s\n' "$name" "$labels" "$value"
}

# metrics_volume - after health_read.
metrics_volume() {
	local key kind up=0
	[[ ${s[state]} == stopped ]] || up=1
	metric zumastor_volume_up "$up"
	metric zumastor_volume_size_bytes "${s[volume_bytes]}"
	metric zumastor_snapshots "${s[snapshots]}"
	metric zumastor_snapshots_lost "${s[lost]}"
	metric zumastor_snapshots_damaged "${s[damaged]}"
	metric zumastor_snapshot_newest_timestamp_seconds "${s[newest_time]}"
	health_newest
	for kind in "${!newest_of[@]}"; do
		metric zumastor_snapshot_last_timestamp_seconds "${snap_time[${newest_of[$kind]}]}" schedule "$kind"
	done
	metric zumastor_source_last_success_timestamp_seconds "${s[source_success]}" source "${s[source]}"
	((up)) || return 0
	metric zumastor_store_size_bytes "${s[store_total_bytes]}"
	metric zumastor_store_used_bytes "${s[store_used_bytes]}"
	metric zumastor_store_metadata_size_bytes "${s[meta_total_bytes]}"
	metric zumastor_store_metadata_used_bytes "${s[meta_used_bytes]}"
	metric zumastor_store_full_seconds "${s[store_full_seconds]}"
}

# metrics_target - of t[].
metrics_target() {
	metric zumastor_replication_last_success_timestamp_seconds "${t[success]}" target "${t[host]}"
	metric zumastor_replication_lag_seconds "${t[behind_seconds]}" target "${t[host]}"
	metric zumastor_replication_lag_bytes "${t[behind_bytes]}" target "${t[host]}"
	metric zumastor_replication_lag_snapshots "${t[behind]}" target "${t[host]}"
	metric zumastor_replication_failures_total "${t[failures]}" target "${t[host]}"
}

# metrics_print - the report on stdin, as the text format.
metrics_print() {
	awk -F '\t' -v metrics="$METRICS" '
		BEGIN {
			n = split(metrics, order, "\n")
			split("ok warning critical unknown", levels, " ")
			for (i in levels) state[levels[i]] = i - 1
		}
		$1 == "metric" { lines[$2] = lines[$2] $2 "{" $3 "} " $4 "\n" }
		$1 == "check" {
			name = "zumastor_check_state"
			lines[name] = lines[name] name "{volume=\"" $2 "\",check=\"" $3 "\"} " state[$4] "\n"
		}
		END {
			for (i = 1; i <= n; i++) {
				name = order[i]
				sub(/ .*/, "", name)
				if (!(name in lines)) continue
				split(order[i], words, " ")
				help = order[i]
				sub(/^[^ ]* [^ ]* /, "", help)
				printf "# HELP %s %s\n# TYPE %s %s\n%s", name, help, name, words[2], lines[name]
			}
		}'
}

# metrics_write FILE - whole or not at all: it is read at any moment, by a user that is not root.
metrics_write() {
	local new
	new=$(mktemp -- "$1.XXXXXX") || die "cannot write '$1'"
	if ! { metrics_print >"$new" && chmod 0644 -- "$new" && mv -f -- "$new" "$1"; }; then
		rm -f -- "$new"
		die "cannot write '$1'"
	fi
}
