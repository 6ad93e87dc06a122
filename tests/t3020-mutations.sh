#!/bin/bash
# A delta cut at any byte is refused, and so is one with any bit the other way round, unless that
# bit means nothing; nothing is given out before it is verified.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

mutate=$scratch/delta-mutate
expect 0 'build the mutator' "${CC:-gcc}" -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-I"$top/csrc/lib" -g -fsanitize=address,undefined -fno-sanitize-recover=all -o "$mutate" \
	"$top/tests/delta-mutate.c" "$top/build/asan/libzumastor.a" -larchive -lnettle -lz

# Data with a hole before it, zeros, and a last chunk that is no whole block: a small stream of
# everything.
size=$((3 * 4096 + 512))
random "$size" new
zeros 4096 new 4096
describe "$BASE" "$size" 4096 '1 1' '3 1' >description.small
describe "$BASE" "$size" 4096 '0 2' '3 1' >description

# mutations FILE cut|flip STEP DESC
mutations() {
	expect 0 "$4" "$mutate" "$2" $((RANDOM % $3)) "$3" "$1"
	is "$(fact wrong "$out")" 0 'each was refused, or harmless'
	[[ $2 = flip ]] || is "$(fact accepted "$out")" 0 'none was accepted'
}

for method in none gzip lz4 zstd xz; do
	expect 0 "pack, $method" "$pack" --compress "$method" new <description
	mv "$out" stream
	expect 0 "pack less, $method" "$pack" --compress "$method" new <description.small
	mv "$out" stream.small
	mutations stream cut 1 "$method, cut at every byte"
	mutations stream.small cut 1 "$method, the smaller one too"
	step=3
	[[ $method != none ]] || step=1
	mutations stream.small flip "$step" "$method, bits flipped"
done
done_testing
