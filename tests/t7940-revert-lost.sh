#!/bin/bash
# lab: --disk 4M --disk 64M --timeout 300
# The origin is written behind the back of a volume that is being reverted, or what was written since the revert began is
# damaged: it is not started with what may be wrong, and check says what can be done, and does it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/revert.sh"

z define volume home "$origin" "$store" >/dev/null
take
scribble 20
take
revert_begin 1 >/dev/null
scribble 3
expect 0 'stop, before anything was copied back' z stop
dd if=/dev/urandom of="$origin" bs=16k count=3 oflag=direct conv=notrunc status=none
before=$(content "$origin")
for n in 1 2; do
	expect 6 "start, time $n" z start
	like "$(<"$err")" "the revert to snapshot 1 cannot go on; 'zumastor check home' says why" 'says who knows more'
done
expect 6 'check' z check home
like "$(<"$out")" "the revert to snapshot 1 cannot go on, as that is lost; .*'zumastor check home --repair' give it up: the volume shows its origin as it is" \
	'tells, too'
is "$(content "$origin")" "$before" 'nothing was written to the origin'
expect 6 'repair' z check home --repair
expect 0 'start' z start
is "$(content /dev/mapper/home)" "$before" 'it shows its origin'
expect 0 'the lost ones go' z remove home 1..2
is "$(fact store_used_bytes)" 0 'and with them the layer'
expect 0 'check' z check home
taken=()
take
scribble 10
is "$(differing)" '' 'snapshots can be taken again'

take
undo=$id
now=$(content /dev/mapper/home)
revert_begin $((id - 1)) >/dev/null
scribble 3
layer=$("$helpers/store-show" "$store" | sed -n 's/^revert=open .* thin=//p')
dd if=/dev/urandom of="/dev/mapper/home-cow-$layer" bs=16k seek=1 count=1 oflag=direct status=none
expect 0 'stop, and what was written since is damaged' z stop
expect 6 'start' z start
like "$(<"$err")" "the revert to snapshot $((undo - 1)) cannot go on" 'says what does not'
expect 6 'check' z check home
like "$(<"$out")" 'cannot go on: what was written since is lost; .* give it up' 'says why, and what can be done'
expect 0 'repair' z check home --repair
expect 0 'start' z start
is "$(content /dev/mapper/home)" "$now" 'it shows its origin'
is "$(differing)" '' 'all snapshots are right'
expect 0 'check' z check home
take
revert_begin "$undo" >/dev/null
expect 3 'none is given up while the volume runs' "$helpers/dm-revert" give-up home "$store"
expect 0 'stop' z stop
done_testing
