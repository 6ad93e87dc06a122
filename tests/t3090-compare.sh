#!/bin/bash
# What is equal in chunks that changed is not sent, and the device is right all the same: whatever is equal, wherever the
# base ends, from wherever it goes on.  With --compare auto the base is read only for as long as that pays.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
chunk=16384
size=$((6 * 1024 * 1024 + 5632))	# it ends within a chunk and within a block
chunks=$(((size + chunk - 1) / chunk))
seed=${ZUMASTOR_SEED:-$RANDOM}
RANDOM=$seed

# pack_stats OPTION... - pack description to stream, and leave stats.
pack_stats() {
	"$pack" --compress none --stats 3 "$@" new <description 3>stats >stream
}

# compared DESC [OPTION...] - the device becomes new, and of the base only what is equal was spared.
compared() {
	local desc=$1
	shift
	expect 0 "pack: $desc" pack_stats "$@"
	cp old device
	expect 0 "apply: $desc" "$apply" --base "$BASE" device <stream
	same device new "content: $desc"
}

# One block in each chunk, for some of them two, or none; some become zero, some were.
random "$size" old
zeros 200000 old 1000000
cp old new
differ=0 zero=0
for ((n = 0; n < chunks - 1; n++)); do
	case $((RANDOM % 4)) in
	0)	random 4096 new $((n * chunk + RANDOM % 4 * 4096))
		differ=$((differ + 4096)) ;;
	1)	random 8192 new $((n * chunk + 4096))
		differ=$((differ + 8192)) ;;
	2)	cmp -s -n 4096 -i $((n * chunk)) old /dev/zero || zero=$((zero + 4096))
		zeros 4096 new $((n * chunk)) ;;
	esac
done
random 512 new $((size - 512))
differ=$((differ + size % 4096))
diag "seed $seed"
describe "$BASE" "$size" "$chunk" "0 $chunks" >description
compared 'without a base'
is "$(fact compared_bytes stats) $(fact equal_bytes stats)" '0 0' 'nothing is compared'
compared 'compared' --old old
is "$(fact data_bytes stats) $(fact zero_bytes stats)" "$differ $zero" 'what differs is sent'
is "$(($(fact equal_bytes stats) + differ + zero)) $(fact compared_bytes stats)" "$size $size" 'and what is equal is not'
compared 'where it pays' --old old --compare auto
is "$(fact data_bytes stats)" "$differ" 'that is so, too'
cp old was
for ((n = 0; n < $(long_or 200 10); n++)); do
	at=$((RANDOM % (size / 4096) * 4096))
	sed "s/^chunk_bytes=.*/&\nmust-resume=$at/" description |
		"$pack" --compress none --old old new >rest || fail "pack from $at on"
	cp old device
	head -c "$at" new | dd of=device conv=notrunc status=none bs=64K
	"$apply" --base "$BASE" --resume "$SNAPSHOT:$at" device <rest >/dev/null || fail "apply from $at on"
	cmp -s device new || fail "content from $at on"
done
pass 'it goes on anywhere'

# All of it equal: nothing is in it.
cp old new
compared 'nothing differs' --old old
is "$(fact segments stats)" 0 'nothing is sent'

# The base is shorter: the volume has grown since.
for end in $((size / 2 / 4096 * 4096)) $((size / 2 / 512 * 512 + 512)) 0; do
	head -c "$end" was >old
	cp was new
	expect 0 "a base that ends at $end" pack_stats --old old
	is "$(fact equal_bytes stats)" "$((end / 4096 * 4096))" 'is compared so far'
	cp was device
	random $((size - end)) device "$end"
	expect 0 'it applies' "$apply" --base "$BASE" device <stream
	same device new 'and all behind it comes'
done

# Noise on noise: it does not pay.  Then much is equal, and it does.
size=$((64 << 20)) chunk=65536
describe "$BASE" "$size" "$chunk" "0 $((size / chunk))" >description
random "$size" old
random $((size / 2)) new
tail -c +$((size / 2 + 1)) old >>new
compared 'half of it equal' --old old --compare auto
is "$(($(fact compared_bytes stats) < size * 3 / 4))" 1 'what does not pay is looked at now and then'
is "$(($(fact equal_bytes stats) > size * 3 / 8))" 1 'what does is found'
is "$(fact read_bytes stats)" "$size" 'each is read once'

# So much equal that the reader would hear nothing for long: a block of it comes.
rm old new
truncate -s 300M old new
describe "$BASE" $((300 << 20)) 1048576 "0 300" >description
expect 0 'much that is equal' pack_stats --old old
is "$(fact zero_bytes stats) $(fact segments stats)" '4096 1' 'is heard of'

# A full delta has no base.
head -c $((4 << 20)) was >new
describe_full $((4 << 20)) 65536 >description
expect 0 'a full delta' pack_stats --old new
is "$(fact compared_bytes stats) $(($(fact data_bytes stats) > 0))" '0 1' 'is not compared'

describe "$BASE" $((4 << 20)) 65536 '0 64' >description
expect 4 'a base that does not exist' "$pack" --old none new <description
expect 2 'no such way to compare' "$pack" --old old --compare no new <description
done_testing
