#!/bin/bash
# R19, the programs: a delta that is cut at any byte, or whose reader is killed, goes on behind the last whole segment:
# the device is right, and no more than a segment is sent again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
size=$((9 * 1024 * 1024 + 512)) chunk=65536
other=5a111111-2222-4333-8444-555555555555
seed=${ZUMASTOR_SEED:-$RANDOM}
RANDOM=$seed
random "$size" new
zeros $((1024 * 1024)) new 2000000
random "$size" old
ranges=('0 20' '25 40' '70 30' '110 35')
describe "$BASE" "$size" "$chunk" "${ranges[@]}" >incremental
describe_full "$size" "$chunk" >full

# The device as the incremental makes it.
expect 0 'pack' "$pack" --compress none new <incremental
cp "$out" stream.incremental
expect 0 'pack in full' "$pack" --compress none new <full
cp "$out" stream.full
cp old wanted.incremental
expect 0 'apply' "$apply" --base "$BASE" wanted.incremental <stream.incremental
cp new wanted.full

# at DESCRIPTION OFFSET - the same, from there on.
at() {
	sed "s/^chunk_bytes=.*/&\nmust-resume=$2/" "$1"
}

# offset FILE - what it tells, 0 where there is none.
offset() {
	[[ ! -e $1 ]] || fact offset "$1"
}

base_of() {
	case $1 in
	full)	echo none ;;
	*)	echo "$BASE" ;;
	esac
}

# go_on KIND - from where the files say; adds to wrong.
go_on() {
	local kind=$1 from
	from=$(offset quick)
	from=${from:-0}
	[[ $(offset durable) == "$(offset quick)" ]] || wrong+=("the files differ")
	if ((from == 0)); then
		"$pack" --compress none new <"$kind" >rest
	else
		at "$kind" "$from" | "$pack" --compress none new >rest
	fi || wrong+=("cannot pack from $from")
	"$apply" --base "$(base_of "$kind")" --resume "$SNAPSHOT:$from" --progress quick --durable durable device \
		<rest >/dev/null || wrong+=("cannot go on from $from")
	cmp -s device "wanted.$kind" || wrong+=("device differs after $from")
}

# cut KIND BYTES
cut_at() {
	local kind=$1 bytes=$2 code=0 again
	rm -f quick durable
	cp old device
	head -c "$bytes" "stream.$kind" |
		"$apply" --base "$(base_of "$kind")" --progress quick --durable durable device >/dev/null 2>&1 || code=$?
	((code == 7)) || wrong+=("exit $code after $bytes bytes")
	go_on "$kind"
	again=$((bytes + $(stat -c %s rest) - $(stat -c %s "stream.$kind")))
	((again <= most_again)) || most_again=$again
}

wrong=() most_again=0
cuts=$(long_or 1000 40)
for ((n = 0; n < cuts; n++)); do
	kind=incremental
	((n % 4)) || kind=full
	cut_at "$kind" $(((RANDOM * 32768 + RANDOM) % ($(stat -c %s "stream.$kind") - 1) + 1))
done
diag "seed $seed; at most $most_again bytes again; ${wrong[*]-}"
is "$((most_again <= (1 << 20) + 65536))" 1 'no more than 1 MiB, and what is around it, is sent again'
score R19 "$cuts" cuts "${#wrong[@]}" 'not equal'

# Killed in the middle: what it had written stays, and what it says is true.
wrong=()
for kind in incremental full; do
	rm -f quick durable
	cp old device
	mkfifo pipe
	"$apply" --base "$(base_of "$kind")" --progress quick --durable durable device <pipe >/dev/null 2>&1 &
	pid=$!
	exec 7>pipe
	head -c 5000000 "stream.$kind" >&7
	for ((n = 0; n < 500; n++)); do
		[[ ! -e quick || $(offset quick) -lt 3000000 ]] || break
		sleep 0.01
	done
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || true
	exec 7>&-
	rm pipe
	cp quick durable
	is "$(($(offset quick) >= 3000000))" 1 "$kind: killed, it has noted most of it"
	go_on "$kind"
done
is "${wrong[*]-}" '' 'and the rest makes it whole'

# What does not fit is refused before anything is written.
at incremental 4194304 | "$pack" --compress none new >rest
cp old device
for resume in "$SNAPSHOT:0" "$SNAPSHOT:4190208" "$other:4194304"; do
	expect 6 "goes on elsewhere than at $resume" "$apply" --base "$BASE" --resume "$resume" device <rest
done
expect 6 'begins at the beginning' "$apply" --base "$BASE" device <rest
expect 6 'is expected to' "$apply" --base "$BASE" --resume "$SNAPSHOT:4194304" device <stream.incremental
expect 6 'of another base' "$apply" --base "$other" --resume "$SNAPSHOT:4194304" device <rest
same device old 'nothing was written'
for bad in "$SNAPSHOT" "$SNAPSHOT:" "$SNAPSHOT:x" "x:0" "${SNAPSHOT:1}:0"; do
	expect 2 "--resume $bad" "$apply" --resume "$bad" device <rest
done
expect 2 'one of two files' "$apply" --progress quick device <rest
for bad in 100 $((size + 4096)) 18446744073709551616; do
	at incremental "$bad" >description
	expect 7 "from byte $bad on" "$pack" --compress none new <description
done
at incremental "$size" >description
expect 0 'nothing is left' "$pack" --compress none new <description
cp "$out" rest
expect 0 'is a stream, too' "$apply" --base "$BASE" --resume "$SNAPSHOT:$size" device <rest
same device old 'that changes nothing'

# A sector that a crash has torn anywhere tells what was there before, or what was to be there, or nothing.
. "$top/share/lib/check.sh"
. "$top/share/lib/replica.sh"
tell() {
	local text
	printf -v text 'base=%s\nsnapshot=%s\noffset=%s\nagain=%s\n' "$BASE" "$SNAPSHOT" "$1" "$1"
	{ printf '%s' "$text" && head -c $((512 - ${#text})) /dev/zero | tr '\0' '\n'; } >"$2"
}
wrong=()
for pair in '4096 8192' '999424 1048576' '1048576 2097152' '9999998976 10000003072' ' 4096'; do
	tell "${pair% *}" before
	[[ -n ${pair% *} ]] || head -c 512 /dev/zero | tr '\0' '\n' >before
	tell "${pair#* }" after
	for ((n = 0; n < 180; n++)); do
		{ head -c "$n" after; tail -c +$((n + 1)) before; } >torn
		replica_told torn
		[[ ${REPLIES[2]-} == "${pair% *}" || ${REPLIES[2]-} == "${pair#* }" || ${#REPLIES[@]} == 0 ]] ||
			wrong+=("$pair torn behind byte $n: ${REPLIES[*]}")
	done
done
tell 8192 after
replica_told after
is "${REPLIES[*]}" "$BASE $SNAPSHOT 8192" 'a whole one is read'
is "${wrong[*]-}" '' 'a torn one never tells more than was written'
done_testing
