#!/bin/bash
# lab: --disk 8M --disk 16M
# The kernel gives the head up because its store cannot be written, and the volume is stopped before anybody has asked:
# after the next start the snapshots are lost, although their store looks healthy.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/faults.sh"

make_volume
take
scribble 2
while_failing home-store-data scribble 5
expect 0 'stop' "$helpers/dm-stop" home "$store"
like "$("$helpers/store-show" "$store")" 'state=lost' 'has recorded it'
expect 0 'start' "$helpers/dm-start" home "$origin" "$store"
expect 6 'it cannot be looked at' "$helpers/dm-show" home "$store" 1
unset 'taken[1]'
take
scribble 5
is "$(differing)" '' 'a new one is right'
done_testing
