#!/bin/bash
# lab: --disk 16M --disk 8M --timeout 600
# The store gets full between any two steps of a command: it ends, or is killed, others can make room, and nothing is lost.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

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

# give_up DESCRIPTION [TEXT] - fail now: what waits for ever would wait for each of the others, too.
give_up() {
	fail "$@"
	done_testing
}

# make_room WHAT - remove all snapshots, and the writer goes on.
make_room() {
	local -a ids
	mapfile -t ids < <(live "$store")
	timeout 60 "$helpers/dm-remove" home "$store" "${ids[@]}" >/dev/null || fail "$1: snapshots can be removed"
	ends 60 "$writer" || give_up "$1: the writer goes on"
	wait "$writer" || fail "$1: it wrote all"
}

# try STEP SIGNAL CMD [ARG...] - fill the store while CMD is at that step, then SIGNAL; false when there is no such step.
try() {
	local what="step $1 of ${3##*/}, then $2"
	ZUMASTOR_FAULT=stop:$1 "${@:3}" >"$out" 2>"$err" &
	pid=$!
	if ! stopped "$pid"; then
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
	[[ $2 == CONT ]] || kill -"$2" "$pid" || true
	ends 40 "$pid" || give_up "$what: the command ends" "$(cat "/proc/$pid/stack" 2>/dev/null)"
	make_room "$what"
	pass "$what"
}

# three - snapshots with much between them, so that the first must take much when the second is removed.
three() {
	"$helpers/dm-snapshot" home "$store" >/dev/null
	dd if=/dev/urandom of=/dev/mapper/home bs=16k count=40 oflag=direct conv=notrunc status=none
	"$helpers/dm-snapshot" home "$store" >/dev/null
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek=40 count=40 oflag=direct conv=notrunc status=none
	"$helpers/dm-snapshot" home "$store" >/dev/null
}

make_volume
# shellcheck disable=SC2016 # it is Perl's
expect 0 'a snapshot where the end of children is ignored' \
	perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$helpers/dm-snapshot" home "$store"
signals=(CONT KILL)	# in turns
for turn in $(long_or '0 1' 0); do
	for ((n = 1; ; n++)); do
		"$helpers/dm-snapshot" home "$store" >/dev/null
		try $n "${signals[(n + turn) % 2]}" "$helpers/dm-snapshot" home "$store" || break
	done
	is "$((n > 8))" 1 "every step of a snapshot was tried ($((n - 1)))"
	for ((n = 1; ; n++)); do
		three
		mapfile -t ids < <(live "$store")
		try $n "${signals[(n + turn) % 2]}" "$helpers/dm-remove" home "$store" "${ids[-2]}" || break
	done
	is "$((n > 4))" 1 "every step of a removal was tried ($((n - 1)))"
done
done_testing
