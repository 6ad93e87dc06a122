#!/bin/bash
# lab: --disk 4M --disk 32M --disk 64M --disk 64M
# When a snapshot has been taken, what it shows is on the disks, and so is the record of it: the
# origin's disk has a cache of its own, which may hold what was written but never flushed by anybody.
# (Otherwise a replica could hold what its upstream lost.)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
tools=$top/build/plain/powercut
modprobe dm-log-writes
modprobe brd rd_nr=1 rd_size=32768

dmsetup create origin --table "0 8192 log-writes $origin $DEV3NAME"
dmsetup create store --table "0 65536 log-writes $store $DEV4NAME"
origin=/dev/mapper/origin store=/dev/mapper/store
make_volume
take
for n in 2 3; do
	dd if=/dev/urandom of=/dev/mapper/home bs=64k seek=$((n * 10)) count=1 oflag=direct status=none
	take
	dmsetup message origin 0 mark "taken-$n"
	dmsetup message store 0 mark "taken-$n"
done
"$helpers/dm-stop" home "$store"
dmsetup remove origin store

# power_cut LOG MARK - what that disk has held for certain.
power_cut() {
	blkdiscard -z /dev/ram0
	"$tools/durable" "$1" "$2" /dev/ram0
}

for n in 2 3; do
	power_cut "$DEV3NAME" "taken-$n"
	hash=$(dd if=/dev/ram0 bs=1M count=4 iflag=direct status=none | sha256sum | cut -c1-32)
	is "$hash" "${taken[$n]}" \
		"the origin's disk held all of snapshot $n when its command ended"
	power_cut "$DEV4NAME" "taken-$n"
	like "$("$helpers/store-show" /dev/ram0)" "snapshot=$n [^"$'\n'"]*state=live" \
		"the record of it was on the store's"
done
done_testing
