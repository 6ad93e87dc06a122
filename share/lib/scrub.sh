# scrub.sh - whether a replica still reads as it was received.
#
# Needs core.sh ... snap.sh, mount.sh, delta.sh, sums.sh, hashes.sh, findings.sh, damage.sh.   Works on the
# variables of zumastor-verify.   What arrives meanwhile changes the table of the sums: a copy of it is
# compared, source/sums.scrub.
# shellcheck shell=bash disable=SC2154,SC2034

# scrub_volume - sets ranges and bytes.
scrub_volume() {
	[[ $role == source ]] || die "volume '$volume' receives nothing, so there is nothing to compare it with here;" \
		"try 'zumastor verify $volume HOST'"
	hashes_ready
	findings_log
	[[ -z ${REPLIES[2]} && -z ${opt[restart]-} && -z ${opt[record]-} ]] || REPLIES=('' 0)
	from=${REPLIES[1]} uuid=${REPLIES[0]}
	snap_of_uuid "$uuid"
	snap=$REPLY
	if [[ -n ${opt[record]-} ]]; then
		scrub_record
		return
	fi
	[[ -n $snap && -e $dir/source/sums.scrub ]] || scrub_begin
	hashes_show "$uuid"
	findings_begin
	scrub_run
	rm -f -- "$dir/source/sums.scrub"
	((bytes == 0)) || scrub_damaged
}

# scrub_begin - sets snap, uuid and from, and makes the copy.
scrub_begin() {
	lock_take "$volume:receive"
	snap_load
	sums_settle
	state_get uuid "$dir/source/sums-of"
	uuid=$REPLY from=0
	snap_of_uuid "$uuid"
	snap=$REPLY
	[[ -n $snap && -e $dir/source/sums ]] || die_with "$ABSENT" "nothing was recorded of what '$volume' received;" \
		"'zumastor verify $volume --record' does, of what it has now"
	cp --sparse=always -- "$dir/source/sums" "$dir/source/sums.scrub.new"
	sync -- "$dir/source/sums.scrub.new"
	# What is found in the log before that is of another one.
	rm -f -- "$log"
	mv -f -- "$dir/source/sums.scrub.new" "$dir/source/sums.scrub"
	lock_drop "$volume:receive"
}

# scrub_run [OPTION...] - read it all.
scrub_run() {
	volume_bytes=$((snap_sectors[snap] * 512))
	scrub_read "$@" &
	stream_pid=$!
	findings_wait
	findings_result
}

scrub_read() {
	exec 2>"$job/hash" >>"$log" ionice -c 3 -t -- "$ZUMASTOR_LIBEXEC/delta-scrub" --from "$from" --rate "$rate" "$@" \
		"$dir/source/sums${recording:-.scrub}" "/dev/zumastor/$volume/$snap"
}

scrub_damaged() {
	lock_take "$volume"
	snap_load
	damage_mark "$uuid"
	lock_drop "$volume"
}

# scrub_record - from now on it is what it has now that counts.  Nothing can arrive meanwhile.
scrub_record() {
	local recording=.full
	lock_take "$volume:receive"
	snap_load
	replica_partial
	((${#partial[@]} == 0)) || die_with "$BUSY" "a delta has half arrived at '$volume': wait until it has whole"
	snap_newest
	snap=$REPLY from=0
	[[ -n $snap ]] || die_with "$ABSENT" "'$volume' has received nothing yet"
	uuid=${snap_uuid[snap]}
	hashes_show "$uuid"
	findings_begin
	scrub_run --record
	rm -f -- "$dir/source/sums-of" "$dir/source"/sums{-step,.next,.scrub}
	sync -- "$dir/source"
	mv -f -- "$dir/source/sums.full" "$dir/source/sums"
	state_set "$dir/source/sums-of" "$uuid"
	rm -f -- "$verdict"
	lock_drop "$volume:receive"
}
