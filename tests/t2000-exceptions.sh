#!/bin/bash
# Reading exception stores: every entry is bounded, the end is found, the union is right.
. "$(dirname "$0")/lib.sh"

# cow FILE [OLD:NEW...] - a store of 64 chunks of 4 KiB; without entries an empty one.
cow() {
	python3 - "$@" <<-'END'
	import struct, sys
	CHUNK, E = 4096, 256
	data = bytearray(CHUNK * 600)
	struct.pack_into("<4I", data, 0, 0x70416e53, 1, 1, CHUNK // 512)
	for i, entry in enumerate(sys.argv[2:]):
	    old, new = (int(x, 0) for x in entry.split(":"))
	    struct.pack_into("<2Q", data, CHUNK * (1 + i // E * (E + 1)) + i % E * 16, old, new)
	open(sys.argv[1], "wb").write(data)
	END
}

# chunks CODE DESCRIPTION FILE... - list them; the volume has 1000 chunks.
chunks() {
	local code=$1 description=$2
	shift 2
	local -a from=()
	[[ $1 != --from ]] || { from=("$1" "$2"); shift 2; }
	expect "$code" "$description" "$asan/cow-chunks" "${from[@]}" 4096 1000 "$@"
}

a=$scratch/a b=$scratch/b
truncate -s 600K "$scratch/blank"
chunks 0 'a blank store' "$scratch/blank"
is "$(<"$out")" '' 'has no exceptions'
cow "$a"
chunks 0 'an empty store' "$a"
is "$(<"$out")" '' 'has none either'
cow "$a" 5:2 6:3 100:4 7:5
cow "$b" 6:2 101:3 999:4 0:5
chunks 0 'one store' "$a"
is "$(<"$out")" $'5 3\n100 1' 'runs are joined'
chunks 0 'two stores' "$a" "$b"
is "$(<"$out")" $'0 1\n5 3\n100 2\n999 1' 'are united'
chunks 0 'an older snapshot that ended earlier' --from 990 "$a" "$b"
is "$(<"$out")" $'0 1\n5 3\n100 2\n990 10' 'all from its end on has changed'

# A full area goes on in the next: chunk 257 of the store is that area and never data.
entries=() new=2
for ((n = 0; n < 300; n++)); do
	((new != 258)) || new=259
	entries+=("$((n * 3)):$new")
	new=$((new + 1))
done
cow "$a" "${entries[@]}"
chunks 0 'two areas' "$a"
is "$(wc -l <"$out")" 300 'all 300 exceptions are found'

refused() {
	cow "$b" "${@:2}"
	chunks 7 "refused: $1" "$b"
}
refused 'an entry beyond the store' 5:600
refused 'an entry onto the header' 5:0x100000000000000
refused 'an entry onto a metadata area' 5:258
refused 'a chunk beyond the volume' 1000:2
refused 'the same old chunk twice' 5:2 5:3
refused 'the same new chunk twice' 5:2 6:2
refused 'new chunks that fall' 5:3 6:2
refused 'a count in the top bits' 5:0x0100000000000002
printf 'SnAq' | dd of="$a" conv=notrunc status=none
chunks 7 'another magic' "$a"
cow "$a" 5:2
printf '\x02' | dd of="$a" bs=1 seek=8 conv=notrunc status=none
chunks 7 'another version' "$a"
cow "$a" 5:2
printf '\x10' | dd of="$a" bs=1 seek=12 conv=notrunc status=none
chunks 7 'another chunk size' "$a"
cow "$a" 5:2
printf '\0' | dd of="$a" bs=1 seek=4 conv=notrunc status=none
chunks 6 'one that the kernel gave up is a lost snapshot' "$a"
head -c 2048 "$a" >"$b"
chunks 7 'a store that ends in its header' "$b"
chunks 4 'a store that is not there' "$scratch/none"
expect 2 'no arguments' "$asan/cow-chunks"
expect 2 'not a chunk' "$asan/cow-chunks" --from x 4096 1000 "$a"
expect 2 'not a size' "$asan/cow-chunks" 4096x 1000 "$a"

# Rolling back: the volume gets its old chunks again, the short last one too.
cow "$a" 0:2 249:3
for n in 2 3; do
	dd if=/dev/urandom of="$a" bs=4k seek=$n count=1 conv=notrunc status=none
done
truncate -s $((249 * 4096 + 1024)) "$scratch/volume"
expect 0 'roll back' "$asan/cow-rollback" 4096 "$a" "$scratch/volume"
is "$(head -c 4096 "$scratch/volume" | md5sum)" "$(dd if="$a" bs=4k skip=2 count=1 status=none | md5sum)" 'the first chunk is back'
is "$(tail -c 1024 "$scratch/volume" | md5sum)" "$(dd if="$a" bs=4k skip=3 count=1 status=none | head -c 1024 | md5sum)" \
	'and the part of the last that is in the volume'
is "$(stat -c %s "$scratch/volume")" $((249 * 4096 + 1024)) 'which has not grown'
done_testing
