# replica.sh - a volume that follows another host's.
#
# Needs core.sh, state.sh, volume.sh, snap.sh, mount.sh; replica_flip flip.sh and nfs.sh, replica_rollback revert.sh.
# shellcheck shell=bash disable=SC2154

# How far a delta has come that is being applied, or was when it was cut: csrc/lib/progress.h.  It is true as long as the
# newest snapshot is the one behind which it was begun, source/onto.

# replica_files - sets REPLIES to the file in memory and the one that outlives a crash.
replica_files() {
	REPLIES=("$ZUMASTOR_RUN/jobs/$volume:receive.progress" "$dir/source/progress")
}

# replica_newest - sets REPLY to the newest snapshot's uuid, or none.  Needs snap_load.
replica_newest() {
	snap_newest
	REPLY=${REPLY:+${snap_uuid[$REPLY]}}
	REPLY=${REPLY:-none}
}

# replica_met - what the source has sent, if anything, is here.
replica_met() {
	state_set "$dir/source/last_success" "$EPOCHSECONDS" "$dir/source/last_error" ''
}

# replica_told FILE - sets REPLIES to the base, snapshot and offset that it tells, or to nothing where it is torn.
replica_told() {
	local key value base='' uuid='' offset='' again=''
	REPLIES=()
	[[ -e $1 ]] || return 0
	while IFS='=' read -r key value && [[ -n $key ]]; do
		case $key in
		base)		base=$value ;;
		snapshot)	uuid=$value ;;
		offset)		offset=$value ;;
		again)		again=$value ;;
		esac
	done <"$1"
	is_base "$base" && is_uuid "$uuid" && is_number "$offset" && [[ $offset == "$again" ]] || return 0
	REPLIES=("$base" "$uuid" "$offset")
}

# replica_base - sets REPLY to the uuid of the snapshot that the newest one is, or equals after a rewind; or none.
replica_base() {
	local newest
	replica_newest
	newest=$REPLY
	state_get stand_in "$dir/source/stand-in"
	if [[ $REPLY == "$newest "* ]]; then
		REPLY=${REPLY#* }
	else
		REPLY=$newest
	fi
}

# replica_partial - sets partial to BASE SNAPSHOT OFFSET of a delta that can go on, or to nothing.  Needs snap_load.
replica_partial() {
	local file newest
	local -a files
	partial=()
	replica_newest
	newest=$REPLY
	state_get base "$dir/source/onto"
	[[ $REPLY == "$newest" ]] || return 0
	replica_files
	files=("${REPLIES[@]}")
	for file in "${files[@]}"; do
		replica_told "$file"
		if ((${#REPLIES[@]} && REPLIES[2] > ${partial[2]-0})); then
			partial=("${REPLIES[@]}")
		fi
	done
}

# replica_forget_partial - for good, before the origin becomes something else.
replica_forget_partial() {
	replica_files
	state_set "${REPLIES[0]}" '' "${REPLIES[1]}" '' "$dir/source/onto" ''
}

# replica_keep_own - what was written here, when it was no replica yet, becomes a snapshot of the kind undo.
replica_keep_own() {
	local undo
	[[ -e $dir/source/own ]] || return 0
	if replica_is_written; then
		replica_take undo
		snap_newest
		undo=$REPLY
		(snap_show "$undo" && mount_snapshot "$undo") ||
			warn "snapshot $undo of '$volume', what it was, is not mounted"
	fi
	state_set "$dir/source/own" ''
}

# replica_is_written - was the origin written since its newest snapshot, if it has one?
replica_is_written() {
	volume_status
	[[ ${facts[head_state]} == ok && ${facts[head_chunks]} != 0 ]]
}

# replica_take KIND - a snapshot of the origin.
replica_take() {
	run helper dm-snapshot --kinds "$1" "$volume" "$store" >/dev/null
	volume_settle
	snap_load
}

# replica_rollback - make the origin what its newest snapshot shows.  After a delta that was cut it
# is a mix of old and new; the head's exception store has the old content of all that changed.
replica_rollback() {
	local cow head
	revert_phase
	[[ -z $REPLY ]] || replica_end_rewind
	replica_keep_own
	replica_forget_partial
	volume_status
	[[ ${facts[head_state]} == ok || ${facts[head_state]} == none ]] ||
		die_with "$LOST" "newest snapshot of '$volume' is lost (${facts[head_state]}):" \
			"a full copy is needed"
	is_number "${facts[head_chunks]}" || die_with "$CORRUPT" "bad status of '$volume'"
	((facts[head_chunks] > 0)) || return 0
	snap_newest
	head=$REPLY
	[[ -n $head && $head == "${facts[head]}" ]] ||
		die_with "$LOST" "'$volume' has no snapshot to go back to: a full copy is needed"
	snap_number chunk_sectors
	cow=$(become dm-cows "$volume" "$store" "$head" head)
	run helper cow-rollback $((REPLY * 512)) "$cow" "/dev/mapper/$volume" >/dev/null
}

# replica_flip ID - let readers see another snapshot; whoever has a file of the old one open keeps it.
replica_flip() {
	local device type
	snap_device "$1"
	device=$REPLY
	mount_type "$device"
	type=$REPLY
	[[ -n $type ]] || return 0
	mount_snapshot_options "$type"
	flip_mount "$device" "$mountpoint" "$type" "$REPLY"
	keep	# readers see the new snapshot
	mount_link "$mountpoint" "$ZUMASTOR_RUN/mount/$volume"
}

# replica_rewind ID - make the origin what an older snapshot shows, on which the next delta is made, and take a snapshot of
# that, which stands in for the older one.  What is newer stays.   The volume's lock is given up while data is copied.
replica_rewind() {
	local stand_in
	stand_in=$(</proc/sys/kernel/random/uuid)
	! replica_is_written || replica_take expired	# a delta was taken back, and a revert wants a head without exceptions
	run helper dm-revert begin "$volume" "$store" "$1" >/dev/null
	replica_end_rewind
	state_set "$dir/source/stand-in" "$stand_in ${snap_uuid[$1]}"
	run helper dm-snapshot --uuid "$stand_in" --time "${snap_time[$1]}" --kinds expired \
		"$volume" "$store" >/dev/null
	volume_settle
	snap_load
}

# replica_end_rewind - wait until nothing is being copied, and see to it if nobody does: who began may have been killed.
replica_end_rewind() {
	lock_drop "$volume"
	run helper zumastor-revert --job "$volume"
	lock_take "$volume" forever
	snap_load
}

# replica_own ID - sets REPLY to a clause about the snapshots that are newer.
replica_own() {
	local since
	snap_after "$1"
	snap_time_text "${snap_time[$1]}"
	since="newer than snapshot ${snap_uuid[$1]} of $REPLY"
	if ((${#REPLIES[@]} == 0)); then
		REPLY="nothing $since"
	else
		snap_time_text "${snap_time[${REPLIES[-1]}]}"
		REPLY="${#REPLIES[@]} $since, the last of $REPLY"
	fi
}

# replica_check_parted ID - dies unless the volume may be brought back to an older snapshot, which hides all that is newer.
replica_check_parted() {
	[[ ! -e $dir/source/rewind ]] || return 0
	replica_own "$1"
	die_with "$LOST" "both sides went on: '$volume' has here $REPLY;" \
		"'zumastor define source $volume HOST --yes' here hides them"
}

# replica_check_role - dies on a volume that follows nobody, and says since when.
replica_check_role() {
	local text="volume '$volume' is no replica here" parted
	[[ $role != source ]] || return 0
	state_get uuid "$dir/master/parted"
	parted=$REPLY
	if [[ -n $parted ]]; then
		snap_load
		snap_of_uuid "$parted"
		[[ -z $REPLY ]] || replica_own "$REPLY"
		text+=" but was promoted, and has here ${REPLY:-what it was given since}"
	fi
	die "$text; 'zumastor define source $volume HOST' makes it one"
}
