#!/bin/bash
# lab: --disk 32M --disk 64M --disk 16M --disk 32M --timeout 600
# A volume comes back from its disks alone, on a host that never heard of it; on wrong disks it is refused.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
origin=$DEV1NAME store=$DEV2NAME meta=$DEV3NAME other=$DEV4NAME

# told - what the volume's snapshots are, and what a file in them says.
told() {
	z list "$1" -H -o id,uuid,time,kinds,holds
	cat /run/zumastor/volumes/"$1"-snapshots/hourly.*/file
}

# another_host - the disks and what we noted are all that is left.
another_host() {
	printf '%s\n' "$tap_count" >/persist/tap_count
	rm -rf /var/lib/zumastor/volumes
	sync
	lab restart-self
	sleep 1000
}

if ((LAB_BOOT == 1)); then
	mkfs.ext4 -q "$origin"
	z define volume home "$origin" "$store" --metadev "$meta" >/dev/null
	z define master home --hourly 5
	for n in 1 2; do
		echo "$n" >/run/zumastor/volumes/home/file
		z snapshot home hourly >/dev/null
	done
	z hold home 1 audit
	echo 3 >/run/zumastor/volumes/home/file
	told home >/persist/told
	z stop
	another_host
fi
tap_count=$(</persist/tap_count)
if ((LAB_BOOT == 2)); then
	z status >/dev/null
	before=$(world "$origin" "$store" "$meta" "$other")
	define=(define volume home "$origin" "$store" --metadev "$meta")
	refused 1 "belongs to volume 'home': define it by this name, or with --rename" \
		define volume house "${define[@]:3}"
	refused 1 'metadata on a device of its own: name it by --metadev' "${define[@]:0:5}"
	refused 1 'which need the origin as it is' "${define[@]}" -z --yes
	refused 1 'which need the origin as it is' "${define[@]}" -i
	refused 6 "origin '$other' is not as volume 'home' was left" \
		define volume home "$other" "${define[@]:4}"
	unchanged "$before" 'the refusals changed nothing' "$origin" "$store" "$meta" "$other"
	expect 7 'metadata of another store' z define volume home "$origin" "$store" -m "$other"
	is "$(z list)" '' 'is not defined'
	expect 0 'by another name' z define volume house "${define[@]:3}" --rename
	like "$(<"$out")" 'taken over with 2 snapshots' 'says what it found'
	is "$(<"$err")" '' 'it was stopped: there is nothing to warn of'
	is "$(told house)" "$(</persist/told)" 'all snapshots are back, with their holds'
	is "$(cat /run/zumastor/volumes/house/file)" 3 'so is the volume'
	refused 3 "'audit' hold it" remove house 1 --force
	another_host
fi
expect 0 'after a crash' z define volume home "$origin" "$store" --metadev "$meta" --rename
like "$(<"$err")" "warning: volume 'house' was not stopped where it ran last" 'it warns'
is "$(told home)" "$(</persist/told)" 'all snapshots are back'
mkdir "$scratch/copy"
dd if="$store" of="$scratch/copy/store" bs=1M status=none
copy=$(losetup -f --show "$scratch/copy/store")
refused 3 'is running already, from other disks' define volume house "$other" "$copy" --rename
z stop
refused 3 "is of the same volume as '$store' of volume 'home'" define volume house "$other" "$copy" --rename
losetup -d "$copy"
expect 0 'and it starts again' z start
z stop
done_testing
