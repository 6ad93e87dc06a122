#!/bin/bash
# lab: --disk 4M --disk 64M --timeout 300
# The origin is written behind the back of a volume that is being reverted: it is not started with what may be wrong, and
# check says what can be done, and does it.
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
	like "$(<"$err")" "it was being reverted to snapshot 1, which is lost; 'zumastor check home --repair' gives that up" \
		'says what can be done'
done
expect 6 'check' z check home
like "$(<"$out")" "the revert to snapshot 1 cannot go on; .*'zumastor check home --repair' give it up: the volume shows its origin as it is" \
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
expect 0 'stop' z stop
done_testing
