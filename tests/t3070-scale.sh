#!/bin/bash
# A volume of 1 TiB costs no more memory than a small one, reading no more than what changed, and
# zeros cost nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

# AddressSanitizer's memory is not ours.
pack=$top/build/plain/bin/delta-pack
apply=$top/build/plain/bin/delta-apply
[[ -x /usr/bin/time ]] || skip_all 'no /usr/bin/time'
size=$((1 << 40))
truncate -s "$size" new || skip_all 'this filesystem has no large files'

# measure DESC CMD... - it passes; the most memory it took, in KiB, is in $peak
measure() {
	local desc=$1
	shift
	expect 0 "$desc" /usr/bin/time -o time -f %M "$@"
	peak=$(cat time)
	is "$((peak <= 65536))" 1 "in $((peak / 1024)) MiB"
}

# 1000 single chunks and some long runs, all over the volume; the same data in each.
chunk=16384
random $((4 << 20)) noise
changed=0
ranges=()
for ((at = 7; at < size / chunk; at += 67109)); do
	count=$((at % 50 == 0 ? 64 : 1))
	dd if=noise of=new bs="$chunk" seek="$at" count="$count" conv=notrunc status=none
	ranges+=("$at $count")
	changed=$((changed + count * chunk))
done
describe "$BASE" "$size" "$chunk" "${ranges[@]}" >description
for method in none zstd xz; do
	measure "pack ${#ranges[@]} ranges of 1 TiB, $method" \
		"$pack" --compress "$method" --stats 3 new <description 3>stats
	mv "$out" stream
	is "$(fact read_bytes stats) $(fact data_bytes stats)" "$changed $changed" \
		'only what changed was read'
	truncate -s "$size" device
	measure "apply them, $method" "$apply" --base "$BASE" device <stream
	is "$(fact written_bytes "$out")" "$changed" 'only what changed was written'
	for at in 7 67116 $((7 + 67109 * 998)); do
		for side in new device; do
			dd if="$side" of="chunk.$side" bs="$chunk" skip="$at" count=1 status=none
		done
		same chunk.device chunk.new "chunk $at is there"
	done
	rm device
done
describe "$BASE" "$size" "$chunk" "${ranges[@]}" >description
expect 0 'pack plainly' "$pack" --compress none new <description
is "$(($(stat -c %s "$out") * 100 <= changed * 102))" 1 'the container costs less than 2 %'

# Every second block of 4 KiB: as many extents as there can be.
blocks=()
for ((at = 0; at < 20000; at += 2)); do
	blocks+=("$at 1")
done
random $((80 << 20)) dense
describe "$BASE" $((80 << 20)) 4096 "${blocks[@]}" >description
measure 'pack 10000 extents' "$pack" --compress none dense <description
mv "$out" stream
is "$(($(stat -c %s stream) <= 40960000 * 102 / 100))" 1 'the container costs less than 2 %'
truncate -s $((80 << 20)) device
measure 'apply them' "$apply" --base "$BASE" device <stream

# 200 MiB that became zero, with data at both ends.
truncate -s $((200 << 20)) zeros
random 4096 zeros
random 4096 zeros $((100 << 20))
describe "$BASE" $((200 << 20)) "$chunk" '0 12800' >description
for method in none zstd; do
	expect 0 "pack 200 MiB of zeros, $method" "$pack" --compress "$method" zeros <description
	is "$(($(stat -c %s "$out") <= 16384))" 1 'they cost nothing'
done
describe_full $((200 << 20)) "$chunk" >description
expect 0 'pack them in full' "$pack" --compress none zeros <description
is "$(($(stat -c %s "$out") <= 16384))" 1 'nor then'
done_testing
