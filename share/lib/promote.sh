# promote.sh - from replica to master, and what is remembered of it until the old master follows.
#
# Needs core.sh ... snap.sh, mount.sh, nfs.sh, flip.sh, hold.sh, replica.sh.   $dir/master/parted is the uuid of the snapshot where
# the histories part, .../promoted the time, .../from the old master.  A hold keeps that snapshot, so that the way back is an
# incremental.
# shellcheck shell=bash disable=SC2154

# promote_volume - the replica becomes what its newest whole snapshot shows, and follows nobody any more; its readers see it,
# and it can be written.  The caller has its lock.
promote_volume() {
	lock_take "$volume:receive" 0
	volume_ready	# a delta that was cut can only be taken back while it runs
	snap_load
	replica_rollback
	mkdir -p -- "$dir/master"
	state_get host "$dir/source/host"
	state_set "$dir/master/from" "$REPLY" "$dir/master/promoted" "$EPOCHSECONDS"
	snap_newest
	[[ -z $REPLY ]] || promote_hold "$REPLY"
	snap_lineage
	state_set "$dir/lineage" "$REPLY"
	state_drop_dir "$dir/source"
	volume_role
}

promote_hold() {
	state_set "$dir/master/parted" "${snap_uuid[$1]}"
	hold_has "$1" promoted || hold_set "$1" "${snap_holds[$1]:+${snap_holds[$1]},}promoted"
}

# promote_mount - instead of the snapshot that the replica showed.
promote_mount() {
	local type
	mount_type "/dev/mapper/$volume"
	type=$REPLY
	[[ -n $type ]] || return 0
	volume_need_room mount
	state_get mountopts "$dir/mountopts"
	flip_mount "/dev/mapper/$volume" "$mountpoint" "$type" "$REPLY"
	keep	# it can be written
	mount_link "$mountpoint" "$ZUMASTOR_RUN/mount/$volume"
}

# promote_end - the histories are one again.  Needs snap_load.
promote_end() {
	state_get uuid "$dir/master/parted"
	rm -f -- "$dir/master"/{parted,promoted,from}
	[[ -n $REPLY ]] || return 0
	snap_of_uuid "$REPLY"
	if [[ -n $REPLY ]] && hold_has "$REPLY" promoted; then
		hold_drop "$REPLY" promoted
	fi
}
