# exec.sh - a snapshot for one command.
#
# Needs core.sh ... snap.sh, mount.sh, hold.sh, rotation.sh.   Works on the variables of zumastor-exec: id, device,
# directory.  The lock VOLUME:exec:ID says that the snapshot is needed; it ends with its process, however that
# ends, and then rotation_orphans clears up.
# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the associative array is lock.sh's

# exec_claim - tell others that COMMAND needs the snapshot.  Several may run in one.
exec_claim() {
	lock_share "$volume:exec:$id"
}

# exec_leave ID [DEVICE] - the claim ends; what was taken for it goes, or a DEVICE that was made for it.
exec_leave() {
	local fd
	for fd in "${lock_fd[@]}"; do
		flock -u "$fd"
	done
	lock_take "$volume" forever
	snap_load
	rotation_orphans
	[[ -n ${2-} && -e $2 ]] || return 0
	mount_targets "$2"
	((${#REPLIES[@]})) || "$ZUMASTOR_LIBEXEC/dm-hide" "$volume" "$store" "$1" 2>/dev/null
}

# exec_enter - show and mount it; sets device and, where there is a filesystem, directory.
exec_enter() {
	local type
	snap_device "$id"
	device=$REPLY
	if [[ -e $device ]]; then
		always exec_leave "$id"
	else
		always exec_leave "$id" "$device"
	fi
	snap_show "$id"
	mount_type "$device"
	type=$REPLY
	[[ -n $type ]] || return 0
	mount_snapshot_options "$type"
	directory=$(mktemp -d "$ZUMASTOR_RUN/jobs/exec.$volume.$id.XXXXXX")
	always mount_place_end "$directory"
	mount_quietly -t "$type" -o "$REPLY" -- "$device" "$directory"
}
