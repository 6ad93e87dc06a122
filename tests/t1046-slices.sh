#!/bin/bash
# lab: --disk 4M --disk 96M --timeout 600
# Absorbing is done in slices, of one chunk each here: whatever comes between two of them, and wherever one is killed, all
# snapshots show what they did, and the next slice goes on where the last one ended.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

# change COUNT@FIRST - so many chunks of the volume.
change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k count="${1%@*}" seek="${1#*@}" oflag=direct conv=notrunc status=none
}

# slice - one, from $place on; sets place.
slice() {
	"$helpers/dm-settle" --slice 0 ${place:+--from "$place"} home "$store" >"$out" || return
	place=$(<"$out")
	place=${place#more=}
}

# changed - ids of those shown that are not what they were: without settling, which would bring it all to its end.
changed() {
	local id
	for id in "${!taken[@]}"; do
		[[ $(content "/dev/zumastor/home/$id") == "${taken[$id]}" ]] || printf '%s ' "$id"
	done
}

# three CHANGE CHANGE CHANGE - snapshots, each followed by its change, and one more, all of them shown; ids in three.
three() {
	local each
	three=()
	for each in "$@"; do
		take
		three+=("$id")
		change "$each"
	done
	take
	"$helpers/dm-show" home "$store" "${!taken[@]}" >/dev/null
}

# drop INDEX - mark one of the three as removed.
drop() {
	local gone=${three[$1]}
	"$helpers/dm-hide" home "$store" "$gone"
	"$helpers/dm-remove" --mark home "$store" "$gone"
	unset "taken[$gone]"
}

# finish - slice by slice; sets slices.
finish() {
	slices=0
	while slice && [[ -n $place ]]; do
		slices=$((slices + 1))
		[[ -z ${looking-} ]] || is "$(changed)$("$helpers/dm-check" home "$origin" "$store")" state=running \
			"slice $slices, at $place: all is right"
	done
}

# anew - without snapshots.
anew() {
	"$helpers/dm-remove" home "$store" "${!taken[@]}"
	taken=() place=
}

make_volume

# Into the older one, whose store is the larger one: 10 to 13.
three 10@0 8@6 3@0
drop 1
looking=yes finish
is "$slices $(changed)" '3 ' 'what the older one lacks comes chunk by chunk'
anew

# Into the removed one, which is: 2 and 3 over what it has, then 0 and 1.
three 4@0 10@2 3@0
drop 1
looking=yes finish
is "$slices $(changed)" '3 ' 'what the removed one lacks, too, and nothing is overwritten again'
anew

# The older one goes before the newer one is done with.
three 6@0 10@0 20@0
drop 2
for ((n = 0; n < 5; n++)); do
	slice
done
before=$place
drop 1
while slice && [[ -n $place && $place != *":${three[2]}:"* ]]; do :; done
place=$before
finish
is "$(changed)" '' 'a place that is of another pair by now is none'
is "$("$helpers/store-show" "$store" | grep -c ^snapshot=)" 2 'both are gone'
anew

for ((step = 1, passed = 0; passed < 2; step++)); do
	fault=$((step % 2 ? 0 : 1))
	three 4@0 10@2 3@0
	drop 1
	slice
	slice
	faults=(kill fail)
	if (ZUMASTOR_FAULT=${faults[fault]}:$step slice) &>/dev/null; then
		passed=$((passed + 1))
	else
		passed=0
	fi
	finish
	is "$(changed)" '' "a slice with ${faults[fault]} at step $step: all is right"
	anew
done
is "$((step > 5))" 1 "a slice passes after $((step - 3)) steps"
is "$(fact store_used_bytes)" 0 'nothing is left in the pool'
score R7 "$((step - 3))" faults "$tap_failed" violations
done_testing
