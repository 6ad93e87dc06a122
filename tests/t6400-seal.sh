#!/bin/bash
# lab: --disk 4M --disk 32M
# An exception table has no check sum of its own; the record's seal shows one changed entry that is as good as any
# other: nothing is shown, sent or absorbed by a table that is not what it was.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

# flip_entry DEVICE INDEX - in the first area, let that entry be about the chunk next to the one it is about.
flip_entry() {
	local at=$((16384 + $2 * 16)) byte
	byte=$(dd if="$1" bs=16k skip=1 count=1 iflag=direct status=none | od -An -tu1 -j $((at - 16384)) -N 1)
	printf '%b' "\\x$(printf %x $((byte ^ 128)))" |
		dd of="$1" bs=1 seek="$at" conv=notrunc,fsync status=none
}

# cow ID - the device of its exception store.
cow() {
	"$helpers/dm-cows" home "$store" "$1" head | head -1
}

state() {
	"$helpers/store-show" "$store" | sed -n "s/^snapshot=$1 .* state=\([a-z]*\) .*/\1/p"
}

# Chunks below 128 are written, so that with bit 7 changed an entry is still in order and about no other's chunk.
change() {
	local n
	for ((n = 0; n < 8; n++)); do
		dd if=/dev/urandom of=/dev/mapper/home bs=16k seek=$((RANDOM % 120)) count=2 oflag=direct conv=notrunc status=none
	done
}

make_volume
for n in 1 2 3 4; do
	take
	change
done
"$helpers/dm-settle" home "$store"
is "$("$helpers/store-show" "$store" | grep -c 'table=[0-9]*:[0-9]*$')" 3 'settling seals the frozen tables'
is "$(differing)" '' 'all four are right'
for n in 1 2 3 4; do
	"$helpers/dm-hide" home "$store" "$n"
done

device=$(cow 2)
flip_entry "$device" 3
expect 7 'a table with one chunk number changed is not shown' "$helpers/dm-show" home "$store" 2
expect 7 'nor read through by an older snapshot' "$helpers/dm-show" home "$store" 1
expect 7 'nor is a delta made of it' "$helpers/dm-cows" home "$store" 1 4
expect 0 'a newer one is shown' "$helpers/dm-show" home "$store" 3
flip_entry "$device" 3
is "$(differing)" '' 'changed back, all are right'

flip_entry "$device" 3
expect 0 'remove one' "$helpers/dm-remove" home "$store" 3
is "$(state 1) $(state 2) $(state 4)" 'lost lost live' 'nothing is absorbed into a wrong table: it is lost, and all older'
unset 'taken[1]' 'taken[2]' 'taken[3]'
is "$(differing)" '' 'what does not read through it is right'
"$helpers/dm-hide" home "$store" 4

"$helpers/dm-stop" home "$store"
like "$("$helpers/store-show" "$store")" 'snapshot=4 .* table=[1-9][0-9]*:' 'stopping seals the head'
"$helpers/dm-start" home "$origin" "$store"
change
take
change
is "$(differing)" '' 'a head goes on growing behind its seal'
"$helpers/dm-stop" home "$store"
"$helpers/dm-start" home "$origin" "$store"
flip_entry "/dev/mapper/home-cow-5" 0
"$helpers/dm-stop" home "$store"
expect 0 'start with a head that is not what it was' "$helpers/dm-start" home "$origin" "$store"
is "$(state 4) $(state 5)" 'lost lost' 'tells that it is lost'
done_testing
