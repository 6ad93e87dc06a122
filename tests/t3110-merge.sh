#!/bin/bash
# Deltas that follow one another, made into one: it does what they did one after the other, and what does not follow is
# refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
merge=$helpers/delta-merge
show=$helpers/delta-show
plain=${ZUMASTOR_HELPERS:-$top/build/plain/bin}
cd "$scratch"
seed=${ZUMASTOR_SEED:-$RANDOM}
RANDOM=$seed
size=$((6 * 1024 * 1024 + 512)) chunk=8192

uuid() {
	printf '%08x-2222-4333-8444-555555555555' "$1"
}

# change N - image N of image N-1, and the ranges that differ.
change() {
	local n=$1 at=0 count first
	cp "image.$((n - 1))" "image.$n"
	: >"ranges.$n"
	while :; do
		first=$((at + RANDOM % 60)) count=$((RANDOM % 12 + 1))
		at=$((first + count))
		((at <= size / chunk)) || break
		printf '%d %d\n' "$first" "$count" >>"ranges.$n"
		case $((RANDOM % 4)) in
		0)	zeros $((count * chunk)) "image.$n" $((first * chunk)) ;;
		1)	zeros 4096 "image.$n" $((first * chunk + 4096)) ;;
		*)	random $((count * chunk)) "image.$n" $((first * chunk)) ;;
		esac
	done
}

# pack_step BASE N METHOD [BYTES [RANGE...]] - delta N, on BASE or in full.
pack_step() {
	local base=none bytes=${4:-$size}
	local -a ranges=("${@:5}")
	[[ $1 == full ]] || base=$(uuid "$1")
	((${#ranges[@]})) || mapfile -t ranges <"ranges.$2"
	[[ $1 != full ]] || ranges=("0 $(((bytes + chunk - 1) / chunk))")
	describe "$base" "$bytes" "$chunk" "${ranges[@]}" | sed "s/^snapshot=.*/snapshot=$(uuid "$2")/" |
		"$pack" --compress "$3" "image.$2" >"delta.$1.$2"
}

: >ranges.0
random "$size" image.0
zeros 1000000 image.0 2000000
methods=(none gzip lz4 zstd xz)
steps=5
for ((n = 1; n <= steps; n++)); do
	change "$n"
	pack_step $((n - 1)) "$n" "${methods[n - 1]}"
done
pack_step full 0 zstd
chain=(delta.?.[1-5])
diag "seed $seed"

expect 0 'two increments' "$merge" delta.0.1 delta.1.2
cp "$out" merged
expect 0 'are one' "$show" <merged
is "$(fact base "$out") $(fact snapshot "$out")" "$(uuid 0) $(uuid 2)" 'from the first base to the last snapshot'
cp image.0 device
expect 0 'it can be applied' "$apply" --base "$(uuid 0)" device <merged
same device image.2 'and does what they did'

expect 0 'five, each compressed in another way' "$merge" --compress none "${chain[@]}"
cp "$out" merged.5
cp image.0 device
expect 0 'are one, too' "$apply" --base "$(uuid 0)" device <merged.5
same device image.5 'and do the same'
is "$(($(stat -c %s merged.5) < 7000000))" 1 'nothing is in it twice'
expect 0 'merged of what was merged' "$merge" merged delta.2.3 delta.3.4 delta.4.5
cp "$out" merged.5
cp image.0 device
expect 0 'it can be applied' "$apply" --base "$(uuid 0)" device <merged.5
same device image.5 'and does the same'

expect 0 'a full one and all increments' "$merge" delta.full.0 "${chain[@]}"
cp "$out" merged.full
random "$size" device
expect 0 'are a full one' "$apply" device <merged.full
same device image.5 'of the last snapshot'

for method in gzip lz4 zstd:19 xz:6; do
	expect 0 "compressed by $method, without any rights" "$plain/delta-merge" --compress "$method" delta.0.1 delta.1.2
	cp "$out" merged
	cp image.0 device
	expect 0 'it can be applied' "$apply" --base "$(uuid 0)" device <merged
	same device image.2 'and does what they did'
done

# More extents than fit a segment, of both kinds, interleaved and overlaid.
many=$((24 * 1024 * 1024 / 4096))
chunk=4096 size=$((24 * 1024 * 1024))
zeros "$size" image.10
random "$size" image.11
random "$size" image.12
zeros $((size / 2)) image.12
mapfile -t some < <(seq 0 2 $((many - 1)) | sed 's/$/ 1/')
pack_step 10 11 none "$size" "${some[@]}"
mapfile -t some < <(seq 0 3 $((many - 1)) | sed 's/$/ 1/')
pack_step 11 12 none "$size" "${some[@]}"
expect 0 'thousands of extents' "$merge" delta.10.11 delta.11.12
cp image.10 device
cp image.10 wanted
cp "$out" merged.many
"$apply" --base "$(uuid 10)" wanted <delta.10.11 >/dev/null
"$apply" --base "$(uuid 11)" wanted <delta.11.12 >/dev/null
expect 0 'can be applied' "$apply" --base "$(uuid 10)" device <merged.many
same device wanted 'and do the same'

# A volume that has grown: the block across its old end is in the increment that says so.
chunk=8192 size=$((6 * 1024 * 1024 + 512)) grown=$((6 * 1024 * 1024 + 9 * 4096 + 1024))
cp image.5 image.6
random $((grown - size)) image.6 "$size"
pack_step 5 6 zstd "$grown" '3 2' '768 5'
expect 0 'grown' "$merge" delta.full.0 "${chain[@]}" delta.5.6
cp "$out" merged.grown
rm device
random "$grown" device
expect 0 'can be applied' "$apply" device <merged.grown
same device image.6 'and is as large as the last'

# What does not follow.
pack_step 0 2 none
sed "s/^volume=.*/volume=$BASE/" <(describe "$(uuid 1)" "$size" "$chunk" '0 1') | "$pack" image.1 >delta.other
sed "s/^chunk_bytes=.*/&\nmust-resume=4096/" <(describe "$(uuid 1)" "$size" "$chunk" '1 1') | "$pack" image.1 >delta.rest
head -c 20000 delta.1.2 >delta.cut
head -c $(($(stat -c %s delta.full.0) - 100)) delta.full.0 >delta.cut.late
refuse() {
	local code=$1 regex=$2
	shift 2
	expect "$code" "refused: $*" "$merge" "$@"
	like "$(<"$err")" "^delta-merge: .*$regex" "$regex"
	cp "$out" unfinished
	expect 7 'there is no whole stream' "$apply" --dry-run <unfinished
}
refuse 6 'its base is ' delta.1.2 delta.0.1
refuse 6 'its base is ' delta.0.1 delta.2.3
refuse 6 'its base is ' delta.0.1 delta.0.2
refuse 6 'its base is none' delta.0.1 delta.full.0
refuse 6 'the rest of a stream' delta.0.1 delta.rest
refuse 1 'it is of volume' delta.0.1 delta.other
describe "$(uuid 6)" "$size" "$chunk" '0 1' | "$pack" image.1 >delta.smaller
refuse 1 'of a smaller volume' delta.5.6 delta.smaller
refuse 7 'ends|cut|runcated' delta.0.1 delta.cut
refuse 7 'ends|cut|runcated' delta.cut.late delta.0.1
refuse 4 'No such file' delta.0.1 delta.none
refuse 2 'usage' delta.0.1
refuse 2 'usage' --compress lzma delta.0.1 delta.1.2
if [[ -w /dev/full ]]; then
	expect 1 'a full disk' sh -c "$merge delta.0.1 delta.1.2 >/dev/full"
	like "$(<"$err")" "^delta-merge: cannot write the stream: No space left on device$" 'has its name'
fi

# Memory: of each input a segment and a window, and no more for larger ones.
memory=$({ /usr/bin/time -f %M "$plain/delta-merge" delta.full.0 "${chain[@]}" delta.5.6 >/dev/null; } 2>&1 | tail -n 1)
diag "seven merged in $memory KiB"
is "$((memory < 96 * 1024))" 1 'seven need less than 96 MiB'
done_testing
