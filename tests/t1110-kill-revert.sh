#!/bin/bash
# lab: --disk 2M --disk 32M --timeout 1200
# Each step of a revert is killed, with and without its watchdog, or fails, and the host may be restarted there: going
# on from what the record says ends with the snapshot's content and what was written since, and no snapshot differs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/revert.sh"

make_volume
take
scribble 4
take
scribble 4

phase() {
	"$helpers/store-show" "$store" | sed -n 's/^revert=\([a-z]*\) .*/\1/p'
}

# faulted FAULT CMD [ARG...] - run it so, then stop and start if it is a restart's turn; false when it did not pass.
faulted() {
	local status=0
	{ ZUMASTOR_FAULT=$1 "${@:2}"; } &>/dev/null || status=$?
	at_rest "$1" || faults+=" suspended after $*"
	"$helpers/dm-settle" home "$store" || faults+=" cannot settle after $*"
	((RANDOM % 2)) || { "$helpers/dm-stop" home "$store" && "$helpers/dm-start" home "$origin" "$store"; } ||
		faults+=" cannot restart after $*"
	((status == 0))
}

check_volume() {
	[[ $(content /dev/mapper/home) == "$1" ]] || faults+=" volume after $2"
}

check_all() {
	check_volume "$1" "$2"
	[[ -z $(differing) ]] || faults+=" snapshots $(differing) after $2"
}

# revert_with FAULT SUBCOMMAND N - a whole revert in which that subcommand meets its fault at step N; returns false when the
# subcommand passed.
revert_with() {
	local fault=$1 sub=$2 n=$3 before after reached=
	take
	scribble 0
	before=$(content /dev/mapper/home)
	after=${taken[1]}
	if [[ $sub == begin ]]; then
		faulted "$fault:$n" "$helpers/dm-revert" begin home "$store" 1 && reached=yes
		# Not switched, or switched: one of the two.
		if [[ $(phase) == open ]]; then before=$after; fi
		check_volume "$before" "$fault:$n $sub"
	fi
	[[ $(phase) == open ]] || "$helpers/dm-revert" begin home "$store" 1 >/dev/null || faults+=" cannot begin again"
	scribble 2
	after=$(content /dev/mapper/home)
	if [[ $sub == rewind ]]; then
		ZUMASTOR_FAULT=$fault:$n revert_rewind &>/dev/null && reached=yes
		check_volume "$after" "$fault:$n $sub"
	fi
	revert_rewind >/dev/null || faults+=" cannot rewind"
	if [[ $sub == merge ]]; then
		faulted "$fault:$n" "$helpers/dm-revert" merge home "$store" && reached=yes
		check_volume "$after" "$fault:$n $sub"
	fi
	[[ $(phase) != open ]] || "$helpers/dm-revert" merge home "$store" || faults+=" cannot merge"
	if [[ $sub == finish ]]; then
		while [[ $(fact revert_layer_bytes) != 0 ]]; do sleep 0.1; done
		faulted "$fault:$n" "$helpers/dm-revert" finish home "$store" && reached=yes
		check_volume "$after" "$fault:$n $sub"
	fi
	revert_on || faults+=" cannot go on"
	check_all "$after" "$fault:$n $sub, finished"
	[[ -z $(phase) ]] || faults+=" still $(phase)"
	# The undo point has done its duty: fewer snapshots to compare.
	"$helpers/dm-remove" home "$store" "$id" && unset "taken[$id]"
	[[ -z $reached ]]
}

# with SUBCOMMAND - at its step 1, then 2, … until it passes, the faults taking turns.
with() {
	local sub=$1 fault kinds=(kill killboth fail)
	for ((n = 1; ; n++)); do
		fault=${kinds[(n + pass) % 3]}
		faults=
		revert_with "$fault" "$sub" "$n" || break
		is "$faults" '' "$fault at step $n of $sub"
	done
	steps=$((${steps:-0} + n - 1))
	is "$faults" '' "$sub passes after $((n - 1)) steps"
}

for pass in $(long_or '0 1 2' $((RANDOM % 3))); do
	for sub in begin rewind merge finish; do
		with "$sub"
	done
done
"$helpers/dm-stop" home "$store"
score R7 "$steps" faults "$tap_failed" violations
done_testing
