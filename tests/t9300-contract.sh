#!/bin/bash
# lab: --disk 32M --disk 64M --disk 16M --disk 320M --timeout 400
# What the manual and design/interface.md promise of define, snapshot, mount, start and forget.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
run=/var/run/zumastor

count() {
	printf '%s' $#
}

mkdir "$scratch/here" "$scratch/snaps"

mkfs.ext4 -q "$DEV1NAME"
expect 1 '-i refuses an origin that holds something' z define volume home "$DEV1NAME" "$DEV2NAME" -i
expect 0 'unless it is told yes' z define volume home "$DEV1NAME" "$DEV2NAME" -iy -m "$DEV3NAME" \
	-b 64K -c 4K -k 16M -p "$scratch/here" -s "$scratch/snaps" -o noatime
is "$(<"$err")" '' 'and then says nothing'
like "$(z status home)" 'kernel memory 0 of 16M' '-k is the bound'
is "$(cmp "$DEV1NAME" /dev/zero 2>&1 | grep -c EOF)" 1 'the origin is zeroed'
like "$(/usr/libexec/zumastor/store-show "$DEV2NAME")" \
	'chunk_sectors=8.block_sectors=128.meta_device=separate' 'sizes and device are as told'
is "$(grep -c "$scratch/here" /proc/mounts)" 0 'nothing is mounted: there is no filesystem'
mkfs.ext4 -q /dev/mapper/home
expect 0 'mount' z mount home
like "$(grep "$scratch/here" /proc/mounts)" 'noatime' 'with its options'
is "$(readlink $run/mount/home)" "$scratch/here" 'with its link'

expect 0 'a schedule' z define master home -h 2 --daily=1 -w1 -c tick,1 -c tock,2 -e --samba -s
is "$(wc -l <"$err")" 1 'one line tells what is stored'
date +%N >"$scratch/here/file"
expect 0 'a snapshot of several kinds' z snapshot home hourly daily tick
like "$(<"$out")" $'^1\t[0-9a-f-]{36}\t20[0-9.]+-[0-9.]+$' 'prints id, uuid, time'
time=$(cut -f3 "$out")
expect 0 'mounted by its time' cmp "$scratch/here/file" "$scratch/snaps/$time/file"
for link in hourly.0 daily.0 tick.0; do
	is "$(readlink "$scratch/snaps/$link")" "$time" "with the relative link $link"
done
is "$(readlink $run/snapshot/home)" "$scratch/snaps" 'and the one to the directory'
expect 0 'manual' z snapshot home
expect 0 'hourly' z snapshot home hourly tock
expect 0 'hourly' z snapshot home hourly
is "$(z list home -H -o id,names | tr '\n' ' ')" $'1\tdaily.0 tick.0 2\t- 3\thourly.1 tock.0 4\thourly.0 ' \
	'the first is out of hourly but stays for the others'
expect 0 'limits that are not given stay' z define master home -n -c tick,0
is "$(cd /var/lib/zumastor/volumes/home/schedule && echo *)" 'daily hourly tick tock weekly' 'all of them'
expect 0 'daily' z snapshot home daily
is "$(z list home -H -o id | tr '\n' ' ')" '2 3 4 5 ' 'now the first is gone, the manual one is not'
is "$(count "$scratch/snaps/"20*)" 3 'and -n does not mount'
expect 0 'but there is a device' test -b /dev/zumastor/home/5
expect 4 'a kind of 0 takes none' z snapshot home tick

expect 0 'stop' z stop volume home
is "$(dmsetup ls) $(losetup -a)" 'No devices found ' 'no device is left'
is "$(grep -c "$scratch" /proc/mounts)" 0 'no mount is left'
z define master home --no-export >/dev/null
expect 0 'start' z start volume home
expect 0 'a manual snapshot is not shown again' test ! -e /dev/zumastor/home/2
is "$(count "$scratch/snaps/"20*)" 3 'the others are mounted'
expect 0 'it can be mounted' z mount home 2
exec 7<"$scratch/here/file"
expect 3 'a volume in use is not stopped' z stop
is "$(count "$scratch/snaps/"20*)" 4 'and is as it was'
exec 7<&-
expect 0 'umount' z umount home
is "$(grep -c "$scratch" /proc/mounts)" 0 'all of it'
expect 0 'forget' z forget volume home
is "$(dmsetup ls)" 'No devices found' 'nothing is left'
expect 0 'take over' z define volume home "$DEV1NAME" "$DEV2NAME" --metadev "$DEV3NAME"
is "$(z list home -H -o id | tr '\n' ' ')" '2 3 4 5 ' 'with its snapshots'
expect 0 'forget' z forget volume home

mkfs.xfs -q "$DEV4NAME"
dd if=/dev/zero of="$DEV2NAME" bs=1M count=1 oflag=direct status=none
expect 0 'xfs' z define volume big "$DEV4NAME" "$DEV2NAME"
date +%N >$run/volumes/big/file
expect 0 'a snapshot of it' z snapshot big
like "$(cat $run/volumes/big-snapshots/*/file)" "^$(<$run/volumes/big/file)$" 'is mounted beside it'
is "$(readlink $run/snapshot/big)" /run/zumastor/volumes/big-snapshots 'at the usual place'
expect 0 'forget' z forget volume big
done_testing
