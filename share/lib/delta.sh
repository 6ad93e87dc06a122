# delta.sh - what changed between two snapshots, as a stream: for another host, or for a file.
#
# Needs core.sh ... snap.sh, mount.sh.   Works on the command's variables: volume, dir, snap (the id that is sent), base (an
# id, or nothing for all of it), base_uuid (or none), bookmark (a file, where that base is gone), job (a private directory),
# compress, compare (yes, no or auto), rate, resume (or nothing), extra (a file of "OFFSET LENGTH" that are in it whether they
# changed or not, or nothing), differences (yes where the reader has the base at hand), framed (not empty where the connection
# goes on behind it) and patience (the seconds for a reader that takes nothing; none, where it may take any time).
# shellcheck shell=bash disable=SC2034,SC2154

# delta_choose WANTED - sets snap: what is to be sent.
delta_choose() {
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

# delta_prepare CMD... - show what is sent, list what changed, and have CMD keep it from expiring.
delta_prepare() {
	lock_take "$volume"
	volume_ready
	# A snapshot may have gone since the list was made that the choice was based on.
	snap_load
	snap_find "$snap"
	[[ -z $base ]] || snap_find "$base"
	snap_device "$snap"
	if [[ ! -e $REPLY ]]; then
		snap_show "$snap"
		always delta_hide "$snap"
	fi
	delta_show_base
	"$@"
	delta_list
	# The exception stores were put up for the list alone.
	volume_settle
	lock_drop "$volume"
}

# delta_show_base - sets old_device, to compare with, where that is wanted and can be.
delta_show_base() {
	old_device=
	[[ -n $base && ${compare:-no} != no ]] || return 0
	snap_device "$base"
	old_device=$REPLY
	[[ ! -e $old_device ]] || return 0
	always delta_hide "$base"
	if [[ $compare == yes ]]; then
		snap_show "$base"
	else
		snap_show_fitting "$base"
		[[ -e $old_device ]] || old_device=
	fi
}

# delta_hide ID - what was shown for us alone goes, unless somebody mounted it meanwhile.
delta_hide() {
	[[ -n ${lock_fd[$volume]-} ]] || lock_take "$volume"
	snap_device "$1"
	mount_targets "$REPLY"
	((${#REPLIES[@]})) || "$ZUMASTOR_LIBEXEC/dm-hide" "$volume" "$store" "$1" 2>/dev/null
}

# delta_list - write the description of the delta into $job/description; sets changed_bytes.
# Called with the volume locked: a snapshot taken meanwhile would freeze what we read.
delta_list() {
	local chunk_bytes chunks lineage
	snap_lineage
	lineage=$REPLY
	volume_bytes=$((snap_sectors[snap] * 512))
	snap_number chunk_sectors
	chunk_bytes=$((REPLY * 512))
	chunks=$(((volume_bytes + chunk_bytes - 1) / chunk_bytes))
	{
		printf '%s=%s\n' volume "$lineage" name "$volume" \
			base "$base_uuid" snapshot "${snap_uuid[snap]}" \
			time "${snap_time[snap]}" kinds "${snap_kinds[snap]}" \
			volume_bytes "$volume_bytes" chunk_bytes "$chunk_bytes" \
			${resume:+must-resume "$resume"} \
			${old_device:+${differences:+mode xor}}
		printf '\n'
	} >"$job/description"
	delta_ranges >>"$job/description"
	printf 'end\n' >>"$job/description"
	delta_count "$chunk_bytes"
}

# delta_ranges - print what changed, "FIRST COUNT" a line.
delta_ranges() {
	local cow_text
	local -a cows=() options=()
	if [[ $base_uuid == none ]]; then
		printf '0 %s\n' "$chunks"
		return
	elif [[ -n $base ]]; then
		cow_text=$(become dm-cows "$volume" "$store" "$base" "$snap")
		mapfile -t cows <<<"$cow_text"
		# The chunk across the old end is among those that nobody watched there.
		((snap_sectors[base] == snap_sectors[snap])) ||
			options=(--from $((snap_sectors[base] * 512 / chunk_bytes)))
	else
		helper dm-bookmark list "$volume" "$store" "$bookmark" "$snap" >"$job/add"
	fi
	[[ -z ${extra-} ]] || delta_add "$chunk_bytes" "$chunks" >>"$job/add"
	[[ ! -e $job/add ]] || options+=(--add "$job/add")
	helper cow-chunks "${options[@]}" "$chunk_bytes" "$chunks" "${cows[@]}"
	rm -f -- "$job/add"
}

# delta_add CHUNK_BYTES CHUNKS - print the chunks of what is to be in it besides.
delta_add() {
	awk -v chunk="$1" -v chunks="$2" '{
		first = int($1 / chunk)
		end = int(($1 + $2 + chunk - 1) / chunk)
		if (end > chunks) end = chunks
		if (first < end) printf "%.0f %.0f\n", first, end - first
	}' "$extra"
}

# delta_count CHUNK_BYTES - sets changed_bytes; of all that is in it, also where only the rest is to be sent.
delta_count() {
	changed_bytes=$(awk -v chunk="$1" '/^[0-9]/ { n += $2 } END { printf "%.0f", n * chunk }' \
		"$job/description")
	# The last chunk may reach beyond the end of the volume.
	((changed_bytes <= volume_bytes)) || changed_bytes=$volume_bytes
}

# delta_check_rate - a limit that cannot be kept is worse than no stream.
delta_check_rate() {
	[[ -z $rate ]] || type -P pv >/dev/null ||
		die_with "$UNSUPPORTED" "cannot keep to a rate of '$rate': pv is not installed"
}

# delta_stream - the delta, through pv where a rate is set.
delta_stream() {
	if [[ -n $rate ]]; then
		delta_pack | delta_limit "$(size_bytes "$rate" 'rate')"
	else
		delta_pack
	fi
}

# delta_stop JOB - a signal ended us: so does what writes, and whoever comes next finds none of its locks.
delta_stop() {
	local n file
	local -a pids
	[[ -n ${stream_pid-} ]] || return 0
	pids=("$stream_pid")
	for file in "$1"/{pack,limit}.pid; do
		[[ ! -e $file ]] || pids+=("$(<"$file")")
	done
	kill "${pids[@]}" 2>/dev/null
	for ((n = 0; n < 100; n++)); do
		kill -0 "${pids[@]}" 2>/dev/null || break
		sleep 0.05
	done
}

# delta_limit BYTES - becomes pv.
delta_limit() {
	printf '%s\n' "$BASHPID" >"$job/limit.pid"
	unlocked pv -q -L "$1" 2>"$job/limit"
}

# delta_patience - sets REPLY to the seconds that a piece of the stream may wait for its reader: it may have to copy as much
# as the volume has before it begins, and the rate alone may make it wait.
delta_patience() {
	local bytes=0
	[[ -z $rate ]] || bytes=$(size_bytes "$rate" 'rate')
	REPLY=$((patience + (volume_bytes >> 25) + (bytes ? 131072 / bytes : 0)))
}

# delta_pack - becomes what writes the stream: call it in a process of its own.
delta_pack() {
	local -a old=() patient=()
	[[ -z $old_device ]] || old=(--old "$old_device" --compare "$compare")
	if [[ -n ${patience-} ]]; then
		delta_patience
		patient=(--patience "$REPLY")
	fi
	printf '%s\n' "$BASHPID" >"$job/pack.pid"
	exec "$ZUMASTOR_LIBEXEC/delta-pack" --compress "$compress" --stats 3 ${framed:+--framed} \
		--progress "$job/progress" "${old[@]}" "${patient[@]}" \
		--threads "${config[compress_threads]}" "/dev/zumastor/$volume/$snap" \
		<"$job/description" 3>"$job/stats" 2>"$job/pack"
}
