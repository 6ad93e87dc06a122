# flip.sh - replace what is mounted on a directory, so that nobody finds it bare.   Needs core.sh, lock.sh, mount.sh, nfs.sh.
#
# The new mount goes below the old one, and then the old one away: whoever looks sees one or the other.  mount(8) cannot
# mount below another, and the kernel's MOVE_MOUNT_BENEATH is of 6.5.  But every kernel we run on puts a mount there that
# comes from a peer of the parent mount (mount_namespaces(7)): so the parent is bound to a private place, where the old
# one is not to be seen, and the new one mounted there.
# shellcheck shell=bash

# flip_mount DEVICE DIR TYPE OPTIONS - what is on DIR must be the volume's.  Who has a file of it open keeps that.
flip_mount() {
	local number dir
	local -a old=()
	dir=$(readlink -f -- "$2") || dir=$2
	number=$(stat -L -c %Hr:%Lr -- "$1")
	flip_top "$dir"
	if [[ -z $REPLY ]]; then
		mount_device "$1" "$dir" "$3" "$4"
		return
	fi
	if [[ $REPLY != "$number" ]]; then
		flip_check "$REPLY"
		flip_below "$1" "$dir" "$3" "$4"
	fi
	flip_uncover
	nfs_moved "${old[@]}"
}

# flip_top DIR - sets REPLY to the device number of what is mounted there, or to nothing.  Of two mounts mountpoint -d would
# tell the one that came last, and not the one to be seen.
flip_top() {
	REPLY=
	! mount_is_point "$1" || REPLY=$(stat -c %Hd:%Ld -- "$1")
}

# flip_check NUMBER - dies unless it is a device of the volume.
flip_check() {
	local uuid=
	[[ ! -e /sys/dev/block/$1/dm/uuid ]] || uuid=$(</sys/dev/block/"$1"/dm/uuid)
	[[ $uuid == "ZUMASTOR-${record[volume]}-"* ]] || die_with "$BUSY" \
		"cannot show the new snapshot: something else is mounted on '$mountpoint'"
}

# flip_below DEVICE DIR TYPE OPTIONS - mount it below what is on DIR.
flip_below() {
	local staging=$ZUMASTOR_RUN/jobs/$volume.flip parent=${2%/*} propagation at
	lock_take :flip forever	# the parent may be another volume's, too
	flip_clear "$staging"
	on_exit flip_clear "$staging"
	read -r propagation at <<<"$(findmnt -rn -o PROPAGATION,TARGET -T "${parent:-/}")"
	printf -v at %b "$at"
	[[ $propagation == shared* ]] || run mount --make-shared -- "$at"
	run mkdir -m 0700 -- "$staging"
	run mount --bind -- "${parent:-/}" "$staging"
	mount_quietly -t "$3" -o "$4" -- "$1" "$staging/${2##*/}"
	flip_dot "$2/.snapshot" "$staging/${2##*/}/.snapshot"
	flip_clear "$staging"
	case $propagation in
	shared*)	;;
	*slave)		run mount --make-slave -- "$at" ;;
	*)		run mount --make-private -- "$at" ;;
	esac
	lock_drop :flip
}

# flip_dot FROM TO - what is mounted on FROM is to be seen at TO, too, from the first.  By way of a private place, as what is taken
# from FROM with the old mount would be taken from its peers.   Where that fails it is to be seen a little later.
flip_dot() {
	local place=$ZUMASTOR_RUN/jobs/$volume.dot
	mount_is_point "$1" && [[ -d $2 && ! -L $2 ]] || return 0
	flip_clear "$place"
	on_exit flip_clear "$place"
	{ run mkdir -m 0700 -- "$place" && run mount --rbind -- "$1" "$place" && run mount --make-rprivate -- "$place" &&
		run mount --rbind -- "$place" "$2"; } 2>/dev/null || true
	flip_clear "$place"
}

# flip_clear STAGING - what ends there must not end where it came to.
flip_clear() {
	[[ -d $1 ]] || return 0
	if mount_is_point "$1"; then
		run mount --make-rprivate -- "$1"
		run umount -l -- "$1"
	fi
	run rmdir -- "$1"
}

# flip_uncover - take away what covers the mount of device $number on $dir; adds to old.
flip_uncover() {
	flip_top "$dir"
	while [[ -n $REPLY && $REPLY != "$number" ]]; do
		flip_check "$REPLY"
		old+=("$REPLY")
		run umount -l -- "$dir"
		flip_top "$dir"
	done
	[[ -n $REPLY ]] || die "cannot replace what was mounted on '$dir'"
}
