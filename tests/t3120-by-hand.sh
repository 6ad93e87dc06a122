#!/bin/bash
# The lines of zumastor-delta(5), and nothing of ours: a full delta becomes an image, and increments bring it on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

# The manual's lines, as it shows them.
awk '/begin without an image/ { near = 1 } near && /^\.Bd/ { inside = 1; next } /^\.Ed/ { if (inside) exit } inside' \
	"$top/man/zumastor-delta.5" | sed 's/\\e/\\/g' >script
like "$(<script)" 'tar -xf .*truncate .*dd if=' 'the manual has a script'

size=$((9 * 1024 * 1024 + 512)) grown=$((10 * 1024 * 1024 + 512)) chunk=16384
random "$size" image.1
zeros 3000000 image.1 1000000
zeros 100000 image.1
zeros 512 image.1 $((size - 512))
cp image.1 image.2
random 900000 image.2 1500000
zeros 700000 image.2 6000000
for ((n = 0; n < 40; n++)); do
	zeros 4096 image.2 $((1500000 / 4096 * 4096 + n * 8192))
done
cp image.2 image.3
random $((grown - size)) image.3 "$size"
zeros 300000 image.3 $((grown - 400512))
describe "$BASE" "$size" "$chunk" '91 200' '366 60' >increment
describe "$BASE" "$size" "$chunk" '5 1' >nothing
sed -i '/^5 1$/d' nothing
# From the chunk across the old end on.
describe "$BASE" "$grown" "$chunk" '576 65' >growing
describe_full "$size" "$chunk" >full

# by_hand - what the manual says, of home.delta and home.img.
by_hand() {
	bash -eu script
}

for method in none gzip zstd xz; do
	rm -f home.img
	"$pack" --compress "$method" image.1 <full >home.delta
	expect 0 "a full one, $method" by_hand
	same home.img image.1 'is the image'
	"$pack" --compress "$method" image.2 <increment >home.delta
	expect 0 'an increment' by_hand
	same home.img image.2 'brings it on'
	"$pack" --compress "$method" image.3 <growing >home.delta
	expect 0 'one of a volume that has grown' by_hand
	same home.img image.3 'makes it larger'
done
"$pack" image.1 <nothing >home.delta
cp home.img before
expect 0 'one in which nothing changed' by_hand
truncate -s "$size" before home.img
same home.img before 'changes nothing'
is "$(ls -d parts 2>/dev/null || true)" '' 'nothing is left'
done_testing
