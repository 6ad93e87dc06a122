#!/bin/bash
# lab: --disk 16M --disk 32M --timeout 600
# check says nothing about a volume that is well, running or stopped; one line about each thing that is not, with what
# repairs it; and --repair does.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
modprobe loop
helpers=/usr/libexec/zumastor
slot0=65536 slot1=557056

change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek=$((RANDOM % 900)) count=3 oflag=direct conv=notrunc status=none
}

# finds CODE REGEX DESC - check ends with CODE, and a line it prints matches; the world is as before.
finds() {
	local before
	before=$(devices)
	expect "$1" "check: $3" z check home
	like "$(<"$out")" "$2" "it says so"
	is "$(devices)" "$before" 'nothing was changed'
}

devices() {
	dmsetup ls | sort
	"$helpers/store-show" "$DEV2NAME"
}

# repaired DESC
repaired() {
	expect 0 "--repair: $1" z check home --repair
	expect 0 'it is well after that' z check home
}

expect 0 'define' z define volume home "$DEV1NAME" "$DEV2NAME"
for ((n = 0; n < 3; n++)); do
	change
	expect 0 'snapshot' z snapshot home
done
change
"$helpers/dm-show" home "$DEV2NAME" 1 >/dev/null
finds 0 "^volume 'home' is well, and running$" 'a running volume'
expect 0 'with all data' z check home --full

# Devices.
dmsetup create stray --uuid "ZUMASTOR-$("$helpers/store-show" "$DEV2NAME" | sed -n 's/^volume=//p')-view-9.00000000" \
	--table '0 8 zero'
finds 1 "device 'view-9.00000000' is left over; .*--repair' settles it" 'a left-over device'
ln -sfn /dev/null /dev/zumastor/home/1
finds 1 'the links to snapshot 1 are not right' 'a link that leads elsewhere'
dmsetup suspend 'home(1)'
finds 1 "device 'shown-1' is suspended" 'a suspended device'
repaired 'settled'
dmsetup load 'home(1)' --table "0 32768 linear $(stat -L -c %Hr:%Lr "$DEV1NAME") 0" --readonly
dmsetup resume 'home(1)'
finds 1 "device 'home\(1\)' is not what it should be" 'a wrong table'
repaired 'put back'
dmsetup load home --table '0 32768 error'
finds 1 "'origin' holds a table that was never put to use; 'zumastor stop volume home', then" 'a table that waits'
expect 1 'which --repair leaves alone' z check home --repair
dmsetup clear home
"$helpers/dm-hide" home "$DEV2NAME" 1

# The pool.
dmsetup message home-store 0 'create_thin 4000'
finds 1 'thin volume 4000 of the pool belongs to nothing' 'an unknown thin volume'
repaired 'deleted'

# The record.
dd if=/dev/zero of="$DEV2NAME" bs=4k seek=$((slot1 / 4096)) count=1 oflag=direct conv=notrunc status=none
finds 7 'copy 2 of the record is damaged' 'half of the record'
repaired 'written again'

# What a target builds on.
base=/var/lib/zumastor/volumes/home/targets/host2/base
mkdir -p "${base%/*}"
"$helpers/store-show" "$DEV2NAME" | sed -n 's/^snapshot=3 uuid=\([^ ]*\) .*/\1/p' >"$base"
finds 0 "^volume 'home' is well, and running$" 'a volume that was replicated'
tr 0-9a-f f0-9a-e <"$base" >"$scratch/other"
cat "$scratch/other" >"$base"
finds 1 "replication to 'host2' builds, does not exist" 'a base that is not there'
rm -r "${base%/*}"

# The origin.
dd if=/dev/urandom of="$DEV1NAME" bs=4k seek=100 count=1 conv=notrunc status=none
finds 6 '8 sectors of the origin were written past the volume' 'a raw write under a running volume'
expect 6 '--repair' z check home --repair
like "$(<"$err")" 'warning: snapshots 1 2 3 of .home. are lost' 'records the snapshots as lost'
like "$(<"$out")" "snapshot 1 is lost; 'zumastor remove home 1' frees its space" 'which check says, too'
expect 0 'removed' "$helpers/dm-remove" home "$DEV2NAME" 1
expect 0 'removed' "$helpers/dm-remove" home "$DEV2NAME" 2
expect 0 'removed' "$helpers/dm-remove" home "$DEV2NAME" 3
expect 0 'snapshot' z snapshot home
change
expect 0 'snapshot' z snapshot home
change

# What a check that was killed leaves in the pool.
dmsetup message home-store 0 reserve_metadata_snap
expect 0 'stop' z stop volume home
expect 0 'start' z start volume home
is "$(dmsetup status home-store | awk '{ print $7 }')" - 'start lets go of a snapshot of the metadata'

# Stopped.
expect 0 'stop' z stop volume home
finds 0 "^volume 'home' is well, and stopped$" 'a stopped volume'
dd if=/dev/urandom of="$DEV1NAME" bs=4k seek=200 count=1 oflag=direct conv=notrunc status=none
finds 6 'the origin was written while the volume was stopped' 'a raw write while it is stopped'
expect 6 'stopped: --repair records it' z check home --repair
like "$(<"$out")" 'snapshot 4 is lost' 'and says it'
dd if=/dev/zero of="$DEV2NAME" bs=4k seek=$((slot0 / 4096)) count=1 oflag=direct conv=notrunc status=none
dd if=/dev/zero of="$DEV2NAME" bs=4k seek=$((slot1 / 4096)) count=1 oflag=direct conv=notrunc status=none
expect 4 'no record at all' z check home
expect 0 'such a volume can be stopped' z stop volume home
expect 0 'and forgotten' z forget volume home
is "$(z status --json | jq '.volumes | length')" 0 'so that another can have its name'
done_testing
