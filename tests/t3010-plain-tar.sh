#!/bin/bash
# A delta is a tar to every tar, and a full one can be turned back into an image with tar and dd
# alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

size=$((12 * 1024 * 1024 + 512))
random "$size" new
zeros 3000000 new 1000000
zeros 100000 new 0
zeros 4096 new 8000000

# With more than one extent in a segment it is sparse, and what is not there costs nothing.
describe "$BASE" "$size" 4096 '0 40' '100 3' '200 200' '3000 73' >description
expect 0 'pack an incremental one' "$pack" --compress none new <description
mv "$out" incremental
describe_full "$size" 4096 >description
expect 0 'pack a full one' "$pack" --compress none new <description
mv "$out" full

names='zumastor/header data/0000000000000000 sum/0000000000000000 zumastor/trailer'
expect 0 'GNU tar lists it' tar -tvf incremental
is "$(cat "$err")" '' 'without a word of complaint'
is "$(awk '{print $NF}' "$out" | xargs)" "$names" 'entry by entry'
if command -v bsdtar >/dev/null; then
	expect 0 'bsdtar lists it' bsdtar -tvf incremental
	is "$(cat "$err")" '' 'nor does bsdtar complain'
	is "$(awk '{print $NF}' "$out" | xargs)" "$names" 'and shows the same'
	expect 0 'and a full one' bsdtar -tvf full
fi
for filter in gzip lz4 zstd xz; do
	expect 0 "pack, $filter" "$pack" --compress "$filter" new <description
	mv "$out" compressed
	expect 0 "tar lists it behind $filter" tar --use-compress-program="$filter" -tf compressed
done

# As the manual page has it.
mkdir parts
expect 0 'tar unpacks a full one' tar -xf full -C parts
truncate -s "$(fact volume_bytes parts/zumastor/header)" image
for part in parts/data/*; do
	dd if="$part" of=image bs=1M oflag=seek_bytes seek=$((16#${part##*/})) \
		conv=notrunc,sparse status=none
done
same image new 'tar and dd make the image of it'

# An incremental one unpacks too; what did not change is a hole, which only its map tells from
# zeros.
mkdir parts.incremental
tar -xf incremental -C parts.incremental
for file in new parts.incremental/data/0000000000000000; do
	dd if="$file" of="range.${file##*/}" bs=4096 skip=200 count=200 status=none
done
same range.new range.0000000000000000 'an incremental one unpacks to what changed'
like "$(cat parts.incremental/sum/0000000000000000)" '^sha256=[0-9a-f]{64}.zero=0 98304.' \
	'the zeros are a line of text'
done_testing
