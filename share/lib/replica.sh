# replica.sh - a volume that follows another host's.
#
# Needs core.sh, state.sh, volume.sh, snap.sh, mount.sh; replica_flip flip.sh and nfs.sh.
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
	rm -f -- "${REPLIES[@]}" "$dir/source/onto"
	sync -- "$dir/source"
}

# replica_rollback - make the origin what its newest snapshot shows.  After a delta that was cut it
# is a mix of old and new; the head's exception store has the old content of all that changed.
replica_rollback() {
	local cow head
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
	cow=$(helper dm-cows "$volume" "$store" "$head" head)
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
