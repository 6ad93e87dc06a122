#!/bin/bash
# lab: --disk 8M --disk 64M --timeout 600
# Reverting: the old content is there at once and can be written; snapshots older and newer keep theirs; each phase
# survives stop and start, and each step being killed or failing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/revert.sh"

make_volume
for ((n = 0; n < 4; n++)); do
	take
	scribble 6
done

# same HASH DESCRIPTION - the volume holds that, and all snapshots are right.
same() {
	is "$(content /dev/mapper/home)" "$1" "$2: the volume"
	is "$(differing)" '' "$2: the snapshots"
}

# restart DESCRIPTION - stop and start change nothing.
restart() {
	"$helpers/dm-stop" home "$store"
	"$helpers/dm-start" home "$origin" "$store"
	same "$now" "$1, restarted"
}

take
expect 0 'begin' revert_begin 2
like "$(<"$out")" 'pause_us=[0-9]+' 'says how long the volume was suspended'
same "${taken[2]}" 'begun'
scribble 5
now=$(content /dev/mapper/home)
same "$now" 'written to'
restart 'open'
expect 3 'no snapshot meanwhile' "$helpers/dm-snapshot" home "$store"
expect 3 'no other revert' "$helpers/dm-revert" begin home "$store" 1
expect 3 'the snapshot under it stays' "$helpers/dm-remove" home "$store" 2
expect 0 'another one goes' "$helpers/dm-remove" home "$store" 3
unset 'taken[3]'
same "$now" 'one removed'
expect 0 'rewind' revert_rewind
like "$(<"$out")" 'done=([0-9]+) total=([0-9]+)' 'says how far it is'
same "$now" 'rewound'
scribble 5
now=$(content /dev/mapper/home)
restart 'rewound'
expect 0 'rewinding again does no harm' revert_rewind
expect 0 'merge' "$helpers/dm-revert" merge home "$store"
same "$now" 'merging'
scribble 5
now=$(content /dev/mapper/home)
restart 'merging'
expect 0 'finish' revert_finish
same "$now" 'finished'
is "$(fact revert)" '' 'the revert is over'
restart 'finished'
take
scribble 4
same "$(content /dev/mapper/home)" 'and on'
is "$(dmsetup ls | grep -Ec 'under|rewind')" 0 'its devices are gone'
is "$("$helpers/store-show" "$store" | grep -c '^revert')" 0 'and it is off the record'

scribble 1
expect 3 'a volume written since its newest snapshot is not reverted' "$helpers/dm-revert" begin home "$store" 1
take
exec 9</dev/mapper/home
expect 3 'an open one is not either' "$helpers/dm-revert" begin home "$store" 1
exec 9<&-
expect 4 'no such snapshot' "$helpers/dm-revert" begin home "$store" 99
expect 1 'nothing to prepare' "$helpers/dm-revert" prepare home "$store"
same "$(content /dev/mapper/home)" 'refused'

# looked_at STEP - begin a revert, and read the volume at that step, and keep it open; false when it is refused for that.
looked_at() {
	local pid waiting=''
	ZUMASTOR_FAULT=stop:$1 "$helpers/dm-revert" begin home "$store" "$old" >/dev/null 2>&1 &
	pid=$!
	! stopped "$pid" || waiting=yes
	exec 9</dev/mapper/home
	dmsetup info -c --noheadings -o suspended home | grep -q Suspended || cat <&9 >/dev/null
	kill -CONT "$pid"
	wait "$pid" && [[ -n $waiting ]]
}

old=$id
scribble
take
for ((n = 1; n < 20; n++)); do
	! looked_at $n || break
	exec 9<&-
done
is "$n $(sha256sum </dev/mapper/home | cut -c1-32)" "$n ${taken[$old]}" 'whoever had it open does not see old pages'
is "$((n < 20))" 1 "at step $n"
exec 9<&-
done_testing
