#!/bin/bash
# lab: --disk 8M --disk 32M --timeout 600
# R22: an archive of another base, played again, out of order, of another volume or size: refused before the first write.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/delta.sh"
helpers=/usr/libexec/zumastor
pack=$helpers/delta-pack
cd "$scratch"
size=$((8 * 1024 * 1024)) chunk=16384
other=22222222-2222-4333-8444-555555555555
seed=${ZUMASTOR_SEED:-$RANDOM}
RANDOM=$seed

uuid() {
	printf '%08x-2222-4333-8444-555555555555' "$1"
}

# make N BASE [SED] - archive N, on the snapshot of BASE or in full, its description edited.
make() {
	local n=$1 base=none
	local -a ranges=("$((RANDOM % 200)) $((RANDOM % 300 + 1))")
	[[ $2 == full ]] || base=$(uuid "$2")
	[[ $2 != full ]] || ranges=("0 $((size / chunk))")
	describe "$base" "$size" "$chunk" "${ranges[@]}" |
		sed "s/^snapshot=.*/snapshot=$(uuid "$n")/; ${3-}" | "$pack" --compress gzip image
}

# state - all that a refused import must leave.
state() {
	z list copy -H -o id,uuid
	dd if=/dev/mapper/copy bs=1M iflag=direct status=none | sha256sum
	grep copy /proc/mounts || true
	cat /var/lib/zumastor/volumes/copy/source/{host,uuid} 2>/dev/null || true
}

random "$size" image
z define volume copy "$DEV1NAME" "$DEV2NAME" >/dev/null
z define source copy archive --yes >/dev/null
for n in 1 2 3 4 5; do
	random 3000000 image $((n * 1000000))
	make "$n" $((n - 1)) >step.$n
done
make 0 full >step.0
random "$size" image
make 9 4 "s/^volume=.*/volume=$other/" >volume
make 9 4 "s/^volume_bytes=.*/volume_bytes=$((size - 4096))/; s/^[0-9]* [0-9]*\$/3 4/" >smaller
make 9 7 >base
make 9 full >all
make 9 4 "s/^[0-9]* [0-9]*\$/300 4/; s/^chunk_bytes=.*/&\nmust-resume=4096/" >rest
truncate -s $((size + 4096)) image
make 9 4 "s/^volume_bytes=.*/volume_bytes=$((size + 4096))/" >larger
truncate -s "$size" image
printf 'not a delta' >text
: >empty

refuse() {
	local code=$1 file=$2 got=0 before
	before=$(state)
	z import copy "$file" >"$out" 2>"$err" </dev/null || got=$?
	count=$((count + 1))
	((got == code)) || wrong+=("$file: $got, $(<"$err")")
	[[ $(wc -l <"$err") == 1 ]] || wrong+=("$file: $(<"$err")")
	[[ $(state) == "$before" ]] || wrong+=("$file: something changed")
}

wrong=() count=0
for n in 1 3; do
	refuse 6 "step.$n"
done
for ((n = 0; n < 5; n++)); do
	z import copy "step.$n" >/dev/null
	((n == 3)) || continue
	refuse 6 step.5
done
z import copy step.{0..4} >"$out"
is "$(grep -c 'already' "$out")" 5 'what is there is passed over'
for file in volume:1 smaller:1 larger:1 base:6 all:6 rest:6 text:7 empty:7; do
	refuse "${file#*:}" "${file%:*}"
done
for ((n = 0; n < $(long_or 500 9); n++)); do
	before=$((RANDOM % 4))
	case $((n % 2)) in
	0)	make 9 "$before" >wild
		refuse 6 wild ;;
	1)	head -c $((RANDOM % 300 + 1)) step.5 >wild
		refuse 7 wild ;;
	esac
done
diag "seed $seed; ${wrong[*]-}"
score R22 "$count" imports "${#wrong[@]}" 'taken, or changed something'
expect 0 'the one that fits is taken' z import copy step.5
is "$(z list copy -H -o uuid | tail -n 1)" "$(uuid 5)" 'it is the newest'
expect 0 'stop' z stop
done_testing
