# replicate.sh - sending one snapshot to one target.   Needs core.sh ... target.sh, bookmark.sh, peer.sh, delta.sh, compress.sh,
# transfer.sh.
#
# Works on the command's variables: volume, dir, opt, lock_seconds, and on those of replicate_one: snap (the id
# that is sent), base (an id, or nothing for a full copy or where there is only a bookmark), since (the id that the base
# has or had, or nothing), host, target_dir, peer_holds, job (a private directory), framed.
# shellcheck shell=bash disable=SC2034,SC2154

# replicate_base - sets base and base_uuid, or up_to_date when the target has $snap, or a newer one, already.
# The base is the newest snapshot that both have, or that the target has and a bookmark is here of.  Where the target has
# newer ones of its own, it is asked to go back to it, and may refuse.
replicate_base() {
	local theirs newest=${peer_holds[0]-}
	base='' since='' base_uuid=none
	if [[ -z $newest ]]; then
		replicate_may_begin
		return
	fi
	for theirs in "${peer_holds[@]}"; do
		replicate_find "$theirs"
		[[ -z $since ]] || break
	done
	if [[ -n $since && $theirs == "$newest" ]] && ((since >= snap)); then
		up_to_date=yes base_uuid=$theirs
	elif [[ -n ${opt[full]-} ]]; then
		base='' since=''
	elif [[ -z $since ]]; then
		die_with "$LOST" "'$host' holds no snapshot that '$volume' still has:" \
			"a full copy is needed; --full makes it"
	else
		[[ $theirs == "$newest" ]] || replicate_parted
		base_uuid=$theirs
	fi
}

# replicate_find UUID - sets base, since and since_time, or bookmark and the last two, or leaves since empty.
replicate_find() {
	snap_of_uuid "$1"
	base=$REPLY since=$REPLY
	if [[ -n $base ]]; then
		since_time=${snap_time[base]}
	else
		bookmark_find "$1"
	fi
}

# replicate_parted - the target went on, too, behind its base: whatever it says to that, what is here belongs to it.
replicate_parted() {
	snap_time_text "$since_time"
	((since < snap)) || die_with "$LOST" "'$host' has snapshots of its own that are newer than $theirs" \
		"of $REPLY, and '$volume' none to be sent; try 'zumastor snapshot $volume'"
	snap_after "$since"
	snap_time_text "${snap_time[snap]}"
	peer_note="'$volume' has here ${#REPLIES[@]}, and $snap of $REPLY was to be sent"
}

# replicate_next - not snap, but the next that the target lacks of those that lead there.
replicate_next() {
	local id
	for id in "${snap_ids[@]}"; do
		if ((id > ${since:-0} && id < snap)) && [[ ${snap_kinds[id]} != exec ]]; then
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
	local id
	base='' since=''
	((${#peer_partial[@]})) || return 1
	snap_of_uuid "${peer_partial[1]}"
	id=$REPLY
	[[ -n $id ]] && ((id <= snap && snap_sectors[id] * 512 == peer_bytes)) || return 1
	if [[ ${peer_partial[0]} != none ]]; then
		[[ -z ${opt[full]-} && ${peer_partial[0]} == "${peer_holds[0]-}" ]] || return 1
		replicate_find "${peer_partial[0]}"
		[[ -n $since ]] && ((since < id)) || return 1
	fi
	snap=$id base_uuid=${peer_partial[0]} resume=${peer_partial[2]}
}

# replicate_extra - sets extra to the ranges that a verify found to differ, which are to be sent whether they changed or not.
# What is there is not what was sent: there is nothing to compare with.
replicate_extra() {
	extra=
	[[ -e $target_dir/repair ]] || return 0
	extra=$target_dir/repair.ranges compare=no
}

# replicate_extra_begins, replicate_extra_done UUID - they are sent once a delta that had them from its beginning has arrived.
replicate_extra_begins() {
	[[ -z $extra || -n $resume ]] || state_set "$target_dir/repair" "${snap_uuid[snap]}"
}

replicate_extra_done() {
	state_get base "$target_dir/repair"
	[[ $REPLY != "$1" ]] || rm -f -- "$target_dir/repair"
}

# replicate_sizes - sets volume_bytes, which the replica is to have, too; dies before anything is sent.  A smaller one is made
# larger, a larger one is none of this volume's.
replicate_sizes() {
	volume_bytes=$((snap_sectors[snap] * 512))
	if [[ -z $up_to_date ]] && ((${peer_bytes:-volume_bytes} < volume_bytes)); then
		[[ -z ${opt[dry-run]-} ]] || return 0
		peer_grow "$volume_bytes"
	fi
	[[ $peer_bytes == "$volume_bytes" ]] || die "sizes must be equal:" \
		"snapshot $snap of '$volume' has $volume_bytes bytes," \
		"'$remote_name' on '$host' has ${peer_bytes:-none}"
}

# replicate_hold - what is sent stays, until the target has it.
replicate_hold() {
	[[ -n ${opt[dry-run]-} ]] || state_set "$target_dir/sending" "${snap_uuid[snap]}"
}

# replicate_send - send it; dies unless the other side says that it has a snapshot of it.
replicate_send() {
	local code=0 word=send
	replicate_extra_begins
	[[ -z $extra || -z $base ]] || word=repair
	[[ -z $framed ]] || peer_say framed
	peer_choose "$word" "$base_uuid" "${snap_uuid[snap]}" ${resume:+"$resume"}
	streaming=yes
	transfer_begin
	transfer_watch
	# In the background: a trapped signal interrupts wait, but not a command in front.
	delta_stream >&"$peer_out" &
	stream_pid=$!
	peer_end_of_stream
	wait "$stream_pid" || code=$?
	stream_pid=
	transfer_unwatch
	transfer_end
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
	delta_stop "$1"
	[[ -z ${murmur_pid-} ]] || kill "$murmur_pid" 2>/dev/null
	[[ -z ${peer_pid-} ]] || kill "$peer_pid" 2>/dev/null
	transfer_unwatch
	rm -rf -- "$1"
}

# replicate_done - what the target holds now is the base of the next delta.
replicate_done() {
	state_get text "$target_dir/last_error"
	[[ -z $REPLY ]] || event "$volume" "$host: reached again"
	state_set "$target_dir/base" "$1" "$target_dir/last_success" "$EPOCHSECONDS" \
		"$target_dir/sending" '' "$target_dir/last_error" ''
	replicate_extra_done "$1"
	bookmark_sweep
	state_get host "$dir/master/from"
	[[ $REPLY != "$host" ]] || replicate_united
}

# replicate_failed TARGET_DIR - undo of a cycle that did not end well: remember why.  What was being
# sent stays held: the target may have it, and only the answer was lost.
replicate_failed() {
	event_failed "$1/last_error" "${1##*/}: cannot be served"
	state_get number "$1/failures" 0
	state_set "$1/last_error" "${last_words:-failed}" "$1/failures" $((REPLY + 1))
}

# replicate_united - the master that we were promoted in place of follows.
replicate_united() {
	lock_take "$volume"
	snap_load
	promote_end
	lock_drop "$volume"
}

# replicate_tell SECONDS - one line for people.
replicate_tell() {
	local what="$host: snapshot $snap of '$volume'" changed equal=
	if [[ -n $up_to_date ]]; then
		say "$what is there already"
		return
	fi
	what+=${since:+ on base $since}
	[[ -n $base ]] || what+=${since:+, which is gone, by its bookmark}
	[[ -n $since ]] || what+=" in full"
	output_size "$changed_bytes"
	changed=$REPLY
	if [[ -n ${opt[dry-run]-} ]]; then
		say "$what: $changed to send${resume:+, from byte $resume on}"
		return
	fi
	facts_read "$(<"$job/stats")"
	output_size "${facts[equal_bytes]}"
	((facts[equal_bytes] == 0)) || equal=", $REPLY of it equal"
	output_size "${facts[stream_bytes]}"
	what+=": $changed changed${resume:+, from byte $resume on}$equal, $REPLY sent in $1 s"
	say "$what"
	event "$volume" "$what"
}

# replicate_meet - connect, find out what to send and compare sizes; sets wanted, which comes after that where something else
# is to be sent to its end first.
replicate_meet() {
	snap_load
	delta_choose "${opt[snapnum]-}"
	wanted=$snap
	peer_open
	peer_greeting receive
	up_to_date='' resume=''
	replicate_extra
	replicate_resume || replicate_base
	[[ $each == no || -n $resume ]] || replicate_next
	replicate_sizes
	[[ -z $here ]] || peer_say goal "${snap_uuid[wanted]}"
}

# replicate_cycle - send one snapshot.
replicate_cycle() {
	local started=$EPOCHSECONDS
	[[ -n ${opt[dry-run]-} ]] || on_exit replicate_failed "$target_dir"
	replicate_meet
	if [[ -z $up_to_date ]]; then
		peer_murmur_begin
		delta_prepare replicate_hold
	fi
	if [[ -n $up_to_date || -n ${opt[dry-run]-} ]]; then
		peer_choose nothing
		peer_end_of_stream
	else
		replicate_send
		compress_learn
	fi
	peer_close
	if [[ -z ${opt[dry-run]-} ]]; then
		keep	# the target has it
		[[ -n $up_to_date ]] || base_uuid=${snap_uuid[snap]}
		replicate_done "$base_uuid"
	fi
	replicate_tell $((EPOCHSECONDS - started))
}

# replicate_one HOST - until it has what is wanted; one snapshot where it has connected to us: it asks again.
replicate_one() {
	local job target_dir port user remote_name compress compress_auto compare rate each feature framed=${here:+framed}
	local differences=yes extra='' snap wanted base since since_time base_uuid bookmark
	local up_to_date resume old_device volume_bytes changed_bytes=0
	# A receiver that hangs up is an answer, not a reason to die without a word.
	trap '' PIPE
	target_load "$1"
	delta_check_rate
	compare=${opt[compare]:-$compare}
	compress=${opt[compress]:-$compress}
	compress_choose
	[[ -z ${opt[dry-run]-} ]] || compare=no
	[[ -z ${opt[each]-} ]] || each=yes
	[[ $feature != fullvolume ]] || opt[full]=yes
	[[ -z ${opt[full]-} ]] || each=no
	lock_take "$volume:target:$host" "$lock_seconds"
	job=$ZUMASTOR_RUN/jobs/$volume:send:$host
	always replicate_end "$job"
	[[ ! -e $job ]] || rm -rf -- "$job"	# one that was killed has left it
	mkdir -- "$job"
	replicate_cycle
	[[ -z $here ]] || return 0
	opt[full]=	# that was sent
	until [[ $snap == "$wanted" || -n $up_to_date || -n ${opt[dry-run]-} ]]; do
		replicate_cycle
	done
}
