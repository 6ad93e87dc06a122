# revert.sh - the part of a revert that goes on while the volume is in use.   Needs core.sh ... mount.sh.
#
# csrc/lib/revert.h tells what the steps are.  The job is a process of its own, which holds the lock
# VOLUME:revert and takes the volume's only for the short steps.  It may be killed at any moment:
# what the record says is enough to go on, which `start` and `revert --continue` do.
# shellcheck shell=bash disable=SC2154

# revert_phase - sets REPLY to pending, open or merging, or to nothing.  Needs snap_load.
revert_phase() {
	REPLY=${record[revert]-}
	REPLY=${REPLY%% *}
	[[ $REPLY != done ]] || REPLY=
}

revert_check_none() {
	revert_phase
	[[ -z $REPLY ]] || die_with "$BUSY" "volume '$volume' is being reverted;" \
		"'zumastor revert $volume --continue --wait' waits for the end of it"
}

# revert_tell - the volume is about to show its old content: $dir/reverting says so until the hooks know.
revert_tell() {
	state_set "$dir/reverting" yes
}

# revert_told - tell the hooks that the volume shows it, if they are still to be told; needs hook.sh.
revert_told() {
	[[ -e $dir/reverting ]] || return 0
	volume_settle
	snap_load
	revert_phase
	[[ -z $REPLY || ! ${record[revert]} =~ \ snapshot=([0-9]+)\  ]] ||
		hook_run post-revert "${BASH_REMATCH[1]}"
	rm -f -- "$dir/reverting"
}

# revert_undone UNDO - the switch failed, and what was made for it goes; unless it took place all the same.
revert_undone() {
	volume_settle
	snap_load
	revert_phase
	[[ -z $REPLY ]] || return 0
	rm -f -- "$dir/reverting"
	helper dm-remove "$volume" "$store" "$1"
}

# revert_job - let a process of its own bring the revert to its end, if there is one.  Where one is at
# work already it waits, and finds nothing left to do: the first may just be ending another revert.
revert_job() {
	snap_load
	revert_phase
	[[ -n $REPLY ]] || return 0
	(unlocked setsid "$ZUMASTOR_LIBEXEC/zumastor-revert" --job "$volume" </dev/null >/dev/null \
		2>"$ZUMASTOR_RUN/jobs/$volume:revert.error") &
}

# revert_job_end - end the job, if one runs; it is safe to do so at any moment.
revert_job_end() {
	local pid file=$ZUMASTOR_RUN/jobs/$volume:revert.pid
	lock_held "$volume:revert" || return 0
	state_get number "$file"
	pid=$REPLY
	[[ -z $pid ]] || kill -TERM -- "-$pid" 2>/dev/null || true
	lock_take "$volume:revert"
	lock_drop "$volume:revert"
}

# revert_work - the job.
revert_work() {
	local phase layer='' own=''
	lock_take "$volume:revert" forever
	printf '%s\n' "$$" >"$ZUMASTOR_RUN/jobs/$volume:revert.pid"
	always rm -f -- "$ZUMASTOR_RUN/jobs/$volume:revert".{pid,progress,ranges}
	revert_locked revert_prepare
	own=$layer
	[[ -n $phase ]] || return 0
	[[ $phase != open ]] || revert_rewind
	revert_locked revert_to_merge
	while [[ $phase == merging ]]; do
		revert_locked revert_try_finish
		[[ $phase != merging ]] || sleep 0.5
	done
}

# revert_locked STEP - run it with the volume locked, and phase and layer set to what the record says
# now; no phase if that is another revert than the one we began with, so that nothing was copied for it.
revert_locked() {
	lock_take "$volume" forever
	volume_ready
	snap_load
	revert_phase
	phase=$REPLY
	layer=${record[revert]-}
	layer=${layer##* thin=}
	[[ -z $own || $layer == "$own" ]] || phase=
	"$1"
	lock_drop "$volume"
}

# revert_prepare - sets from, to and the list of chunks to be copied.
revert_prepare() {
	local id chunks text
	local -a cows
	[[ $phase == open ]] || return 0
	text=$(run become dm-revert prepare "$volume" "$store")
	facts_read "$text"
	from=${facts[from]} to=${facts[to]}
	[[ ${record[revert]} =~ \ snapshot=([0-9]+)\  ]]
	id=${BASH_REMATCH[1]}
	snap_number origin_sectors
	chunks=$REPLY
	snap_number chunk_sectors
	chunk_bytes=$((REPLY * 512))
	chunks=$(((chunks + REPLY - 1) / REPLY))
	text=$(become dm-cows "$volume" "$store" "$id" head)
	mapfile -t cows <<<"$text"
	helper cow-chunks "$chunk_bytes" "$chunks" "${cows[@]}" \
		>"$ZUMASTOR_RUN/jobs/$volume:revert.ranges"
	# The exception stores were put up for the list alone.
	volume_settle
}

revert_rewind() {
	run helper cow-rewind "$chunk_bytes" "$from" "$to" \
		<"$ZUMASTOR_RUN/jobs/$volume:revert.ranges" |
		while read -r line; do
			printf '%s\n' "$line" >"$ZUMASTOR_RUN/jobs/$volume:revert.progress"
		done
}

revert_to_merge() {
	[[ $phase == @(open|merging) ]] || return 0
	run helper dm-revert merge "$volume" "$store"
	phase=merging
}

revert_try_finish() {
	[[ $phase == merging ]] || return 0
	volume_status
	[[ ${facts[revert_state]} == ok ]] || die_with "$LOST" \
		"cannot revert '$volume': the layer of new writes is ${facts[revert_state]}"
	[[ ${facts[revert_layer_bytes]} == 0 ]] || return 0
	run helper dm-revert finish "$volume" "$store"
	event "$volume" 'the revert is at its end'
	phase=
}

# revert_percent - sets REPLY to how much of the copying is done: 45, or nothing.
revert_percent() {
	local line=
	REPLY=
	[[ -e $ZUMASTOR_RUN/jobs/$volume:revert.progress ]] || return 0
	read -r line <"$ZUMASTOR_RUN/jobs/$volume:revert.progress" || return 0
	[[ $line =~ ^done=([0-9]{1,18})\ total=([1-9][0-9]{0,17})$ ]] || return 0
	REPLY=$((BASH_REMATCH[1] * 100 / BASH_REMATCH[2]))
}

# revert_wait - until the job has ended; dies with what it said if that is not the end of the revert.
revert_wait() {
	local error
	while :; do
		snap_load
		revert_phase
		[[ -n $REPLY ]] || return 0
		if ! revert_job_runs; then
			read -r error <"$ZUMASTOR_RUN/jobs/$volume:revert.error" || error='it was ended'
			die "cannot revert '$volume' to the end: ${error##*: }"
		fi
		revert_percent
		[[ ! -t 2 || -n $quiet || -z $REPLY ]] || printf '\r%s: %s%% ' "$program" "$REPLY" >&2
		sleep 0.5
	done
}

# revert_job_runs - or has it just ended, or is it about to begin?
revert_job_runs() {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do
		! lock_held "$volume:revert" || return 0
		snap_load
		revert_phase
		[[ -n $REPLY ]] || return 0
		sleep 0.3
	done
	return 1
}
