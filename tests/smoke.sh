# smoke.sh - the main job once, with the commands, on whatever kernel this is; with udev where it runs.
# shellcheck shell=bash disable=SC2154 # what lib.sh gives

modprobe -a dm-snapshot dm-thin-pool loop
z=/usr/sbin/zumastor
files=/var/run/zumastor/volumes/home

tree() {
	(cd "$1" && find . -type f -exec md5sum {} + | sort | md5sum)
}

smoke_test() {
	local uuid mounts loops
	mounts=$(</proc/mounts) loops=$(losetup -a)
	mkfs.ext4 -q "$DEV1NAME"
	uuid=$(blkid -p -o value -s UUID "$DEV1NAME")
	expect 0 'define volume' "$z" define volume home "$DEV1NAME" "$DEV2NAME"
	expect 0 'define master' "$z" define master home -h 2
	declare -A trees
	for n in 1 2; do
		head -c 300000 /dev/urandom >"$files/f$n"
		trees[$n]=$(tree "$files")
		expect 0 "snapshot $n" "$z" snapshot home hourly
	done
	is "$(tree "$files-snapshots/hourly.0")" "${trees[2]}" 'the newest is right'
	is "$(tree "$files-snapshots/hourly.1")" "${trees[1]}" 'an older one is right'
	expect 0 'status' "$z" status --json
	is "$(jq -r '.volumes[0].state' "$out")" running 'it runs'
	is "$(dmsetup ls | wc -l)" "$(dmsetup info -c --noheadings -o uuid | grep -c '^ZUMASTOR-')" 'all devices are ours'
	if [[ -d /run/udev && -z ${DM_DISABLE_UDEV-} ]]; then
		udevadm settle
		is "$(readlink -f "/dev/disk/by-uuid/$uuid")" "$(readlink -f /dev/mapper/home)" \
			'the filesystem is found on the volume, not on a snapshot or the disk'
		like "$(dmsetup udevcookies)" '^[^0]*$' 'no udev cookie is left'
	fi
	expect 0 'stop' "$z" stop volume home
	is "$(dmsetup ls)" 'No devices found' 'no device is left'
	expect 0 'start' "$z" start volume home
	is "$(tree "$files-snapshots/hourly.1")" "${trees[1]}" 'an older one is right again'
	expect 0 'forget' "$z" forget volume home
	is "$(dmsetup ls)" 'No devices found' 'no device is left'
	is "$(losetup -a)" "$loops" 'no loop device is left'
	is "$(</proc/mounts)" "$mounts" 'the mounts are as before'
	done_testing
}
