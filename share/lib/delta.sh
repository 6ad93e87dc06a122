# delta.sh - what changed between two snapshots, as a stream: for another host, or for a file.
#
# Needs core.sh ... snap.sh, mount.sh.   Works on the command's variables: volume, dir, snap (the id that is sent), base (an
# id, or nothing for all of it), base_uuid (or none), job (a private directory), compress, compare (yes, no or auto), rate,
# resume (or nothing) and differences (yes where the reader has the base at hand).
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
	local chunk_bytes chunks cow_text lineage
	local -a cows grown=()
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
	delta_count "$chunk_bytes"
}

# delta_count CHUNK_BYTES - sets changed_bytes; of all that is in it, also where only the rest is to be sent.
delta_count() {
	changed_bytes=$(awk -v chunk="$1" '{ n += $2 } END { printf "%.0f", n * chunk }' \
		"$job/ranges")
	# The last chunk may reach beyond the end of the volume.
	((changed_bytes <= volume_bytes)) || changed_bytes=$volume_bytes
}

# delta_check_rate - a limit that cannot be kept is worse than no stream.
delta_check_rate() {
	[[ -z $rate ]] || type -P pv >/dev/null ||
		die_with "$UNSUPPORTED" "cannot keep to a rate of '$rate': pv is not installed"
}

# delta_stream - the delta, through pv where a person watches or a rate is set.
delta_stream() {
	local -a view=()
	if [[ -t 2 && -z $quiet ]] && type -P pv >/dev/null; then
		view=(pv -b -r -t -a)
	elif [[ -n $rate ]]; then
		view=(pv -q)
	fi
	if ((${#view[@]})); then
		[[ -z $rate ]] || view+=(-L "$(size_bytes "$rate" 'rate')")
		delta_pack | delta_view
	else
		delta_pack
	fi
}

# delta_view - becomes pv.  Where nobody sees it, what it complains of is kept.
delta_view() {
	[[ ${view[1]} != -q ]] || exec 2>"$job/view"
	exec "${view[@]}"
}

# delta_pack - becomes what writes the stream: call it in a process of its own.
delta_pack() {
	local -a old=()
	[[ -z $old_device ]] || old=(--old "$old_device" --compare "$compare")
	printf '%s\n' "$BASHPID" >"$job/pid"
	exec "$ZUMASTOR_LIBEXEC/delta-pack" --compress "$compress" --stats 3 "${old[@]}" \
		--threads "${config[compress_threads]}" "/dev/zumastor/$volume/$snap" \
		<"$job/description" 3>"$job/stats" 2>"$job/pack"
}
