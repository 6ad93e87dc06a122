# receive.sh - bring a replica to the state that a delta has, whoever gives it.
#
# Needs core.sh ... snap.sh, mount.sh, replica.sh, hold.sh, rotation.sh, hook.sh.  Works on the command's
# variables: volume, dir, store and partial (replica_partial), patience, the seconds for a sender that is
# silent, and framed, not empty where the connection goes on behind the delta.  After any failure readers see the
# newest complete snapshot; what was written behind it is the beginning of the next delta, or is undone when that
# is another.
# shellcheck shell=bash disable=SC2004,SC2034,SC2154 # the associative arrays are others'

# receive_open VOL - it must run, be a replica, and receive nothing else now.
receive_open() {
	volume_open "$1"
	replica_check_role
	lock_take "$volume:receive" 0
	always rm -f -- "$ZUMASTOR_RUN/jobs/$volume:receive.pid"
	printf '%s\n' "$$" >"$ZUMASTOR_RUN/jobs/$volume:receive.pid"
	lock_take "$volume"
	volume_ready
	receive_finish
	snap_load
	lock_drop "$volume"
	replica_partial
}

# receive_delta BASE UUID [OFFSET] - all of it, from stdin; sets written, in bytes.
receive_delta() {
	receive_check "$1" "$2"
	hook_uuid[$volume]=$2
	hook_run pre-receive
	receive_prepare "$@"
	receive_apply "$@"
	written=${facts[written_bytes]}
	lock_take "$volume"
	receive_take "$2"
}

# receive_check BASE UUID - the sender's choice, checked against what we have.
receive_check() {
	local newest
	[[ $1 == none ]] || check uuid "$1" 'base' "$CORRUPT"
	check uuid "$2" 'snapshot' "$CORRUPT"
	snap_of_uuid "$2"
	[[ -z $REPLY ]] || die "snapshot $2 is here already"
	replica_base
	[[ $1 != none && $1 != "$REPLY" ]] || return 0
	newest=$REPLY
	snap_of_uuid "$1"
	[[ -n $REPLY ]] ||
		die_with "$LOST" "the delta was made on $1, the newest snapshot here is $newest"
	replica_check_parted "$REPLY"
}

# receive_prepare BASE UUID OFFSET - make the origin what the delta begins on.
receive_prepare() {
	local newest
	[[ -z ${3-} ]] || {
		check number "$3" 'offset' "$CORRUPT"
		[[ ${partial[*]-} == "$*" ]] || die_with "$LOST" "the delta goes on behind byte $3 of $2;" \
			"here is ${partial[*]:-the beginning}"
		return 0
	}
	lock_take "$volume"
	replica_rollback
	replica_base
	if [[ $1 != none && $1 != "$REPLY" ]]; then
		snap_of_uuid "$1"
		replica_rewind "$REPLY"
	fi
	replica_newest
	newest=$REPLY
	state_set "$dir/source/onto" "$newest"
	lock_drop "$volume"
}

# receive_show_base - sets REPLY to a device that holds what the delta was made on, whatever is written meanwhile.
receive_show_base() {
	local id
	snap_newest
	id=$REPLY
	snap_device "$id"
	[[ ! -e $REPLY ]] || return 0
	lock_take "$volume"
	snap_show "$id"
	lock_drop "$volume"
	snap_device "$id"
}

# receive_grow BYTES - before a delta of a larger snapshot.  A peer gets what the origin's device has, and no more.
receive_grow() {
	check number "$1" 'size' "$CORRUPT"
	lock_take "$volume"
	volume_need_own resize
	grow_check "$origin" "$1"
	[[ ${#REPLIES[@]} == 0 || -z ${ZUMASTOR_PEER-} ]] ||
		die "'$origin' is too small; 'zumastor resize $volume --origin $1' there makes it larger"
	"${REPLIES[@]}"
	run helper dm-resize --origin "$1" "$volume" "$origin" "$store" "${metadev[@]}" >/dev/null
	snap_load
	lock_drop "$volume"
}

# receive_apply BASE UUID [OFFSET] - write the delta behind the newest snapshot; sets facts to what it says.
receive_apply() {
	local text
	local -a lineage=() old=() sums
	if [[ $1 != none ]]; then
		receive_show_base
		old=(--old "$REPLY")
	fi
	sums_begin "$@"
	replica_files
	state_get uuid "$dir/source/uuid"
	[[ -z $REPLY ]] || lineage=(--volume "$REPLY")
	text=$(become delta-apply "${lineage[@]}" --base "$1" ${3:+--resume "$2:$3"} "${old[@]}" "${sums[@]}" \
		--progress "${REPLIES[0]}" --durable "${REPLIES[1]}" --patience "${patience:-0}" ${framed:+--framed} \
		"/dev/mapper/$volume")
	facts_read "$text"
	[[ ${facts[snapshot]-} == "$2" ]] ||
		die_with "$CORRUPT" "the delta is of '${facts[snapshot]-}', announced was '$2'"
	check uuid "${facts[volume]-}" 'volume' "$CORRUPT"
	check number "${facts[time]-}" 'time' "$CORRUPT"
	check kinds "${facts[kinds]-}" 'kinds' "$CORRUPT"
	check number "${facts[written_bytes]-}" 'count' "$CORRUPT"
}

# receive_take UUID - make a snapshot of what was applied.
receive_take() {
	state_set "$dir/source/taking" "$1 ${facts[volume]}"
	run helper dm-snapshot --uuid "$1" --time "${facts[time]}" \
		--kinds "${facts[kinds]}" "$volume" "$store" >/dev/null
	receive_finish
}

# receive_finish - let readers see the snapshot that was taken, also where who took it was killed before they did: the sender
# will only say that there is nothing new.   The caller has the volume's lock.
receive_finish() {
	local uuid sender_uuid id
	state_get stand_in "$dir/source/taking"
	[[ -n $REPLY ]] || return 0
	uuid=${REPLY% *} sender_uuid=${REPLY#* }
	volume_settle
	snap_load
	snap_of_uuid "$uuid"
	id=$REPLY
	if [[ -n $id ]]; then
		receive_taken "$sender_uuid"
		receive_event "$id"
		receive_show "$id"
	fi
	rm -f -- "$dir/source/taking"
}

receive_event() {
	snap_time_text "${snap_time[$1]}"
	event "$volume" "received snapshot $1 of $REPLY, ${snap_kinds[$1]}${ZUMASTOR_PEER:+, from $ZUMASTOR_PEER}${written:+, $written bytes}"
}

receive_show() {
	hook_uuid[$volume]=${snap_uuid[$1]}
	snap_show "$1"
	replica_flip "$1"
	[[ -e $dir/shares/nosnapmount ]] || (mount_snapshot "$1") || warn "snapshot $1 of '$volume' is not mounted"
	mount_publish	# .snapshot went with what was seen before
	sums_settle
	hook_taken post-receive "$1"
	rotation_run
	hook_sweep
	mount_publish
}

# receive_taken VOLUME_UUID - the delta of that volume is a snapshot now.
receive_taken() {
	local -a pairs=("$dir/source/uuid" "$1")
	# zumastor-serve says so; from now on rotation.sh and space.sh are careful.
	[[ -z ${ZUMASTOR_PEER-} ]] || pairs+=("$dir/source/peer" "$ZUMASTOR_PEER")
	state_set "${pairs[@]}" "$dir/source/rewind" '' "$dir/source/stand-in" ''
	replica_forget_partial
}
