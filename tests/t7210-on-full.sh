#!/bin/bash
# lab: --disk 8M --disk 8M --timeout 900
# A store filled at a random moment.  Policy halt: writers wait, no write fails, nothing is lost.  Policy expire: writers go
# on by themselves, and only the oldest snapshots of the schedule go.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
z=/usr/sbin/zumastor
new=$scratch/new
log=$scratch/log
violations=()
fills=$(long_or 500 10)

violation() {
	violations+=("fill $fill: $1")
}

# locked HELPER ARG... - as a command would run it; a violation when it fails or hangs.
locked() {
	timeout 100 flock /run/zumastor/lock/home "$helpers/$1" home "$store" "${@:2}" >"$out" 2>&1 ||
		violation "$*: $(tail -n 1 "$out")"
}

# overwrite_later CHUNKS - so many from $from on, of $new and of the volume, in the background.
overwrite_later() {
	dd if=/dev/urandom of="$new" bs=16k seek="$from" count="$1" conv=notrunc status=none
	dd if="$new" of=/dev/mapper/home bs=16k skip="$from" seek="$from" count="$1" oflag=direct conv=notrunc status=none \
		2>"$scratch/dd" &
	writer=$!
}

a_moment() {
	sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
}

# written - the writer ends, without an error.
written() {
	local n
	for ((n = 0; n < 1000; n++)); do
		kill -0 "$writer" 2>/dev/null || break
		sleep 0.1
	done
	((n < 1000)) || { violation 'the writer waits for ever'; remove_all; }
	wait "$writer" || violation "a write failed: $(<"$scratch/dd")"
}

# ids STATE - of the snapshots in that state, oldest first.
ids() {
	"$helpers/store-show" "$store" | sed -n "s/^snapshot=\([0-9]*\) .*state=$1 .*/\1/p"
}

# right - the volume holds what was written last, and all snapshots that there are what they did.
right() {
	local id
	local -a known=()
	[[ $(fact head_state) == @(ok|none) && -z $(ids lost) ]] || violation 'a snapshot is lost'
	for id in $(ids live); do
		[[ -z ${taken[$id]-} ]] || known+=("$id")
	done
	((${#known[@]} == 0)) || locked dm-show "${known[@]}"
	for id in "${known[@]}"; do
		[[ $(content "/dev/zumastor/home/$id") == "${taken[$id]}" ]] || violation "snapshot $id is wrong"
	done
	kill -0 "$writer" 2>/dev/null || [[ $(content /dev/mapper/home) == "$(hash)" ]] || violation 'the volume is wrong'
}

hash() {
	sha256sum <"$new" | cut -c1-32
}

# snapshot KINDS - one that must succeed, and whose content is known.
snapshot() {
	local content
	content=$(hash)
	timeout 100 flock /run/zumastor/lock/home "$helpers/dm-snapshot" --kinds "$1" home "$store" >"$out"
	last=$(sed -n 's/^id=//p' "$out")
	taken[$last]=$content
}

remove_all() {
	local id
	for id in $(ids live); do
		locked dm-remove "$id"
	done
	taken=()
}

# snapshot_anyway - while the store fills it may be too late for one; then it says so, and does not wait for ever.
snapshot_anyway() {
	timeout 100 flock /run/zumastor/lock/home "$helpers/dm-snapshot" --kinds hourly home "$store" >"$out" 2>&1 ||
		grep -q 'store is full' "$out" || violation "$(<"$out")"
}

halt() {
	local n id from
	for ((n = RANDOM % 3 + 1; n > 0; n--)); do
		from=$((RANDOM % 500))
		snapshot hourly
		overwrite_later 12
		written
	done
	from=0
	overwrite_later 512
	a_moment
	snapshot_anyway
	until_fact store_mode out_of_data_space 600 || violation 'the store is not full'
	kill -0 "$writer" || violation 'the writer did not wait'
	right
	for id in $(ids live); do
		a_moment
		kill -0 "$writer" 2>/dev/null || break
		locked dm-remove "$id"
	done
	written
	right
	remove_all
}

# removed_in_order - only the oldest that may go are gone, and the monitor said so.
removed_in_order() {
	local id last=0 live
	live=" $(ids live | tr '\n' ' ')"
	for id in "${!taken[@]}"; do
		[[ $live != *" $id "* ]] || continue
		last=$((id > last ? id : last))
		[[ -z ${keep[$id]-} ]] || violation "snapshot $id is gone"
		grep -q "removed snapshot $id of" "$log" || violation "nobody said that $id goes"
	done
	for id in $live; do
		((id > last)) || [[ -n ${keep[$id]-} ]] || violation "snapshot $id stayed, $last went"
	done
}

# What goes is in what a manual one keeps, always the same chunks: nothing else would make room.
expire() {
	local n from=$((RANDOM % 352))
	keep=()
	for n in 1 2 3; do
		if ((RANDOM % 4 || ${#keep[@]})); then
			snapshot hourly
		else
			snapshot manual
			keep[$last]=yes
		fi
		overwrite_later 96
		written
	done
	overwrite_later 160
	a_moment
	snapshot_anyway
	written
	until_fact store_short no 600 || violation 'the store stays short'
	right
	removed_in_order
	remove_all
}

dd if=/dev/urandom of="$new" bs=1M count=8 status=none
dd if="$new" of="$origin" bs=1M oflag=direct status=none
"$z" define volume home "$origin" "$store" >/dev/null
"$z" define schedule home -h 100
declare -A keep
for ((fill = 1; fill <= fills / 2; fill++)); do
	halt
done
is "${violations[*]-}" '' 'halt: no write fails, nothing is lost'
"$z" monitor >"$log" 2>&1 </dev/null &
monitor=$!
for (( ; fill <= fills; fill++)); do
	expire
done
kill "$monitor"
is "${violations[*]-}" '' 'expire: writers go on, only the oldest go'
score R14 "$fills" fills ${#violations[@]} violations
done_testing
