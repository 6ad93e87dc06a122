#!/bin/bash
# lab: --disk 8M --disk 32M
# Snapshots keep their content: while the volume is written, after stop and start, and when others are removed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

make_volume
is "$(dmsetup table home | cut -d' ' -f3)" linear 'a volume without snapshots is linear'
for ((n = 0; n < 6; n++)); do
	take
	scribble
done
is "$(differing)" '' 'six snapshots show what was there when they were taken'
is "$(dmsetup table home | cut -d' ' -f3)" snapshot-origin 'the volume copies out'

take
scribble
wrong=()
for n in 1 2 3 4 5 6; do
	[[ $(content "/dev/zumastor/home/$n") == "${taken[$n]}" ]] || wrong+=("$n")
done
is "${wrong[*]-}" '' 'views that are open show the same before anything is settled'
expect 0 'settling moves the views to the new head' "$helpers/dm-settle" home "$store"
is "$(differing)" '' 'they still show the same'
is "$(dmsetup ls | grep -c home-snap)" 1 'one snapshot is attached to the origin'

before=$(content /dev/mapper/home)
expect 0 'stop' "$helpers/dm-stop" home "$store"
is "$(dmsetup ls)" 'No devices found' 'nothing is left of it'
is "$(losetup -a)" '' 'no loop device either'
expect 0 'start' "$helpers/dm-start" home "$origin" "$store"
is "$(content /dev/mapper/home)" "$before" 'the volume is as it was'
is "$(differing)" '' 'and so are the snapshots'

for victim in 3 1 6 7; do
	expect 0 "remove $victim" "$helpers/dm-remove" home "$store" "$victim"
	unset "taken[$victim]"
	scribble 4
	is "$(differing)" '' "the others are as they were without $victim"
done
expect 4 'a removed one is gone' "$helpers/dm-show" home "$store" 3
take
expect 0 'settle' "$helpers/dm-settle" home "$store"
is "$("$helpers/store-show" "$store" | grep -c 'state=removed')" 0 'the removed head is absorbed'
is "$(differing)" '' 'nothing changed by that'
"$helpers/dm-stop" home "$store"
"$helpers/dm-start" home "$origin" "$store"
is "$(differing)" '' 'nor after another start'

for victim in "${!taken[@]}"; do
	"$helpers/dm-remove" home "$store" "$victim"
done
is "$(fact store_used_bytes)" 0 'without snapshots the store is empty'
is "$(dmsetup table home | cut -d' ' -f3)" linear 'and the volume linear again'
done_testing
