# replicate.sh - sending one snapshot to one target.   Needs core.sh ... target.sh, peer.sh, delta.sh.
#
# Works on the variables of zumastor-replicate: volume, dir, snap (the id that is sent), base (an
# id, or nothing for a full copy), host, target_dir, peer_holds, job (a private directory).
# shellcheck shell=bash disable=SC2034,SC2154

# replicate_base - sets base and base_uuid, or up_to_date when the target has $snap, or a newer one, already.
# The base is the newest snapshot that both have.  Where the target has newer ones of its own, it is asked to go back to it,
# and may refuse.
replicate_base() {
	local theirs newest=${peer_holds[0]-}
	base='' base_uuid=none
	if [[ -z $newest ]]; then
		replicate_may_begin
		return
	fi
	for theirs in "${peer_holds[@]}"; do
		snap_of_uuid "$theirs"
		base=$REPLY
		[[ -z $base ]] || break
	done
	if [[ -n $base && $theirs == "$newest" ]] && ((base >= snap)); then
		up_to_date=yes
	elif [[ -n ${opt[full]-} ]]; then
		base=
	elif [[ -z $base ]]; then
		die_with "$LOST" "'$host' holds no snapshot that '$volume' still has:" \
			"a full copy is needed; --full makes it"
	else
		[[ $theirs == "$newest" ]] || replicate_parted
		base_uuid=$theirs
	fi
}

# replicate_parted - the target went on, too, behind $base: whatever it says to that, what is here belongs to it.
replicate_parted() {
	snap_time_text "${snap_time[base]}"
	((base < snap)) || die_with "$LOST" "'$host' has snapshots of its own that are newer than ${snap_uuid[base]}" \
		"of $REPLY, and '$volume' none to be sent; try 'zumastor snapshot $volume'"
	snap_after "$base"
	snap_time_text "${snap_time[snap]}"
	peer_note="'$volume' has here ${#REPLIES[@]}, and $snap of $REPLY was to be sent"
}

# replicate_next - not snap, but the next that the target lacks of those that lead there.
replicate_next() {
	local id
	for id in "${snap_ids[@]}"; do
		if ((id > ${base:-0} && id < snap)) && [[ ${snap_kinds[id]} != exec ]]; then
			snap=$id
			return
		fi
	done
}

# replicate_may_begin - a first copy of which much may be there is not begun again unasked.
replicate_may_begin() {
	((${#peer_partial[@]})) && [[ -z ${opt[full]-} ]] || return 0
	snap_of_uuid "${peer_partial[1]}"
	[[ -n $REPLY ]] || die_with "$LOST" \
		"'$host' has ${peer_partial[2]} bytes of snapshot ${peer_partial[1]}, which is gone:" \
		"--full begins a copy anew"
}

# replicate_resume - where a delta that was cut can go on, sets resume, and snap, base and base_uuid are that delta's.
# False when there is none, another one is asked for, or the target has grown since.
replicate_resume() {
	local id base_id=
	((${#peer_partial[@]})) || return 1
	snap_of_uuid "${peer_partial[1]}"
	id=$REPLY
	[[ -n $id ]] && ((id <= snap && snap_sectors[id] * 512 == peer_bytes)) || return 1
	if [[ ${peer_partial[0]} != none ]]; then
		[[ -z ${opt[full]-} && ${peer_partial[0]} == "${peer_holds[0]-}" ]] || return 1
		snap_of_uuid "${peer_partial[0]}"
		base_id=$REPLY
		[[ -n $base_id ]] || return 1
	fi
	snap=$id base=$base_id base_uuid=${peer_partial[0]} resume=${peer_partial[2]}
}

# replicate_hold - what is sent stays, until the target has it.
replicate_hold() {
	[[ -n ${opt[dry-run]-} ]] || state_set "$target_dir/sending" "${snap_uuid[snap]}"
}

# replicate_send - send it; dies unless the other side says that it has a snapshot of it.
replicate_send() {
	local code=0
	peer_choose send "$base_uuid" "${snap_uuid[snap]}" ${resume:+"$resume"}
	# In the background: a trapped signal interrupts wait, but not a command in front.
	delta_stream >&"$peer_out" &
	stream_pid=$!
	peer_end_of_stream
	wait "$stream_pid" || code=$?
	stream_pid=
	# When the other side gave up first, it is the one to know why.
	if ((code != 0)) && ! grep -q 'roken pipe' "$job/pack"; then
		die_with $((code <= 7 ? code : 1)) \
			"cannot send '$volume': $(sed 's/^[a-z-]*: //;q' "$job/pack")"
	fi
	peer_hear
	[[ $REPLY == "done ${snap_uuid[snap]} "* ]] ||
		die_with "$CORRUPT" "'$host' said something unexpected: '${REPLY:0:80}'"
}

# replicate_end JOB - whatever happened: no process of ours stays behind.
replicate_end() {
	[[ -z ${stream_pid-} ]] || kill "$stream_pid" 2>/dev/null
	[[ -z ${murmur_pid-} ]] || kill "$murmur_pid" 2>/dev/null
	[[ -z ${peer_pid-} ]] || kill "$peer_pid" 2>/dev/null
	rm -rf -- "$1"
}

# replicate_done - what the target holds now is the base of the next delta.
replicate_done() {
	state_set "$target_dir/base" "$1"
	state_set "$target_dir/last_success" "$EPOCHSECONDS"
	rm -f -- "$target_dir/sending" "$target_dir/last_error"
	state_get host "$dir/master/from"
	[[ $REPLY != "$host" ]] || replicate_united
}

# replicate_failed TARGET_DIR - undo of a cycle that did not end well: remember why.  What was being
# sent stays held: the target may have it, and only the answer was lost.
replicate_failed() {
	state_set "$1/last_error" "${last_words:-failed}"
}

# replicate_united - the master that we were promoted in place of follows.
replicate_united() {
	lock_take "$volume"
	snap_load
	promote_end
	lock_drop "$volume"
}
