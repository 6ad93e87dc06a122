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
done_testing
