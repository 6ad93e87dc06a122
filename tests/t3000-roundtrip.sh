#!/bin/bash
# What delta-pack took from one device, delta-apply puts on another, with every compression:
# whatever is in it, wherever it is; and nothing else changes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

# The volume ends within a chunk and within a block.
size=$((9 * 1024 * 1024 + 5632))
chunk=16384
chunks=$(((size + chunk - 1) / chunk))

# A new state with all that can happen: noise, text, zeros, and blocks of each within one chunk.
random "$size" new
for at in 0 24576 1048576 $((size - 512)); do
	zeros 4096 new "$at"
done
zeros 3000000 new 2097152
printf 'zumastor %.0s' {1..200000} |
	dd of=new conv=notrunc oflag=seek_bytes seek=6000000 status=none
truncate -s "$size" new
random "$size" old

# patch OLD NEW RANGE... - what applying those ranges must make of OLD
patch() {
	local range first count
	for range in "${@:3}"; do
		read -r first count <<<"$range"
		dd if="$2" of="$1" bs="$chunk" skip="$first" seek="$first" count="$count" \
			conv=notrunc status=none
	done
}

# incremental DESC METHOD RANGE...
incremental() {
	local desc="$1, $2" method=$2
	shift 2
	cp old device
	cp old wanted
	patch wanted new "$@"
	describe "$BASE" "$size" "$chunk" "$@" >description
	expect 0 "pack $desc" "$pack" --compress "$method" new <description
	mv "$out" stream
	expect 0 "apply $desc" "$apply" --volume "$VOLUME" --base "$BASE" device <stream
	same device wanted "content: $desc"
}

random_ranges() {
	local first=$((RANDOM % 4)) count
	ranges=()
	while ((count = RANDOM % $1 + 1, first + count <= chunks)); do
		ranges+=("$first $count")
		first=$((first + count + RANDOM % $2 + 1))
	done
}

for method in none gzip lz4 zstd xz; do
	incremental 'nothing' "$method"
	incremental 'the first chunk' "$method" '0 1'
	incremental 'the last chunk' "$method" "$((chunks - 1)) 1"
	incremental 'the whole volume' "$method" "0 $chunks"
	incremental 'zeros alone' "$method" '130 60'
	random_ranges 2 6
	incremental 'sparse' "$method" "${ranges[@]}"
	random_ranges 60 2
	incremental 'dense' "$method" "${ranges[@]}"

	describe_full "$size" "$chunk" >description
	expect 0 "pack in full, $method" "$pack" --compress "$method" new <description
	mv "$out" stream
	cp old device
	expect 0 "apply in full, $method" "$apply" --base none device <stream
	same device new "content: in full, $method"
	is "$(fact base "$out") $(fact snapshot "$out")" "none $SNAPSHOT" 'it prints whose'
	is "$(fact name "$out") $(fact kinds "$out") $(fact time "$out")" \
		'home hourly,daily 1795000000' 'and what'
done

# A full delta writes what differs, and no more.
expect 0 'a full delta over the same' "$apply" device <stream
is "$(fact written_bytes "$out")" 0 'writes nothing'
random 4096 device 4194304
random 512 device "$((size - 512))"
expect 0 'over two blocks that differ' "$apply" device <stream
is "$(fact written_bytes "$out")" 5632 'it writes those'	# the last block has 1536 bytes
same device new 'and all is the same'

expect 0 '--dry-run needs no device' "$apply" --dry-run <stream
is "$(fact volume "$out") $(fact written_bytes "$out")" "$VOLUME 0" 'and says what it would'
cp old device
expect 0 '--dry-run with a device' "$apply" --dry-run device <stream
is "$(fact written_bytes "$out")" "$size" 'says how much of it differs'
same device old 'and leaves it alone'

# Large and small chunks, a volume smaller than either.
for chunk in 4096 1048576; do
	chunks=$(((size + chunk - 1) / chunk))
	random_ranges 1 3
	incremental "chunks of $chunk" zstd "${ranges[@]}"
done
head -c 512 new >tiny
truncate -s 512 device
describe_full 512 4096 >description
expect 0 'pack a volume of one sector' "$pack" tiny <description
mv "$out" stream
expect 0 'apply it' "$apply" device <stream
same device tiny 'it arrives'
done_testing
