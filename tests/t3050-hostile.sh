#!/bin/bash
# Streams made by somebody who means harm, digests and all: exit 7 and one clean line, no crash,
# no more memory than any other, and what was written is inside the volume, behind its digest.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"

plain=$top/build/plain/bin/delta-apply
expect 0 'forge' "$top/tests/delta-forge" forged
head -c 65536 /dev/zero | tr '\0' q >old

# The forger knows the format: what is right passes.
for stream in forged/good/*; do
	cp old device
	expect 0 "right: ${stream##*/}" "$apply" --base "$BASE" --old old device <"$stream"
done

for stream in forged/bad/*; do
	where=(--base "$BASE" --old old device)
	case ${stream##*/} in
	zero-in-full) where=(device) ;;
	many-extents | large-segment) where=(--dry-run) ;;	# they need a larger volume
	esac
	cp old device
	expect 7 "wrong: ${stream##*/}" "$apply" "${where[@]}" <"$stream"
	like "$(cat "$err")" '^delta-apply: cannot use the stream: [ -~]+$' 'one clean line'
	is "$(stat -c %s device)$(tr -d 'qabcm\0' <device)" 65536 'nothing strange was written'
done

# Nothing may follow, behind the compression either; what others compressed is as good as ours.
for filter in gzip lz4 zstd xz; do
	"$filter" -qc <forged/good/plain >stream
	cp old device
	expect 0 "$filter: a stream" "$apply" --base "$BASE" device <stream
	printf x | cat stream - >longer
	expect 7 "$filter: a byte behind it" "$apply" --base "$BASE" device <longer
	cat stream stream >longer
	expect 7 "$filter: another behind it" "$apply" --base "$BASE" device <longer
done

# A map may not take what it likes, even where there is memory for it.
expect 7 'an endless map' "$apply" --dry-run <forged/bad/map-bomb
like "$(cat "$err")" 'an entry is too large$' 'is given up early'

# Streams that unpack into far more than they are, or ask for far more than they need.
hold() {
	expect 7 "$1" /usr/bin/time -f 'peak=%M' "$plain" --dry-run <stream
	like "$(tail -n 1 "$err")" '^peak=[0-4]?[0-9]{1,4}$' 'in less than 50 MB'
}
if [[ ! -x /usr/bin/time || ! -x $plain ]]; then
	done_testing
	exit
fi
for bomb in map-bomb pax-bomb endless-padding; do
	zstd -qc "forged/bad/$bomb" >stream
	hold "$bomb, packed"
done
head -c 300M /dev/zero | zstd -qc >stream
hold 'nothing but zeros'
head -c 1M /dev/urandom | xz -9c >stream
hold 'an xz dictionary of 64 MiB'
head -c 1M /dev/urandom | zstd -q --ultra -22 --long=27 -c >stream
hold 'a zstd window of 128 MiB'
zstd -qc stream | gzip -c >stream.nested
mv stream.nested stream
hold 'one inside the other'
done_testing
