#!/bin/bash
# R24: senders that stall, trickle or send bombs: given up in the time they are given, with no more memory than any other, and
# what came before is kept to go on from.  Ten ways in turn, more often in the long run.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
plain=$top/build/plain/bin
apply=$plain/delta-apply
limit=2
size=$((4 << 20))
random $size new
describe_full $size 65536 >description
expect 0 'pack' "$plain/delta-pack" --compress none new <description
mv "$out" stream
tail -c +1500001 stream >end
expect 0 'forge' "$top/tests/delta-forge" forged
for bomb in map-bomb pax-bomb padded-entries endless-padding; do
	zstd -qc "forged/bad/$bomb" >"$bomb.zst"
done
head -c 300M /dev/zero | zstd -qc >zeros.zst
head -c 1M /dev/urandom | zstd -q --ultra -22 --long=27 -c >window.zst

# hang - say nothing more, until the other side has hung up.
hang() {
	while printf '' && kill -0 "$reader" 2>/dev/null; do read -r -t 0.1 <> <(:) || true; done
}

# trickle FILE - a byte now and then.
trickle() {
	local n
	for ((n = 0; n < 3000; n++)); do
		dd if="$1" bs=1 skip="$n" count=1 status=none || return 0
		read -r -t 0.1 <> <(:) || kill -0 "$reader" 2>/dev/null || return 0
	done
}

# sender NUMBER - one that does not mean well; bombs end by themselves.
sender() {
	case $(($1 % 10)) in
	0)	hang ;;
	1)	head -c 100 stream
		hang ;;
	2)	head -c $((RANDOM * 100)) stream
		hang ;;
	3)	trickle stream ;;
	4)	head -c 1500000 stream
		trickle end ;;
	5)	cat map-bomb.zst ;;
	6)	cat pax-bomb.zst window.zst ;;
	7)	cat padded-entries.zst ;;
	8)	cat zeros.zst ;;
	9)	cat endless-padding.zst ;;
	esac
}

# meet NUMBER - adds to wrong.
meet() {
	local code=0 want=1 peak bytes=$size
	(($1 % 10 < 5)) || want=7 bytes=65536
	rm -f quick durable device pipe
	truncate -s $bytes device
	mkfifo pipe
	/usr/bin/time -f 'peak=%M' -o peak timeout 120 "$apply" --base "$( ((bytes == size)) && echo none || echo "$BASE")" \
		--progress quick --durable durable --patience $limit device <pipe >/dev/null 2>said &
	reader=$!
	(exec >pipe; sender "$1") 2>/dev/null || true
	wait "$reader" || code=$?
	((code == want)) || wrong+=("$1: exit $code: $(<said)")
	((want == 7)) || grep -q 'the other side was silent for too long' said || wrong+=("$1: $(<said)")
	peak=$(sed -n 's/^peak=//p' peak)
	((peak <= 65536)) || wrong+=("$1: $peak KiB")
	((peak <= most)) || most=$peak
}

wrong=() most=0
count=$(long_or 200 10)
for ((n = 0; n < count; n++)); do
	meet "$n"
done
diag "at most $most KiB; ${wrong[*]-}"
score R24 "$count" peers "${#wrong[@]}" 'not given up, or too large'

# One that is slow, but comes: waiting is not counted over what came.
truncate -s $size device
expect 0 'a slow one' "$apply" --patience 1 device < <(for ((n = 0; n < 16; n++)); do
	dd if=stream bs=280000 skip="$n" count=1 status=none
	read -r -t 0.2 <> <(:) || true
done)

# The other way round: a reader that is there and takes nothing, and one that is slow.
mkfifo stuck
exec {held}<>stuck
# shellcheck disable=SC2016 # expanded by that shell
expect 1 'a reader that takes nothing' timeout 60 bash -c '"$@" <description >stuck' - \
	"$plain/delta-pack" --compress none --patience 1 new
is "$(<"$err")" 'delta-pack: nothing of the stream is taken any more' 'is given up'
exec {held}>&-
"$plain/delta-pack" --compress none --patience 1 new <description | pv -q -L 2M >copy
is "${PIPESTATUS[0]} $(cmp copy stream)" '0 ' 'a slow one has all of it'
done_testing
