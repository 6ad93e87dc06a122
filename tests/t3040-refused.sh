#!/bin/bash
# A delta for something else is refused, with the reason and its own exit code, before the device
# is touched.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

other=c0000000-2222-4333-8444-555555555555
size=1048576
random "$size" new
random "$size" old
describe "$BASE" "$size" 16384 '0 64' >description
expect 0 'pack' "$pack" new <description
mv "$out" stream
describe_full "$size" 16384 >description
expect 0 'pack in full' "$pack" new <description
mv "$out" full
cp old device

# refuses CODE DESC MESSAGE ARG... - with the stream on stdin, and leaves the device alone
refuses() {
	local code=$1 desc=$2 message=$3
	shift 3
	expect "$code" "$desc" "$apply" "$@"
	like "$(cat "$err")" "^delta-apply: $message$" 'says why'
	is "$(wc -l <"$err") $(wc -c <"$out")" '1 0' 'in one line'
	same device old 'and leaves the device alone'
}

refuses 6 'another base' \
	"cannot use the stream: it was made on base $BASE, this replica holds $other" \
	--base "$other" device <stream
refuses 6 'a base where there is none' \
	"cannot use the stream: it was made on base $BASE, this replica holds none" \
	--base none device <stream
refuses 6 'no word of what the device holds' '.* this replica holds none' device <stream
refuses 6 'a full delta where a base is' ".* made on base none, .* $BASE" \
	--base "$BASE" device <full
refuses 1 'another volume' "cannot use the stream: it is of volume $VOLUME, not of $other" \
	--volume "$other" --base "$BASE" device <stream
refuses 2 'a base that is no uuid' 'usage: .*' --base newest device <stream
refuses 2 'a volume that is no uuid' 'usage: .*' --volume home device <stream
refuses 2 'no device' 'usage: .*' --base "$BASE" <stream
refuses 2 'two devices' 'usage: .*' --base "$BASE" device device <stream
refuses 2 'an unknown option' 'usage: .*' --force device <stream
refuses 4 'a device that does not exist' "cannot open 'absent': .*" --base "$BASE" absent <stream
refuses 1 'a directory' "cannot open '/': .*" --base "$BASE" / <stream
refuses 1 'a character device' "cannot open '/dev/null': .*" --base "$BASE" /dev/null <stream
refuses 7 'no delta at all' 'cannot use the stream: .*' device <"$top/Makefile"
for bytes in 0 512 $((size - 512)) $((size + 512)); do
	truncate -s "$bytes" sized
	refuses 1 "a device of $bytes bytes" \
		"cannot apply to 'sized': it has $bytes bytes, the volume $size" \
		--base "$BASE" sized <stream
	is "$(stat -c %s sized)" "$bytes" 'nor is that one changed'
done
if command -v script >/dev/null; then
	expect 2 'a stream from a terminal' script -qec "'$apply' '$scratch/device'" /dev/null
fi

# The replica is not where its base says: a delta applied twice is on the wrong base the second
# time.
expect 0 'the right one' "$apply" --volume "$VOLUME" --base "$BASE" device <stream
same device new 'is applied'
cp new old
refuses 6 'the same again' ".* this replica holds $SNAPSHOT" --base "$SNAPSHOT" device <stream
done_testing
