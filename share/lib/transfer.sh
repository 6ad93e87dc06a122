# transfer.sh - how far a delta has come that is being sent.   Needs core.sh, check.sh, lock.sh, output.sh.
#
# In the job's directory, which belongs to who has the target's lock: `transfer`, what is sent and
# by whom, and `progress`, which delta-pack replaces every second (csrc/lib/delta_meter.h).
# shellcheck shell=bash disable=SC2154

# transfer_begin - it begins now.
transfer_begin() {
	: >"$job/progress"
	printf '%s=%s\n' pid "$$" snapshot "$snap" total_bytes "$changed_bytes" \
		started "$EPOCHSECONDS" >"$job/transfer"
}

# transfer_end - what was sent is no longer under way.
transfer_end() {
	: >"$job/transfer"
}

# transfer_read JOB - sets transfer[]: snapshot, total_bytes, done_bytes, sent_bytes, rate_bytes (a
# second) and left_seconds (or nothing).  False when there is none: what a killed one has left does
# not count.
transfer_read() {
	local seconds moved
	declare -gA transfer=([done_bytes]=0 [skipped_bytes]=0 [sent_bytes]=0 [left_seconds]='')
	transfer_facts "$1/transfer"
	transfer_facts "$1/progress"
	[[ -n ${transfer[started]-} && -e /proc/${transfer[pid]} ]] || return 1
	((transfer[done_bytes] <= transfer[total_bytes])) || transfer[done_bytes]=${transfer[total_bytes]}
	seconds=$((EPOCHSECONDS > transfer[started] ? EPOCHSECONDS - transfer[started] : 1))
	moved=$((transfer[done_bytes] - transfer[skipped_bytes]))
	transfer[rate_bytes]=$((transfer[sent_bytes] / seconds))
	((moved <= 0)) ||
		transfer[left_seconds]=$(((transfer[total_bytes] - transfer[done_bytes]) * seconds / moved))
}

# transfer_facts FILE - adds its numbers to transfer[].  It may go while we read.
transfer_facts() {
	local key value
	while IFS='=' read -r key value; do
		! is_number "$value" || transfer[$key]=$value
	done 2>/dev/null <"$1" || true
}

# transfer_text - sets REPLY to what transfer[] says.
transfer_text() {
	local text
	output_percent "${transfer[done_bytes]}" "${transfer[total_bytes]}"
	text="${transfer[snapshot]}, $REPLY"
	output_size "${transfer[total_bytes]}"
	text+=" of $REPLY"
	output_size "${transfer[rate_bytes]}"
	text+=", $REPLY/s"
	[[ -z ${transfer[left_seconds]} ]] || {
		output_age "${transfer[left_seconds]}"
		text+=", $REPLY left"
	}
	REPLY=$text
}

# transfer_watch - a line on the terminal, where somebody sits there, until transfer_unwatch.
transfer_watch() {
	[[ -t 2 && -z $quiet ]] || return 0
	transfer_show >/dev/null &
	watch_pid=$!
}

transfer_unwatch() {
	[[ -n ${watch_pid-} ]] || return 0
	kill "$watch_pid" 2>/dev/null || true
	wait "$watch_pid" 2>/dev/null || true
	watch_pid=
	printf '\r\e[K' >&2
}

# transfer_show - every second.  It ends with us, however we do, and keeps nothing of ours open.
transfer_show() {
	lock_let_go
	[[ -z ${peer_out-} ]] || exec {peer_out}>&-
	every 1 transfer_line
}

transfer_line() {
	[[ -e /proc/$$ ]] || return
	if transfer_read "$job"; then
		transfer_text
		printf '\r%s\e[K' "$REPLY" >&2
	fi
}
