#!/bin/bash
# lab: --disk 4M --disk 32M
# The stack is taken down with a snapshot still pending, whatever it has come to: start decides, and no other
# snapshot changes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

make_volume
take
scribble 5
"$helpers/dm-settle" home "$store"
for step in 3 4 5 6 7; do
	{ ZUMASTOR_FAULT=kill:$step "$helpers/dm-snapshot" home "$store"; } &>/dev/null || true
	is "$("$helpers/store-show" "$store" | grep -c state=pending)" 1 "step $step leaves one pending"
	expect 0 'stop' "$helpers/dm-stop" home "$store"
	expect 0 'start needs no human' "$helpers/dm-start" home "$origin" "$store"
	is "$("$helpers/store-show" "$store" | grep -c state=pending || true)" 0 'nothing is pending'
	is "$(differing)" '' 'the other snapshot is right'
	"$helpers/dm-hide" home "$store" 1
done

# Once the volume copies out to it, it was taken, whether its command has come to say so or not.
switched=0 status=1
for ((step = 8; status != 0; step++)); do
	status=0 before=$(fact head) hash=$(content /dev/mapper/home)
	{ ZUMASTOR_FAULT=kill:$step "$helpers/dm-snapshot" home "$store"; } &>/dev/null || status=$?
	not_suspended || result bad "killed at step $step, nothing is suspended"
	head=$(fact head)
	scribble 3
	"$helpers/dm-stop" home "$store"
	"$helpers/dm-start" home "$origin" "$store"
	is "$(live "$store" | tail -n 1)" "$head" "killed at step $step, start keeps what was copied out to"
	[[ $head == "$before" ]] || taken[$head]=$hash
	((status == 0)) || [[ $head == "$before" ]] || switched=$((switched + 1))
done
is "$((switched > 0))" 1 "the last $switched of these had switched"
is "$(differing)" '' 'all snapshots are right'
done_testing
