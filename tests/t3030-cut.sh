#!/bin/bash
# Applying a delta that is cut, at or near the end of any block: exit 7, nothing but its ranges
# has changed, and nothing at all before the first segment is there whole.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

# Two segments: the first is full with 1 MiB of data.
size=$((6 * 1024 * 1024))
chunk=65536
random "$size" new
random "$size" old
describe "$BASE" "$size" "$chunk" '2 16' '80 2' >description
expect 0 'pack' "$pack" --compress none new <description
mv "$out" stream
bytes=$(stat -c %s stream)
second=$(grep -abo 'data/0000000000500000' stream | head -n 1 | cut -d: -f1)
like "$second" '^[0-9]+$' 'there is a second segment'

# outside FILE - what the delta says nothing of
outside() {
	dd if="$1" bs="$chunk" count=2 status=none
	dd if="$1" bs="$chunk" skip=18 count=62 status=none
	dd if="$1" bs="$chunk" skip=82 status=none
}

outside old >outside.old
cuts=(1 511 512 513 1024 1025 1536 100000 700000 $((second - 512)))
for ((at = second; at < bytes; at += 512)); do
	((at > second + 8192 && at < bytes - 8192)) || cuts+=($((at - 1)) "$at" $((at + 1)))
done
for cut in "${cuts[@]}"; do
	head -c "$cut" stream >short
	cp old device
	expect 7 "cut at $cut of $bytes" "$apply" --base "$BASE" device <short
	is "$(cat "$out")" '' 'nothing is printed'
	if ((cut < second - 1024)); then
		same device old 'the device is untouched'
	else
		outside device >outside.device
		same outside.device outside.old 'nothing else has changed'
	fi
done
expect 7 'an empty stream' "$apply" --base "$BASE" device </dev/null
like "$(cat "$err")" "^delta-apply: cannot use the stream: .*empty$" 'says so'

# As it is found in practice: the sender dies, and the pipe with it.
from_the_dead() {
	"$apply" --base "$BASE" device < <(head -c 600000 stream; kill -9 "$BASHPID")
}
cp old device
expect 7 'a sender that is killed' from_the_dead
same device old 'leaves all as it was'
expect 0 'the whole one' "$apply" --base "$BASE" device <stream
done_testing
