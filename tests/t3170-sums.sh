#!/bin/bash
# Check sums made of a delta as it is applied are those of what is then on the device, whatever it is made of and
# wherever it was cut; and one byte that is not as it was is found, in its block and in no other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

# Its last block is a part of one.
bytes=$((3000 * 1024 + 512))
random $bytes old
zeros 200000 old 1000000
describe_full $bytes 16384 >description
"$pack" old <description >full
: >new
truncate -s $bytes new

# scrub DESC - new is as it was received.
scrub() {
	expect 0 "$1" "$helpers/delta-scrub" table new
	is "$(<"$out")" end 'and nothing differs'
}

expect 0 'apply all' "$apply" --sums next new <full
expect 0 'a table' "$helpers/delta-sums" --fresh table next $bytes
scrub 'all'
is "$(($(stat -c '%s' table)))" $((751 * 4)) 'four bytes for each block'

# Chunks, a part of one that changed, zeros, and the end.
cp old newer
random 4096 newer 32768
zeros 65536 newer 524288
random 600000 newer 1600000
random 512 newer $((bytes - 512))
describe "$BASE" $bytes 16384 '2 1' '32 4' '97 38' '187 1' >description
"$pack" --old old <description newer >increment
"$apply" --base "$BASE" --sums next new <increment >/dev/null
cp table table.base
expect 0 'what changed' "$helpers/delta-sums" table next $bytes
scrub 'what changed'
same new newer 'it is the newer one'
expect 0 'once more, as after a crash' "$helpers/delta-sums" table next $bytes
scrub 'is the same'

# The table is of another size.
expect 7 'another volume' "$helpers/delta-sums" table next $((bytes - 4096))
truncate -s -4 table.base
expect 0 'one that has grown' "$helpers/delta-sums" table.base next $bytes

missed=0
for ((i = 0; i < 50; i++)); do
	at=$(((RANDOM * 32768 + RANDOM) % bytes))
	cp new damaged
	tr '\0-\377' '\1-\377\0' < <(tail -c +$((at + 1)) new | head -c 1) |
		dd of=damaged bs=1 seek=$at conv=notrunc status=none
	"$helpers/delta-scrub" table damaged >found
	[[ $(head -n 1 found) == "differs $((at / 4096 * 4096)) "* && $(wc -l <found) == 2 ]] || missed=$((missed + 1))
done
is "$missed" 0 'each of 50 bytes is found'

expect 0 'record' "$helpers/delta-scrub" --record recorded new
is "$(<"$out")" end 'all of it'
same recorded table 'what is there'
expect 0 'from somewhere' "$helpers/delta-scrub" --from 1048576 --rate 100000000 table damaged
expect 4 'no table' "$helpers/delta-scrub" none new
expect 2 'not from there' "$helpers/delta-scrub" --from 1000 table new
expect 2 'no sums of a dry run' "$apply" --dry-run --sums next new <full
done_testing
