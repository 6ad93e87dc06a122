#!/bin/bash
# lab: --disk 64M --disk 512M --disk 32M --timeout 900
# R21: the power fails at any flush of a receiver's disks, or of its database: it shows the snapshot before or the new one,
# exactly, and the next delta goes on from there and ends equal.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/delta.sh"
helpers=/usr/libexec/zumastor
tools=$top/build/plain/powercut
cd "$scratch"
cuts=${ZUMASTOR_CUTS:-$(long_or 1000 50)}
size=$((6 << 20)) chunk=16384 last=3
sectors=(0 12288 81920 114688)	# where origin, store and database begin, and the end
seed=${ZUMASTOR_SEED:-$RANDOM}
resumed=0

uuid() {
	printf '%08x-2222-4333-8444-555555555555' "$1"
}

# slices DEVICE - origin, store and database on it.
slices() {
	local i names=(origin store database)
	for i in 0 1 2; do
		dmsetup create "disk-${names[i]}" --table "0 $((sectors[i + 1] - sectors[i])) linear $1 ${sectors[i]}"
	done
}

# delta N [FROM] - from snapshot N - 1 to N, or the rest of that.
delta() {
	local base
	local -a ranges=('0 20' '100 150' '300 30')
	base=$(uuid $(($1 - 1)))
	if (($1 == 0)); then base=none ranges=("0 $((size / chunk))"); fi
	describe "$base" "$size" "$chunk" "${ranges[@]}" |
		sed "s/^snapshot=.*/snapshot=$(uuid "$1")/; s/^time=.*/time=$((1795000000 + $1))/
			${2:+s/^chunk_bytes=.*/&\nmust-resume=$2/}" |
		"$helpers/delta-pack" --compress none "image.$1"
}

# send N [FILTER] - as a sender would, the delta through FILTER; sets answer.
send() {
	local line from='' base in to
	base=$(uuid $(($1 - 1)))
	(($1 > 0)) || base=none
	coproc RECEIVER { zumastor receive copy 2>"$err"; }
	exec {in}<&"${RECEIVER[0]}" {to}>&"${RECEIVER[1]}"
	# shellcheck disable=SC1083,SC2093 # the braces name a variable, and nothing is executed
	exec {RECEIVER[0]}<&- {RECEIVER[1]}>&-
	while read -r line <&"$in" && [[ $line != ready && $line != failed* ]]; do
		[[ $line != "partial $base $(uuid "$1") "* ]] || from=${line##* }
	done
	if [[ $line == ready ]]; then
		printf 'send %s %s %s\n' "$base" "$(uuid "$1")" "$from" >&"$to"
		[[ -z $from ]] || resumed=$((resumed + 1))
		delta "$1" ${from:+"$from"} | "${2:-cat}" >&"$to" || true
	fi
	exec {to}>&-
	while [[ $line != done* && $line != failed* ]]; do
		read -r line <&"$in" || line='failed without a word'
	done
	exec {in}<&-
	wait
	answer=$line
}

# shellcheck disable=SC2317 # send() calls them
slowly() {
	head -c 1300000
	sleep 2.5	# so that it flushes what it has in between: csrc/lib/progress.c
	cat
}

# shellcheck disable=SC2317
half() {
	head -c 2000000
}

mark() {
	dmsetup message logged 0 mark "$1"
}

# In a boot of its own, as after any power cut.
if ((LAB_BOOT == 1)); then
	modprobe dm-log-writes
	for ((n = 0; n <= last; n++)); do
		if ((n == 0)); then
			random $size image.0
		else
			cp image.$((n - 1)) "image.$n"
			random 300000 "image.$n"
			random 2400000 "image.$n" 1640000
			random 400000 "image.$n" 4980000
		fi
		dd if="image.$n" of="$DEV3NAME" bs=1M seek=$((n * 6)) oflag=direct status=none
	done
	dmsetup create logged --table "0 ${sectors[3]} log-writes $DEV1NAME $DEV2NAME"
	slices /dev/mapper/logged
	mkfs.ext4 -q -E nodiscard /dev/mapper/disk-database
	mount /dev/mapper/disk-database /var/lib/zumastor
	chmod 0700 /var/lib/zumastor
	z define volume copy /dev/mapper/disk-origin /dev/mapper/disk-store --yes >/dev/null
	z define source copy host1 --yes >/dev/null
	send 0
	mark ready
	mark 0-1
	send 1 slowly
	diag "$answer"
	mark 1-2
	send 2 half
	diag "$answer"
	send 2
	diag "$answer"
	mark 2-3
	send 3
	diag "$answer"
	mark 3-3
	z stop
	umount /var/lib/zumastor
	dmsetup remove disk-origin disk-store disk-database logged
	sync
	lab restart-self
	sleep 60
	exit 1
fi

modprobe brd rd_nr=1 rd_size=$((sectors[3] / 2))
for ((n = 0; n <= last; n++)); do
	dd if="$DEV3NAME" of="image.$n" bs=1M skip=$((n * 6)) count=6 status=none
done
declare -A sum=()
for ((n = 0; n <= last; n++)); do
	sum[$(uuid "$n")]=$(sha256sum <"image.$n")
done
slices /dev/ram0
store=/dev/mapper/disk-store
flushes=$("$tools/cut" "$DEV2NAME")
RANDOM=$seed

# shown LEAST MOST - is the newest snapshot one of those, and what it was sent as?  Sets newest.
shown() {
	local id='' uuid
	newest=-1
	read -r id uuid < <("$helpers/store-show" "$store" | sed -n 's/^snapshot=\([0-9]*\) uuid=\([^ ]*\) .*state=live .*/\1 \2/p' | tail -n 1)
	"$helpers/dm-show" copy "$store" "$id" >/dev/null || return 1
	[[ $(sha256sum < <(dd if="/dev/zumastor/copy/$id" bs=1M iflag=direct status=none)) == "${sum[$uuid]-}" ]] || return 1
	newest=$((16#${uuid%%-*}))
	((newest >= $1 && newest <= $2))
}

# go_on - with the next delta.
go_on() {
	local answer
	((newest < last)) || return 0
	send $((newest + 1))
	if [[ $answer != done* ]]; then
		wrong+=("$1: after $newest: $answer")
	elif ! shown $((newest + 1)) $((newest + 1)); then
		wrong+=("$1: is not equal")
	fi
}

# try NUMBER WHOLE - adds to wrong.  WHOLE: by whole commands, which take longer.
try() {
	local promise start=("$helpers/dm-start" copy /dev/mapper/disk-origin "$store")
	((! $2)) || start=(z start)
	promise=$("$tools/cut" "$DEV2NAME" "$1" $((RANDOM + 1)) /dev/ram0)
	mount /dev/mapper/disk-database /var/lib/zumastor
	if ! "${start[@]}" 2>"$err"; then
		wrong+=("$1: does not start: $(<"$err")")
	elif ! shown "${promise%-*}" "${promise#*-}"; then
		wrong+=("$1: shows $newest, promised $promise")
	elif (($2)); then
		go_on "$1"
	fi
	"$helpers/dm-stop" copy "$store" || wrong+=("$1: does not stop")
	umount /var/lib/zumastor
}

wrong=()
for ((n = 0; n < cuts; n++)); do
	try $((n * flushes / cuts)) $((n % $(long_or 1 5) == 0))
done
diag "seed $seed, $flushes flushes, $resumed went on in the middle: ${wrong[*]-}"
score R21 "$cuts" cuts "${#wrong[@]}" 'not old or new'
done_testing
