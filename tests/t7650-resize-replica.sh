#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# A volume that has grown is replicated once its replica has grown, too: what changed, and all that is new.  Before
# that it is refused, and nothing is sent.
# shellcheck disable=SC2153 # the lab gives the names of the disks
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"
disk=$DEV1NAME

# both CMD... - here and there.
both() {
	"$@"
	far "$@"
}

# slice SECTORS - how much of the disk the origin here has;  far_slice - there.
slice() {
	dmsetup load org --table "0 $1 linear $disk 0"
	dmsetup resume org
}

far_slice() {
	far dmsetup load org --table "0 $1 linear $disk 0"
	far dmsetup resume org
}

both modprobe -a dm-mod dm-snapshot dm-thin-pool
both dmsetup create org --table "0 24586 linear $disk 0"	# the last chunk is a part of one
DEV1NAME=/dev/mapper/org
pair_make
z snapshot home hourly >/dev/null
expect 0 'a full copy' z replicate home -q

slice 40002
expect 0 'grow it here' z resize home -o max
resize2fs /dev/mapper/home &>/dev/null
pair_change 3000
z snapshot home hourly >/dev/null
expect 1 'its replica is too small' z replicate home
like "$(<"$err")" "snapshot 2 of 'home' has $((40002 * 512)) bytes, 'home' on 'host2' has $((24586 * 512))" \
	'which is said before anything is sent'
is "$(far zumastor list home -H -o id | wc -l)" 1 'nothing arrived'

far_slice 40002
expect 0 'grow it there' far zumastor resize home -o max
expect 0 'replicate' z replicate home
like "$(<"$out")" "^host2: snapshot 2 of 'home' on base 1: " 'what changed'
is "$(hashes | grep -c -f <(far_hashes))" 2 'both snapshots are the same there'
is "$(far_tree)" "$(tree /run/zumastor/volumes/home-snapshots/hourly.0)" 'readers see the newest'
done_testing
