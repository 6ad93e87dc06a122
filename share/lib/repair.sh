# repair.sh - mend what verify.sh has found.   Needs core.sh ... volume.sh, snap.sh, verify.sh.
#
# Nothing is made worse: the pool's metadata is copied before thin_repair may replace it, and what
# may be wrong is recorded as lost before anything that could make it look right.
# shellcheck shell=bash

# repair_run - all that can be mended without anybody's help.
repair_run() {
	local i
	! verify_has pool || repair_pool
	run helper dm-check --repair "$volume" "$origin" "$store" "${metadev[@]}" >/dev/null
	for i in "${!kinds[@]}"; do
		case ${kinds[i]} in
		table)	repair_lose "${ids[i]}" ;;
		origin)	repair_lose ;;
		revert)	repair_revert ;;
		thin)	repair_thin "${ids[i]}" ;;
		esac
	done
}

# repair_lose [ID] - record snapshot ID, or the newest, and all older ones as lost.
repair_lose() {
	run helper dm-lost "$volume" "$store" "$@"
	snap_load
	snap_warn_lost
}

# repair_revert - give it up: the volume is to show its origin.
repair_revert() {
	[[ $state != stopped ]] || run helper dm-revert give-up "$volume" "$store"
}

# repair_thin ID - delete a thin volume that nothing belongs to.
repair_thin() {
	[[ $state == running ]] || return 0
	run dmsetup message "$volume-store" 0 "delete $1" ||
		warn "cannot delete thin volume $1 of '$volume'"
}

# repair_pool - the metadata of the stopped volume's pool.
repair_pool() {
	local meta
	[[ $state == stopped ]] || die_with "$BUSY" \
		"cannot repair the pool of '$volume' while it runs; try 'zumastor stop volume $volume'"
	state_get clone "$dir/parent"
	[[ -z $REPLY ]] || die "cannot repair the pool of '$volume', which is that of volume" \
		"'${REPLY%%/*}'; try 'zumastor check ${REPLY%%/*} --repair'"
	type -P thin_check thin_dump thin_repair >/dev/null ||
		die "cannot repair the pool of '$volume': thin-provisioning-tools are not installed"
	meta=$(run become dm-meta "$volume" "$store" "${metadev[@]}")
	always helper dm-stop "$volume" "$store"
	if thin_check -q -- "$meta" >/dev/null 2>&1; then
		repair_clear "$meta"
	else
		repair_metadata "$meta"
	fi
	run helper dm-stop "$volume" "$store"
}

# repair_clear DEVICE - the metadata is whole, and the pool only afraid of it: a write failed.
# The write that came after it may have been one to an exception store, and unless the volume was
# stopped in order nobody has looked whether the kernel gave the head up for that.
repair_clear() {
	[[ ${record[origin_seen]-} == stopped\ * ]] || repair_lose
	run thin_check -q --clear-needs-check-flag -- "$1" >/dev/null ||
		die "cannot clear the needs_check flag of '$volume'"
}

# repair_metadata DEVICE - rebuild the metadata.  Where thin_dump can read all mappings only the
# accounts of free space are wrong.  Otherwise thin_repair has to guess, and a mapping that it
# misses reads as an exception that was never made: the snapshots cannot be trusted.
repair_metadata() {
	local saved blocks
	saved=$ZUMASTOR_STATE/saved/$volume.$(date -u +%Y%m%d%H%M%S)
	repair_save "$1" "$saved"
	snap_number data_sectors
	blocks=$REPLY
	snap_number block_sectors
	blocks=$((blocks / REPLY))
	run truncate -s "$(blockdev --getsize64 "$1")" -- "$saved.repaired"
	if ! run thin_repair -i "$1" -o "$saved.repaired" --transaction-id "${record[pool]}" \
		--data-block-size "$REPLY" --nr-data-blocks "$blocks" >/dev/null 2>&1 ||
		! thin_check -q -- "$saved.repaired" >/dev/null 2>&1; then
		die "cannot repair the metadata of '$volume'; it is as it was, and copied to '$saved'"
	fi
	run thin_dump -- "$1" >/dev/null 2>&1 || repair_lose
	run dd if="$saved.repaired" of="$1" bs=1M oflag=direct conv=fsync status=none ||
		die "cannot write the metadata of '$volume'; it was copied to '$saved'"
	rm -f -- "$saved.repaired"
	warn "the metadata of '$volume' is repaired; as it was it is in '$saved'"
}

# repair_save DEVICE FILE - copy the metadata; nothing is touched unless that is on disk.
repair_save() {
	(umask 077 && mkdir -p -- "${2%/*}")
	on_exit rm -f -- "$2" "$2.repaired"
	run dd if="$1" of="$2" bs=1M iflag=direct conv=sparse,fsync status=none ||
		die "cannot copy the metadata of '$volume' to '$2'"
	keep
}
