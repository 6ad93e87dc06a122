#!/bin/bash
# lab: --disk 4M --disk 64M --timeout 600
# dm-remove, dm-start, dm-stop and dm-clone are killed, or fail, at each of their steps: run again they finish,
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

# turn STEP - sets fault: kill and fail take turns, and in the second pass the other one is first.
turn() {
	local -a faults=(kill fail)
	fault=${faults[($1 + pass) % 2]}
}

# until_done CMD [ARG...] - with a fault at step 1, then 2, … until it passes.
until_done() {
	local step=1
	turn 1
	while ! faulted "$fault:$step" "$@"; do
		step=$((step + 1))
		turn "$step"
	done
	pass "${1##*/} passes after $((step - 1)) steps"
	steps=$((steps + step - 1))
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

remove_some() {
	local step=0 passed=
	while [[ -z $passed ]]; do
		step=$((step + 1))
		turn "$step"
		victim
		! faulted "$fault:$step" "$helpers/dm-remove" home "$store" "$victim" || passed=yes
		"$helpers/dm-settle" home "$store"
		is "$(differing)" '' "dm-remove with $fault at step $step: the others are right"
		"$helpers/dm-remove" home "$store" "$id"
		unset "taken[$id]"
	done
	steps=$((steps + step - 1))
	is "$((step > 5))" 1 "dm-remove passes after $((step - 1)) steps"
}

# clone_is NAME - is there a clone of that name, at work?
clone_is() {
	[[ ,$(fact clones), == *",$1:1:up,"* ]]
}

# clone_some - a clone is made, made ready for a volume of its own and removed, each with a fault at step 1, then 2, …
clone_some() {
	local step passed=
	for ((step = 1; ; step++)); do
		turn "$step"
		passed=
		! faulted "$fault:$step" "$helpers/dm-clone" create home "$store" 1 copy || passed+=1
		"$helpers/dm-settle" home "$store"
		clone_is copy || "$helpers/dm-clone" create home "$store" 1 copy >/dev/null
		[[ $(content /dev/zumastor/home/copy) == "${taken[1]}" ]] || fail "$fault at step $step: the clone is right"
		scribble 1
		! faulted "$fault:$step" "$helpers/dm-clone" store home "$store" copy over || passed+=2
		"$helpers/dm-settle" home "$store"
		"$helpers/dm-clone" store home "$store" copy over >/dev/null || fail "$fault at step $step: its store can be made"
		! faulted "$fault:$step" "$helpers/dm-clone" remove home "$store" copy || passed+=3
		"$helpers/dm-settle" home "$store"
		! clone_is copy || "$helpers/dm-clone" remove home "$store" copy
		[[ $passed != 123 ]] || break
	done
	steps=$((steps + 3 * (step - 1)))
	is "$((step > 4))" 1 "dm-clone passes after $((step - 1)) steps"
	is "$(differing)" '' 'dm-clone: the snapshots are right'
}

steps=0
for pass in $(long_or '0 1' $((RANDOM % 2))); do
	clone_some
	remove_some
	until_done "$helpers/dm-stop" home "$store"
	is "$(dmsetup ls)" 'No devices found' 'nothing is left'
	until_done "$helpers/dm-start" home "$origin" "$store"
	is "$(differing)" '' 'after that all are right'
done
for id in "${!taken[@]}"; do
	"$helpers/dm-remove" home "$store" "$id"
done
is "$(fact store_used_bytes)" 0 'nothing is left in the pool'
score R7 "$steps" faults "$tap_failed" violations
done_testing
