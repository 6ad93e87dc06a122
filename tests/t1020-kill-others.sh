#!/bin/bash
# lab: --disk 4M --disk 64M --timeout 600
# dm-remove, dm-start, dm-stop and dm-show are killed, or fail, at each of their steps: run again they finish,
# and no other snapshot changes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

make_volume
for ((n = 0; n < 2; n++)); do
	take
	scribble 5
done

# faulted FAULT:STEP CMD [ARG...] - run it so; false when it did not pass.
faulted() {
	local status=0
	{ ZUMASTOR_FAULT=$1 "${@:2}"; } &>/dev/null || status=$?
	((status == 0))
}

# until_done FAULT CMD [ARG...] - with the fault at step 1, then 2, … until it passes.
until_done() {
	local fault=$1 step=1
	shift
	while ! faulted "$fault:$step" "$@"; do
		step=$((step + 1))
	done
	pass "${1##*/} passes after $((step - 1)) steps with $fault"
}

# victim - a fresh snapshot in the middle, its id in $victim.
victim() {
	take
	victim=$id
	scribble 3
	take
	scribble 3
	unset "taken[$victim]"
}

remove_with() {
	local fault=$1 step=0 passed=
	while [[ -z $passed ]]; do
		step=$((step + 1))
		victim
		! faulted "$fault:$step" "$helpers/dm-remove" home "$store" "$victim" || passed=yes
		"$helpers/dm-settle" home "$store"
		is "$(differing)" '' "dm-remove with $fault at step $step: the others are right"
		"$helpers/dm-remove" home "$store" "$id"
		unset "taken[$id]"
	done
	is "$((step > 5))" 1 "dm-remove passes after $((step - 1)) steps with $fault"
}

for fault in kill fail; do
	remove_with "$fault"
	until_done "$fault" "$helpers/dm-stop" home "$store"
	is "$(dmsetup ls)" 'No devices found' "$fault: nothing is left"
	until_done "$fault" "$helpers/dm-start" home "$origin" "$store"
	is "$(differing)" '' "$fault: after that all are right"
done
for id in "${!taken[@]}"; do
	"$helpers/dm-remove" home "$store" "$id"
done
is "$(fact store_used_bytes)" 0 'nothing is left in the pool'
done_testing
