#!/bin/bash
# lab: --disk 16M --disk 8M --timeout 600
# The store gets full between any two steps of a snapshot: the command ends, others can make room, and nothing is lost.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

# stopped - dm-snapshot has come to its step; false when it ended before.
stopped() {
	local i state
	for ((i = 0; i < 500; i++)); do
		state=$(awk '{ print $3 }' "/proc/$pid/stat" 2>/dev/null) || return 1
		[[ $state != T ]] || return 0
		[[ $state != Z ]] || return 1
		sleep 0.01
	done
	return 1
}

# fill - write until the store is full and the writer waits.
fill() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek=300 count=600 oflag=direct conv=notrunc status=none &
	writer=$!
	until_fact store_mode out_of_data_space 100 || fail 'the store gets full'
}

# ends SECONDS PID
ends() {
	local i
	for ((i = 0; i < $1 * 10; i++)); do
		[[ $(awk '{ print $3 }' "/proc/$2/stat" 2>/dev/null || echo Z) != Z ]] || return 0
		sleep 0.1
	done
	return 1
}

# try STEP - false when there is no such step.
try() {
	ZUMASTOR_FAULT=stop:$1 "$helpers/dm-snapshot" home "$store" >"$out" 2>"$err" &
	pid=$!
	if ! stopped; then
		wait "$pid" || true
		return 1
	fi
	if dmsetup info -c --noheadings -o suspended home | grep -q Suspended; then
		kill -CONT "$pid"
		wait "$pid" || true
		return 0
	fi
	fill
	kill -CONT "$pid"
	ends 40 "$pid" || fail "step $1: dm-snapshot ends" "$(cat "/proc/$pid/stack" 2>/dev/null)"
	for id in $("$helpers/store-show" "$store" | sed -n 's/^snapshot=\([0-9]*\) .*state=live.*/\1/p'); do
		timeout 60 "$helpers/dm-remove" home "$store" "$id" >/dev/null || fail "step $1: snapshot $id can be removed"
	done
	ends 60 "$writer" || fail "step $1: the writer goes on"
	wait "$writer" || fail "step $1: it wrote all"
	pass "step $1"
}

make_volume
# shellcheck disable=SC2016 # it is Perl's
expect 0 'a snapshot where the end of children is ignored' \
	perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$helpers/dm-snapshot" home "$store"
for ((n = 1; ; n++)); do
	"$helpers/dm-snapshot" home "$store" >/dev/null
	try $n || break
done
is "$((n > 8))" 1 "every step was tried ($((n - 1)))"
done_testing
