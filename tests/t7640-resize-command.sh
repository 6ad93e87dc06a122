#!/bin/bash
# lab: --disk 64M --timeout 600
# zumastor resize: an LVM volume and a file under a mounted volume are extended, the filesystem grows, old snapshots
# stay; what cannot be is refused and changes nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
modprobe loop

lvm_only "$DEV1NAME"
vgcreate -qq -s 1M vg "$DEV1NAME"
lvcreate -qq -y -L 16M -n org vg
head -c 16M /dev/zero >/persist/snap	# one that is all there
snap=$(losetup -f --show /persist/snap)
files=/run/zumastor/volumes/home

volume_bytes() {
	blockdev --getsize64 /dev/mapper/home
}

device_bytes() {
	lvs --noheadings --units b --nosuffix -o lv_size vg/org | tr -d ' \n'
	stat -c ' %s' /persist/snap
}

tree() {
	(cd "$1" && find . -type f -print | sort | xargs md5sum) | md5sum
}

mkfs.ext4 -q -b 4096 /dev/vg/org
z define volume home /dev/vg/org "$snap" >/dev/null
cp -r /usr/share/zumastor "$files/"
z snapshot home >/dev/null
first=$(tree "$files")
expect 0 'more of all' z resize home --origin 32M --snapshot 24M
like "$(<"$out")" "has 32M, its store 24M.*'resize2fs /dev/mapper/home' grows it" 'and how the filesystem grows'
is "$(<"$err")" '' 'and nothing else'
is "$(volume_bytes) $(device_bytes)" "$((32 << 20)) $((32 << 20)) $((24 << 20))" 'the devices were extended, and the volume with them'
is "$(($(stat -c '%b * 512' /persist/snap) >= 24 << 20))" 1 'the file is still all there'
expect 0 'the mounted filesystem grows' resize2fs /dev/mapper/home
is "$(($(df --output=size -B 1M "$files" | tail -n 1) > 20))" 1 'to that size'
is "$(tree "$files")" "$first" 'and has its files'
z snapshot home >/dev/null
dd if=/dev/urandom of="$files/other" bs=1M count=8 conv=fsync status=none
is "$(blockdev --getsize64 /dev/zumastor/home/1 /dev/zumastor/home/2 | tr '\n' ' ')" "$((16 << 20)) $((32 << 20)) " \
	'each snapshot has its size'
expect 0 'the old one is a clean filesystem' e2fsck -fn /dev/zumastor/home/1
like "$(z status home 1)" 'size +16M' 'status says so'

before=$(world | grep -v ' /run/zumastor')
refused 1 'snapshot 2 needs 33554432 bytes' resize home --origin 16M --yes
refused 1 'cannot extend' resize home --origin 1G --snapshot 1G
refused 2 'is in its store' resize home --metadata max
is "$(world | grep -v ' /run/zumastor')" "$before" 'the refusals changed nothing'
is "$(volume_bytes) $(device_bytes)" "$((32 << 20)) $((32 << 20)) $((24 << 20))" 'not even a device'
z stop
refused 1 'is stopped' resize home --origin 40M
z forget volume home >/dev/null

# Larger than the volume, as LVM may make it.
lvextend -qq -L 40M vg/org
expect 0 'a volume is taken over on a device that is larger' z define volume home /dev/vg/org "$snap"
is "$(volume_bytes)" $((32 << 20)) 'with its size'
done_testing
