#!/bin/bash
# One byte of the record, of an exception table at rest or of a delta is changed: it is noticed, or it does no harm.
# (Data chunks have no check sum of ours: the disks look after those.  The table of a head has none while it grows; what
# bounds and order do not show there is counted apart.)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

flips=500
[[ -z ${ZUMASTOR_LONG-} ]] || flips=100000
seed=${ZUMASTOR_SEED:-$RANDOM}
diag "seed $seed"

# build PROGRAM SOURCE
build() {
	expect 0 "build $1" "${CC:-gcc}" -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I"$top/csrc/lib" -g -O1 \
		-fsanitize=address,undefined -fno-sanitize-recover=all -o "$1" "$top/tests/$1.c" \
		"$top/build/asan/libzumastor.a" -larchive -lnettle -lz
}

build flips
build delta-mutate

# The bits of a small delta, as many as there are left of the total.
zeros $((4 * 4096)) new
random 4096 new
describe "$BASE" $((4 * 4096)) 4096 '0 1' '3 1' >description
expect 0 'pack' "$pack" --compress none new <description
mv "$out" stream
bits=$(($(stat -c %s stream) * 8))
step=$((bits / (flips / 5) + 1))
expect 0 'flip bits of a delta' ./delta-mutate flip $((RANDOM % step)) "$step" stream
deltas=$(fact cases "$out")
wrong=$(fact wrong "$out")

for what in record table; do
	expect 0 "flip bytes of a $what" ./flips "$what" $(((flips - deltas + 1) / 2)) "$seed" "$what"
	wrong=$((wrong + $(fact wrong "$out")))
	flipped=$((${flipped:-deltas} + $(fact cases "$out")))
done
expect 0 'flip bytes of a table without a seal' ./flips head 200 "$seed" head
diag "a head's table, which has no seal: $(tr '\n' ' ' <"$out")"
is "$wrong" 0 "R18 $flipped flips, $wrong unnoticed"
done_testing
