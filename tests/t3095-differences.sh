#!/bin/bash
# Blocks in which little changed are sent as new XOR old.  The reader makes the new content with a snapshot of the base:
# wherever it was cut or killed before, in the middle of a segment, too.  What is not the base is noticed before anything
# is written.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
chunk=16384
size=$((5 * 1024 * 1024 + 5632))	# it ends within a chunk and within a block
chunks=$(((size + chunk - 1) / chunk))
seed=${ZUMASTOR_SEED:-$RANDOM}
RANDOM=$seed

# In a third of the blocks a few bytes differ, in a third all, in a third none.
random "$size" old
zeros 100000 old 700000
cp old new
for ((n = 0; n < size / 4096; n++)); do
	case $((RANDOM % 3)) in
	0)	printf '%s' "$RANDOM" | dd of=new bs=1 seek=$((n * 4096 + RANDOM % 4000)) conv=notrunc status=none ;;
	1)	random 4096 new $((n * 4096)) ;;
	esac
done
printf x | dd of=new bs=1 seek=$((size - 1)) conv=notrunc status=none
describe "$BASE" "$size" "$chunk" "0 $chunks" | sed 's/^chunk_bytes=.*/&\nmode=xor/' >description
diag "seed $seed"

pack_stats() {
	"$pack" --compress "$@" --old old --stats 3 new <description 3>stats >stream
}

for method in gzip lz4 zstd xz; do
	expect 0 "pack, $method" pack_stats "$method"
	is "$(($(fact xor_bytes stats) > size / 4 && $(fact xor_bytes stats) < size / 2))" 1 'a third is differences'
	is "$(($(stat -c %s stream) < size * 2 / 5))" 1 'which are nearly nothing'
	cp old device
	expect 0 "apply, $method" "$apply" --base "$BASE" --old old device <stream
	same device new "content: $method"
	is "$(fact data_bytes "$out")" "$(fact data_bytes stats)" 'both count alike'
done
expect 0 'without compression' pack_stats none
is "$(fact xor_bytes stats)" 0 'they are no use'
expect 0 'or without the old content' "$pack" --compress zstd new <description
tar --use-compress-program=zstd -xOf "$out" zumastor/header >header
is "$(fact mode header)" raw 'there are none'

# Refused before anything is written.
expect 0 'pack' pack_stats zstd
cp old device
expect 2 'not without the old content' "$apply" --base "$BASE" device <stream
same device old 'nothing is written'
describe_full "$size" "$chunk" | sed 's/^chunk_bytes=.*/&\nmode=xor/' >full
expect 7 'not in a full delta' "$pack" --old old new <full
cp old other
for ((n = 0; n < size / 4096; n++)); do
	random 1 other $((n * 4096))
done
cp old device
expect 7 'another base' "$apply" --base "$BASE" --old other device <stream
like "$(<"$err")" 'digest does not match' 'does not match'
same device old 'and nothing is written'
truncate -s 8192 other
expect 7 'a base that is too short' "$apply" --base "$BASE" --old other device <stream
same device old 'the same'
expect 4 'no base' "$apply" --base "$BASE" --old none device <stream
expect 0 '--dry-run verifies' "$apply" --dry-run --old old <stream

# Cut anywhere, killed anywhere: what was applied by half comes again.
expect 0 'pack' pack_stats lz4
wrong=0 cuts=$(long_or 500 12)
for ((n = 0; n < cuts; n++)); do
	rm -f quick durable
	cp old device
	head -c $((RANDOM * 32768 % $(stat -c %s stream) + RANDOM % 1000)) stream |
		"$apply" --base "$BASE" --old old --progress quick --durable durable device >/dev/null 2>&1 || true
	from=0
	[[ ! -e quick ]] || from=$(fact offset quick)
	from=${from:-0}
	# A part of the next segment was written, in any order.
	for ((block = from / 4096; block < from / 4096 + 300 && block < size / 4096; block += 1 + RANDOM % 40)); do
		dd if=new of=device bs=4K skip="$block" seek="$block" count=2 conv=notrunc status=none
	done
	sed "s/^chunk_bytes=.*/&\nmust-resume=$from/" description >rest.description
	"$pack" --compress lz4 --old old new <rest.description >rest
	"$apply" --base "$BASE" --old old --resume "$SNAPSHOT:$from" --progress quick --durable durable device \
		<rest >/dev/null 2>"$err" || diag "from $from: $(<"$err")"
	cmp -s device new || wrong=$((wrong + 1))
done
is "$wrong" 0 "$cuts times it goes on, and is right"

# Without a snapshot it would not: the device itself is no base any more.
cp new device
expect 7 'the device is no base' "$apply" --base "$BASE" --old device device <stream
done_testing
