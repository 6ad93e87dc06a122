#!/bin/bash
# lab: --disk 16M --disk 8M
# A full store: writers wait and lose nothing, no command hangs, removing the oldest snapshot lets them go on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/revert.sh"

change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek="$1" count="$2" oflag=direct conv=notrunc status=none
}

# full - wait until it is.
full() {
	until_fact store_mode out_of_data_space 200 || true
	is "$(fact store_mode)" out_of_data_space 'the store is full'
}

make_volume
take; change 0 70
take; change 0 60
take; change 100 60
take
is "$(fact store_mode)" rw 'the store has room for three snapshots'
change 200 150 &
writer=$!
full
sleep 1
expect 0 'the writer waits' kill -0 "$writer"
is "$(fact head_state)" ok 'the head is not given up'
expect 1 'a snapshot is refused' timeout 20 "$helpers/dm-snapshot" home "$store"
like "$(<"$err")" 'its store is full' 'and it says why'
expect 0 'removing one in the middle does not hang' timeout 20 "$helpers/dm-remove" home "$store" 2
unset 'taken[2]'
is "$(fact head_state)" ok 'the head is still right'
expect 0 'removing the oldest' timeout 20 "$helpers/dm-remove" home "$store" 1
unset 'taken[1]'
for ((n = 0; n < 100; n++)); do
	kill -0 "$writer" 2>/dev/null || break
	sleep 0.1
done
expect 0 'lets the writer go on, without an error' wait "$writer"
is "$(fact store_mode)" rw 'the store works again'
is "$(differing)" '' 'the other snapshots are right'
take
is "$(differing)" '' 'and so is the next one'

# Nothing is left to remove but the head itself, for whose room the writers wait.
for id in "${!taken[@]}"; do
	"$helpers/dm-remove" home "$store" "$id"
done
taken=()
take
change 0 500 &
writer=$!
full
expect 0 'the only snapshot can be removed' timeout 60 "$helpers/dm-remove" home "$store" "$id"
expect 0 'and the writer goes on, without an error' wait "$writer"
is "$(fact head)" none 'the volume has no snapshot'
taken=()
take
change 0 20
is "$(differing)" '' 'a new one is right'

# A revert.  To merge is to copy out: without room for that it must not begin, for the kernel would wait for room while
# it resumes the volume.
oldest=$id
change 0 100
take
change 0 100
take
change 20 20
take
expect 0 'a revert begins' revert_begin $((oldest + 2))
expect 0 'and rewinds' revert_rewind
expect 137 'the merge is killed before it begins' env ZUMASTOR_FAULT=kill:1 "$helpers/dm-revert" merge home "$store"
is "$(fact revert)" merging 'but is on record'
change 300 100 &
writer=$!
full
expect 1 'going on is refused' timeout 60 "$helpers/dm-revert" merge home "$store"
like "$(<"$err")" 'store is full' 'and it says why'
expect 0 'a snapshot can be removed' timeout 60 "$helpers/dm-remove" home "$store" "$oldest"
unset "taken[$oldest]"
expect 0 'the writer goes on, without an error' wait "$writer"
now=$(content /dev/mapper/home)
"$helpers/dm-stop" home "$store"
expect 0 'a start without room to merge' timeout 60 "$helpers/dm-start" home "$origin" "$store"
like "$(dmsetup table home)" '^0 [0-9]* snapshot ' 'does not merge'
is "$(content /dev/mapper/home)" "$now" 'but shows the same'
expect 1 'there is still no room' timeout 60 "$helpers/dm-revert" merge home "$store"
"$helpers/dm-remove" home "$store" $((oldest + 1))
unset "taken[$((oldest + 1))]"
expect 0 'with room the revert goes on' timeout 60 "$helpers/dm-revert" merge home "$store"
expect 0 'and ends' revert_finish
is "$(content /dev/mapper/home)" "$now" 'the volume is right'
is "$(differing)" '' 'and so are the snapshots'
done_testing
