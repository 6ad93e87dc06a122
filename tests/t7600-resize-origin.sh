#!/bin/bash
# lab: --disk 8M --disk 32M
# The origin grows, and shrinks where nothing needs its end: every snapshot keeps its size and content, also when
# others are removed on either side of the change, and after stop and start.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/resize.sh"

# Not a whole number of chunks: the last one of an old snapshot goes on behind its end.
small=$(((2 << 20) + 5120)) large=$(((3 << 20) + 512)) larger=$((4 << 20))
slice_origin $small
make_volume
take; scribble 8
take; scribble 8
sizes[1]=$small sizes[2]=$small

slice_origin $larger
expect 0 'grow the origin' resize --origin $large
is "$(volume_size)" $large 'the volume has its new size'
write_end $small
write_end $large
scribble 8
is "$(differing)" '' 'snapshots from before are right'
is "$(wrong_sizes)" '' 'and have the size they had'
take; sizes[3]=$large
dd if=/dev/urandom of=/dev/mapper/home bs=1M count=3 oflag=direct conv=notrunc status=none	# more than 2 keeps
expect 0 'grow it again' resize --origin $larger
write_end $large
take; sizes[4]=$larger
scribble 8
is "$(differing)" '' 'all are right'
is "$(wrong_sizes)" '' 'each with its own size'
expect 0 'a clone of an old one' "$helpers/dm-clone" create home "$store" 1 old
is "$(content /dev/zumastor/home/old)" "${taken[1]}" 'is right, too'
expect 0 'and goes' "$helpers/dm-clone" remove home "$store" old
expect 1 'no way back to it' "$helpers/dm-revert" begin home "$store" 1
like "$(<"$err")" 'it was resized since snapshot 1' 'and why'
is "$(volume_size) $("$helpers/store-show" "$store" | grep -c ^revert=)" "$larger 0" 'nothing has changed'

expect 0 'stop' "$helpers/dm-stop" home "$store"
expect 0 'start' "$helpers/dm-start" home "$origin" "$store"
is "$(volume_size)" $larger 'the size stays'
is "$(differing)" '' 'all are right after stop and start'
is "$(wrong_sizes)" '' 'and so are their sizes'

# What the last small one keeps goes to the other small one; the first large one's, without what was not there.
for id in 3 2; do
	expect 0 "remove $id" "$helpers/dm-remove" home "$store" $id
	unset "taken[$id]" "sizes[$id]"
	is "$(differing)" '' 'the others are right'
	scribble 4
done
is "$(wrong_sizes)" '' 'with their sizes'
take; sizes[$id]=$larger
expect 0 'remove the newest' "$helpers/dm-remove" home "$store" "$id"
unset "taken[$id]" "sizes[$id]"
scribble 4
is "$(differing)" '' 'the others are right'

# Smaller again.
expect 1 'shrinking below a snapshot' resize --shrink --origin $((larger - 512))
like "$(<"$err")" "snapshot [0-9]+ needs $larger bytes" 'is refused and says why'
for id in "${!taken[@]}"; do
	"$helpers/dm-remove" home "$store" "$id"
done
taken=() sizes=()
expect 1 'without a yes' resize --origin $small
like "$(<"$err")" "$((larger - small)) bytes at its end would be cut off; --yes" 'it is refused, too'
exec {open}</dev/mapper/home
expect 3 'and while it is open' resize --shrink --origin $small
exec {open}<&-
is "$(volume_size)" $larger 'nothing has changed'
hash=$(head -c $small /dev/mapper/home | sha256sum)
expect 0 'else it shrinks' resize --shrink --origin $small
is "$(volume_size)" $small 'to the size'
is "$(sha256sum </dev/mapper/home)" "$hash" 'with the content it had'
take; sizes[$id]=$small
scribble 4
expect 0 'and grows' resize --origin $large
expect 0 'and shrinks to what its snapshots need' resize --shrink --origin $small
expect 1 'but no further' resize --shrink --origin $((small - 512))
is "$(volume_size) $(differing)$(wrong_sizes)" "$small " 'with a snapshot on it'
expect 1 'it cannot have more than its device' resize --origin $((larger + 512))
like "$(<"$err")" "'$origin' has $larger bytes, $((larger + 512)) are needed" 'and says what that has'
for size in 0 -1 1000 9999999999999999999999 1M; do
	expect 2 "no size: $size" resize --origin $size
done
is "$(volume_size)" $small 'nothing has changed'
"$helpers/dm-stop" home "$store"
expect 1 'a volume that does not run is not resized' resize --origin $large
done_testing
