# replicate.sh - sending one snapshot to one target.   Needs core.sh ... target.sh, peer.sh.
#
# Works on the variables of zumastor-replicate: volume, dir, snap (the id that is sent), base (an
# id, or nothing for a full copy), host, target_dir, peer_holds, job (a private directory).
# shellcheck shell=bash disable=SC2034,SC2154

# replicate_choose WANTED - sets snap: what is to be sent.
replicate_choose() {
	local id
	snap=
	if [[ -n $1 ]]; then
		snap_find "$1"
		snap=$REPLY
		[[ ${snap_kinds[snap]} != exec ]] ||
			die "snapshot $snap of '$volume' goes away: an exec took it for itself"
	else
		for id in "${snap_ids[@]}"; do
			[[ ${snap_kinds[id]} == exec ]] || snap=$id
		done
	fi
	[[ -n $snap ]] || die_with "$ABSENT" \
		"volume '$volume' has no snapshot to send; try 'zumastor snapshot $volume'"
}

# replicate_base - sets base and base_uuid, or up_to_date when the target has $snap, or a newer one, already.
# Only the target's newest snapshot will do as base: that is what its origin holds now.
replicate_base() {
	local theirs=${peer_holds[0]-}
	base='' base_uuid=none
	if [[ -z $theirs ]]; then
		replicate_may_begin
		return
	fi
	snap_of_uuid "$theirs"
	base=$REPLY
	if [[ -n $base ]] && ((base >= snap)); then
		up_to_date=yes
	elif [[ -n ${opt[full]-} ]]; then
		base=
	elif [[ -z $base ]]; then
		die_with "$LOST" "'$host' holds no snapshot that '$volume' still has:" \
			"a full copy is needed; --full makes it"
	else
		base_uuid=$theirs
	fi
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

# replicate_list - write the description of the delta into $job/description; sets changed_bytes.
# Called with the volume locked: a snapshot taken meanwhile would freeze what we read.
replicate_list() {
	local chunk_bytes chunks cow_text
	local -a cows grown=()
	volume_bytes=$((snap_sectors[snap] * 512))
	snap_number chunk_sectors
	chunk_bytes=$((REPLY * 512))
	chunks=$(((volume_bytes + chunk_bytes - 1) / chunk_bytes))
	{
		printf '%s=%s\n' volume "${record[volume]}" name "$volume" \
			base "$base_uuid" snapshot "${snap_uuid[snap]}" \
			time "${snap_time[snap]}" kinds "${snap_kinds[snap]}" \
			volume_bytes "$volume_bytes" chunk_bytes "$chunk_bytes" \
			${resume:+must-resume "$resume"}
		printf '\n'
	} >"$job/facts"
	if [[ -n $base ]]; then
		cow_text=$(helper dm-cows "$volume" "$store" "$base" "$snap")
		mapfile -t cows <<<"$cow_text"
		# The chunk across the old end is among those that nobody watched there.
		((snap_sectors[base] == snap_sectors[snap])) ||
			grown=(--from $((snap_sectors[base] * 512 / chunk_bytes)))
		helper cow-chunks "${grown[@]}" "$chunk_bytes" "$chunks" "${cows[@]}" \
			>"$job/ranges"
	else
		printf '0 %s\n' "$chunks" >"$job/ranges"
	fi
	{ cat -- "$job/facts" "$job/ranges" && printf 'end\n'; } >"$job/description"
	replicate_count "$chunk_bytes"
}

# replicate_count CHUNK_BYTES - sets changed_bytes; of all that is in it, also where only the rest is to be sent.
replicate_count() {
	changed_bytes=$(awk -v chunk="$1" '{ n += $2 } END { printf "%.0f", n * chunk }' \
		"$job/ranges")
	# The last chunk may reach beyond the end of the volume.
	((changed_bytes <= volume_bytes)) || changed_bytes=$volume_bytes
}

# replicate_prepare - show what is sent, list what changed, and keep it from expiring.
replicate_prepare() {
	lock_take "$volume"
	volume_ready
	# A snapshot may have gone since the list was made that the choice was based on.
	snap_load
	snap_find "$snap"
	[[ -z $base ]] || snap_find "$base"
	snap_device "$snap"
	if [[ ! -e $REPLY ]]; then
		snap_show "$snap"
		always replicate_hide "$snap"
	fi
	[[ -n ${opt[dry-run]-} ]] || state_set "$target_dir/sending" "${snap_uuid[snap]}"
	replicate_list
	# The exception stores were put up for the list alone.
	volume_settle
	lock_drop "$volume"
}

# replicate_hide ID - what was shown for us alone goes, unless somebody mounted it meanwhile.
replicate_hide() {
	[[ -n ${lock_fd[$volume]-} ]] || lock_take "$volume"
	snap_device "$1"
	mount_targets "$REPLY"
	((${#REPLIES[@]})) || "$ZUMASTOR_LIBEXEC/dm-hide" "$volume" "$store" "$1" 2>/dev/null
}

# replicate_stream - the delta, through pv where a person watches or a rate is set.
replicate_stream() {
	local -a view=()
	if [[ -t 2 && -z $quiet ]] && type -P pv >/dev/null; then
		view=(pv -b -r -t -a)
	elif [[ -n $rate ]] && type -P pv >/dev/null; then
		view=(pv -q)
	fi
	if ((${#view[@]})); then
		[[ -z $rate ]] || view+=(-L "$(size_bytes "$rate" 'rate')")
		replicate_pack | "${view[@]}"
	else
		replicate_pack
	fi
}

replicate_pack() {
	"$ZUMASTOR_LIBEXEC/delta-pack" --compress "$compress" --stats 3 \
		--threads "${config[compress_threads]}" "/dev/zumastor/$volume/$snap" \
		<"$job/description" 3>"$job/stats" 2>"$job/pack"
}

# replicate_send - send it; dies unless the other side says that it has a snapshot of it.
replicate_send() {
	local code=0
	peer_say send "$base_uuid" "${snap_uuid[snap]}" ${resume:+"$resume"}
	# In the background: a trapped signal interrupts wait, but not a command in front.
	replicate_stream >&"$peer_out" &
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
	[[ -z ${peer_pid-} ]] || kill "$peer_pid" 2>/dev/null
	rm -rf -- "$1"
}

# replicate_done - what the target holds now is the base of the next delta.
replicate_done() {
	state_set "$target_dir/base" "$1"
	state_set "$target_dir/last_success" "$EPOCHSECONDS"
	rm -f -- "$target_dir/sending" "$target_dir/last_error"
}

# replicate_failed TARGET_DIR - undo of a cycle that did not end well: remember why.  What was being
# sent stays held: the target may have it, and only the answer was lost.
replicate_failed() {
	state_set "$1/last_error" "${last_words:-failed}"
}
