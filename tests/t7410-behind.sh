#!/bin/bash
# lab: --disk 64M --disk 16M --disk 64M --disk 16M --timeout 600
# R12: the origin is written behind our back while the volume is stopped: start says so and records the snapshots
# as lost, and the volume runs with what was written.  Where nothing was written, nothing is said.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
mkdir -p /mnt/raw
notes=/persist/behind
count=0 missed=()
[[ ! -e $notes ]] || { read -r tap_count count && mapfile -t missed; } <"$notes"

# use ext4|xfs - the volume with that filesystem.
use() {
	volume=$1
	case $1 in
	ext4)	origin=$DEV1NAME store=$DEV2NAME ;;
	xfs)	origin=$DEV3NAME store=$DEV4NAME ;;
	esac
}

make_filesystem() {
	use "$1"
	"$helpers/store-format" "$volume" "$origin" "$store" >/dev/null
	"$helpers/dm-start" "$volume" "$origin" "$store"
	case $1 in
	ext4)	mkfs.ext4 -q -F "/dev/mapper/$volume" ;;
	# A filesystem under 300 MiB is for testing only, and mkfs.xfs wants to hear that.
	xfs)	TEST_DIR=x TEST_DEV=x QA_CHECK_FS=x mkfs.xfs -q -f "/dev/mapper/$volume" ;;
	esac
}

# stop_with_snapshot - take one, write a little, stop.
stop_with_snapshot() {
	"$helpers/dm-snapshot" "$volume" "$store" >/dev/null
	dd if=/dev/zero of="/dev/mapper/$volume" bs=4k count=1 seek=10000 oflag=direct conv=notrunc status=none
	"$helpers/dm-stop" "$volume" "$store"
}

states() {
	"$helpers/store-show" "$store" | sed -n 's/^snapshot=.*state=\([a-z]*\) .*/\1/p' | sort -u | paste -sd' '
}

raw_mount() {
	mount -t "$volume" "$origin" /mnt/raw
	umount /mnt/raw
}

# poke - one sector, anywhere.
poke() {
	dd if=/dev/urandom of="$origin" bs=512 count=1 seek=$(((RANDOM * 32768 + RANDOM) % 131072)) \
		conv=notrunc status=none
}

# unchanged DESC - start says nothing.
unchanged() {
	expect 0 "start $1" "$helpers/dm-start" "$volume" "$origin" "$store"
	is "$(<"$err")$(states)" live 'says nothing'
}

# changed BY - start has to say so.
changed() {
	local id
	"$helpers/dm-start" "$volume" "$origin" "$store" 2>"$err"
	count=$((count + 1))
	[[ $(states) == lost && $(<"$err") == *"warning: the origin '$origin' was written while"* ]] ||
		missed+=("$1")
	for id in $("$helpers/store-show" "$store" | sed -n 's/^snapshot=\([0-9]*\) .*/\1/p'); do
		"$helpers/dm-remove" "$volume" "$store" "$id"
	done
}

reboot() {
	printf '%s\n' "$tap_count $count" "${missed[@]}" >"$notes"
	sync
	lab restart-self
	sleep 60
}

case $LAB_BOOT in
1)
	make_filesystem xfs
	stop_with_snapshot
	raw_mount
	changed 'xfs mounted'
	stop_with_snapshot
	make_filesystem ext4
	stop_with_snapshot
	unchanged 'after a stop in which nothing happened'
	"$helpers/dm-stop" "$volume" "$store"
	raw_mount
	changed 'ext4 mounted'
	changes=4
	[[ -z ${ZUMASTOR_LONG-} ]] || changes=198
	while ((count < changes)); do
		stop_with_snapshot
		poke
		changed "write $count"
	done
	stop_with_snapshot
	raw_mount
	reboot ;;
2)
	use ext4
	changed 'ext4 mounted before a reboot'
	use xfs
	unchanged 'after a reboot in which nothing happened'
	"$helpers/dm-stop" "$volume" "$store"
	raw_mount
	reboot ;;
3)
	use xfs
	changed 'xfs mounted before a reboot'
	"$helpers/dm-snapshot" "$volume" "$store" >/dev/null
	reboot ;;
4)
	use xfs
	unchanged 'after a crash, of which nothing can be known,' ;;
esac
is "${missed[*]-}" '' "R12 $count changes, ${#missed[@]} undetected"
done_testing
