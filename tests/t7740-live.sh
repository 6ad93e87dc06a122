#!/bin/bash
# lab: --disk 64M --disk 64M --disk 320M --disk 64M --timeout 600
# zumastor define volume on a dm device that is mounted and written all the while: snapshots are of the filesystem at
# rest, the volume goes when it is unmounted, and a restart makes it an ordinary one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
modprobe loop

half=$(($(blockdev --getsz "$DEV1NAME") / 2))

make_data() {
	dmsetup create data <<-END
		0 $half linear $DEV1NAME $half
		$half $half linear $DEV1NAME 0
	END
}

# counter DIR - write numbers, each into a file of its own that then gets its name, until the writer is killed.
counter() {
	local n
	for ((n = 1; ; n++)); do
		printf '%s\n' "$n" >"$1/new"
		mv "$1/new" "$1/last"
		((n % 10)) || head -c 100000 /dev/urandom >"$1/noise$((n % 7))"
	done
}

# check_snapshots NAME OPTIONS FSCK... - all are filesystems at rest, mounted with the options without
# recovery, and show the writer ever further on.
check_snapshots() {
	local id last=0 n trouble=''
	local -a ids
	mapfile -t ids < <(/usr/libexec/zumastor/store-show "$store" |
		sed -n 's/^snapshot=\([0-9]*\) .*state=live.*/\1/p')
	/usr/libexec/zumastor/dm-show "$1" "$store" "${ids[@]}" >/dev/null
	for id in "${ids[@]}"; do
		"${@:3}" "/dev/zumastor/$1/$id" &>"$scratch/fsck" || trouble+=" $id is not clean"
		mount -o "ro,$2" "/dev/zumastor/$1/$id" /mnt/snapshot
		cat /mnt/snapshot/noise* >/dev/null || trouble+=" cannot read $id"
		n=$(</mnt/snapshot/last)
		((n >= last)) || trouble+=" $id:$n"
		last=$n
		umount /mnt/snapshot
	done
	is "${#ids[@]}$trouble" 2 "$1: two snapshots, each a clean filesystem"
	is "$((last > 0))" 1 "$1: it was written"
}

# live NAME ORIGIN STORE MOUNTPOINT - define it while it is written, and take snapshots.
live() {
	store=$3
	counter "$4" &
	writer=$!
	expect 0 "$1: defined while it is mounted" z define volume "$1" "$2" "$3"
	like "$(<"$out")" "'$2' stays mounted.*mount /dev/mapper/$1 .*fstab" 'and told what is to be done'
	is "$(<"$err")" '' 'without a warning'
	for _ in 1 2; do
		expect 0 "$1: a snapshot" z snapshot "$1"
	done
	kill "$writer"
	wait "$writer" || true
	expect 0 "$1: it is as it should be" z check "$1"
	like "$(z status "$1")" "mounted +$4" "$1: status says where it is mounted"
}

# on_xfs - the same with a filesystem that cannot be mounted twice.
on_xfs() {
	local sectors
	mkfs.xfs -q -f "$DEV3NAME"
	sectors=$(blockdev --getsz "$DEV3NAME")
	dmsetup create xdata --uuid MINE-xfs --table "0 $sectors linear $DEV3NAME 0"
	mount /dev/mapper/xdata /mnt/xfs
	live xhome /dev/mapper/xdata "$DEV4NAME" /mnt/xfs
	check_snapshots xhome norecovery,nouuid test -b
	umount /mnt/xfs
	expect 0 'xhome stops' z stop volume xhome
	z forget volume xhome >/dev/null
	dmsetup remove xdata
	wipefs -q -a "$DEV3NAME"
	blkdiscard -f -z "$DEV4NAME" 2>/dev/null
}

if ((LAB_BOOT > 1)); then
	tap_count=$(</persist/tap_count)
	# The device is the user's plain one again.
	make_data
	mount -o ro,noload /dev/mapper/data /mnt
	refused 3 "is mounted on '/mnt', past the volume" start volume home
	umount /mnt
	expect 0 'an ordinary volume after a restart' z start volume home
	is "$(dmsetup table home-lower 2>/dev/null)" '' 'without what was under it'
	is "$(cat /run/zumastor/volumes/home/kept)" kept 'with what was written'
	like "$(z list home)" manual 'and its snapshots'
	! /usr/libexec/zumastor/store-show "$DEV2NAME" | grep -q state=lost || fail 'none is lost'
	expect 0 'it stops' z stop volume home
	echo yes >"$database/volumes/home/live"	# as if it had not been started since
	mount /dev/mapper/data /mnt
	refused 3 "is mounted on '/mnt', past the volume.* lost" start volume home
	umount /mnt
	like "$(/usr/libexec/zumastor/store-show "$DEV2NAME")" 'state=lost' 'what was written past is said to be'
	done_testing
	exit
fi

make_data
own=$(dmsetup table data)
mkfs.ext4 -q -b 4096 /dev/mapper/data
mkdir -p /mnt/data /mnt/xfs /mnt/lv /mnt/snapshot
mount /dev/mapper/data /mnt/data
truncate -s 32M /mnt/data/inside
inside=$(losetup -f --show /mnt/data/inside)
refused 3 'is in the filesystem on origin' define volume home /dev/mapper/data "$inside"
losetup -d "$inside"
rm /mnt/data/inside
before=$(world)
refused 3 'cannot be zeroed' define volume home /dev/mapper/data "$DEV2NAME" -z
refused 3 'store .* is mounted' define volume home "$DEV2NAME" /dev/mapper/data
refused 3 'in use by' define volume home /dev/mapper/data "$DEV1NAME"
refused 3 'store .* is mounted' define volume home --origin /dev/mapper/data --store /dev/dm-0
mkfs.ext4 -q "$DEV4NAME"
dmsetup create other --table "0 $(blockdev --getsz "$DEV4NAME") snapshot-origin $DEV4NAME"
mount /dev/mapper/other /mnt/lv
refused 3 'origin .* is mounted' define volume home /dev/mapper/other "$DEV2NAME"
umount /mnt/lv
dmsetup remove other
mount "$DEV4NAME" /mnt/lv
refused 3 'origin .* is mounted' define volume home "$DEV4NAME" "$DEV2NAME"
umount /mnt/lv
wipefs -q -a "$DEV4NAME"
umount /mnt/data
dmsetup suspend data
dmsetup load --readonly data <<<"$own"
dmsetup resume data
mount -o ro /dev/mapper/data /mnt/data
refused 3 'origin .* is mounted' define volume home /dev/mapper/data "$DEV2NAME"
umount /mnt/data
dmsetup load data <<<"$own"
dmsetup resume data
mount /dev/mapper/data /mnt/data
unchanged "$before" 'nothing was changed'

live home /dev/mapper/data "$DEV2NAME" /mnt/data
refused 3 'lies on it' revert home 1
refused 3 'lies on it' resize home --origin 16M
refused 3 "is mounted on '/mnt/data'" stop volume home
refused 3 "is mounted on '/mnt/data'" umount home
check_snapshots home noload e2fsck -fn
umount /mnt/data
expect 0 'it stops when that is unmounted' z stop volume home
is "$(dmsetup table data)" "$own" 'and the device has its own table'
is "$(dmsetup ls | wc -l)" 1 'nothing else is left'
expect 0 'it is clean' e2fsck -fn /dev/mapper/data
expect 0 'and starts as an ordinary one' z start volume home
is "$(z list home | grep -c manual)" 2 'with its snapshots'
! /usr/libexec/zumastor/store-show "$DEV2NAME" | grep -q state=lost || fail 'none is lost'
z stop volume home
z forget volume home >/dev/null

[[ -z $(long_or yes '') ]] || on_xfs

lvm_only "$DEV3NAME"
vgcreate -qq -s 1M vg "$DEV3NAME"
lvcreate -qq -y -L 32M -n org vg
mkfs.ext4 -q -b 4096 /dev/vg/org
mount /dev/vg/org /mnt/lv
live lhome /dev/vg/org "$DEV4NAME" /mnt/lv
check_snapshots lhome noload e2fsck -fn
umount /mnt/lv
expect 0 'lhome stops' z stop volume lhome
expect 0 'the logical volume is its own again' lvextend -qq -L 40M vg/org
z forget volume lhome >/dev/null
mount /dev/vg/org /mnt/lv
refused 3 'holds snapshots of .lhome.* is mounted' define volume lhome /dev/vg/org "$DEV4NAME"
umount /mnt/lv

# As it is in a crash.
mount /dev/mapper/data /mnt/data
blkdiscard -f -z "$DEV2NAME" 2>/dev/null
expect 0 'defined again' z define volume home /dev/mapper/data "$DEV2NAME"
z snapshot home >/dev/null
echo kept >/mnt/data/kept
printf '%s\n' "$tap_count" >/persist/tap_count
sync
sync -f /mnt/data
((tap_failed == 0)) || done_testing
lab restart-self
