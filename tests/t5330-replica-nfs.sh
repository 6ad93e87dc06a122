#!/bin/bash
# lab: --hosts 2 --disk 64M --disk 128M --timeout 300
# A replica exported by NFS, with .snapshot: what its clients have mounted follows each delta that arrives, and goes on when the
# replica becomes the master.
# shellcheck disable=SC2016,SC2153 # expanded over there; the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

# seen - what the mounts here show: a line "PLACE STATE" each.
seen() {
	local v dir
	for v in 3 4; do
		echo "v$v now $(cat /mnt/v$v/state 2>&1)"
		for dir in "/mnt/v$v/.snapshot"/2*; do
			echo "v$v ${dir##*/} $(cat "$dir/state" 2>&1)"
		done
	done
}

# expected NOW - the same as it must be: here every snapshot is still what it was when it was sent.
expected() {
	local v time
	for v in 3 4; do
		echo "v$v now $1"
		for time in $(far zumastor list home -H -o time); do
			echo "v$v $time $(<"$files-snapshots/$time/state")"
		done
	done
}

n=0
mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
expect 0 'a master with .snapshot' z define master home -h 24 -s
z define target home host2
far zumastor define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
expect 0 'a replica that is exported' far zumastor define source home host1 -es --export-to host1 --export-options rw,no_root_squash
far zumastor define schedule home -h 3
scp -q "$(dirname "$0")/nfs.sh" host2:/run/nfs.sh
expect 0 'a server' far bash -ec '. /run/nfs.sh; nfs_root; nfs_start -r'
pair_next
pair_next
mkdir -p /mnt/v3 /mnt/v4
expect 0 'a client' timeout 60 mount -t nfs -o vers=4.2,actimeo=1,lookupcache=none host2:/zumastor/volumes/home /mnt/v4
expect 0 'of each version' timeout 60 mount -t nfs -o vers=3,nolock,actimeo=1,lookupcache=none host2:$files /mnt/v3
is "$(seen)" "$(expected 2)" 'they see what there is'
exec 7</mnt/v4/state
for _ in 1 2 3; do
	pair_next
	is "$(seen)" "$(expected "$n")" "after delta $n"
done
is "$(far zumastor list home -H -o id | wc -l)" 3 'the oldest ones have gone there'
is "$(cat <&7)" "$n" 'a file that was open all the time has come with it'
exec 7<&-
expect 1 'it cannot be written' touch /mnt/v4/x
expect 0 'promote' far zumastor promote home
is "$(seen)" "$(expected "$n")" 'clients see the same'
expect 0 'and write' eval 'echo mine >/mnt/v4/state && sync -f /mnt/v4'
is "$(far cat $files/state)" mine 'to the volume'
is "$(seen)" "$(expected mine)" 'and to no snapshot'
umount /mnt/v3 /mnt/v4
expect 0 'stop' far zumastor stop volume home
done_testing
