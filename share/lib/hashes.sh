# hashes.sh - whether a snapshot has the same content on two hosts, by hashes that both make of what they
# read from disk.
#
# Needs core.sh ... snap.sh, mount.sh, delta.sh, findings.sh.   hashes_ready and hashes_show are for both
# ends, the rest works on the variables of zumastor-verify: volume, host, job, snap and uuid, peer_in.
# shellcheck shell=bash disable=SC2034,SC2154

# hashes_ready - dies unless the volume runs.
hashes_ready() {
	lock_take "$volume"
	volume_ready
	snap_load
	lock_drop "$volume"
}

# hashes_show UUID - sets REPLY to the snapshot, which is shown and stays as long as we run.
hashes_show() {
	local id
	lock_take "$volume"
	snap_load
	snap_of_uuid "$1"
	id=$REPLY
	[[ -n $id ]] || die_with "$ABSENT" "snapshot $1 of '$volume' is gone"
	lock_share "$volume:read:$id"
	snap_device "$id"
	if [[ ! -e $REPLY ]]; then
		snap_show "$id"
		always delta_hide "$id"
	fi
	lock_drop "$volume"
	REPLY=$id
}

# hashes_run [OPTION...] DEVICE - becomes what reads, after everybody else's reads and writes where the
# disk's scheduler knows of that.
hashes_run() {
	exec ionice -c 3 -t -- "$ZUMASTOR_LIBEXEC/delta-hash" "$@"
}

# hashes_choose WANTED - sets snap, uuid and from: the newest snapshot that both have, or WANTED.  What was
# begun is compared to its end first.
hashes_choose() {
	local theirs
	local -a begun
	snap='' from=0
	findings_log
	begun=("${REPLIES[@]}")
	[[ -z ${begun[2]} && -z ${opt[restart]-} ]] || begun[0]=
	if [[ -n $1 ]]; then
		snap_find "$1"
		snap=$REPLY
		[[ " ${peer_holds[*]} " == *" ${snap_uuid[snap]} "* ]] ||
			die_with "$ABSENT" "'$host' does not hold snapshot $snap of '$volume'"
	else
		for theirs in ${begun[0]} "${peer_holds[@]}"; do
			snap_of_uuid "$theirs"
			[[ -n $REPLY && " ${peer_holds[*]} " == *" $theirs "* ]] || continue
			snap=$REPLY
			break
		done
		[[ -n $snap ]] || die_with "$ABSENT" "'$host' holds no snapshot that '$volume' has, too"
	fi
	uuid=${snap_uuid[snap]}
	[[ $uuid != "${begun[0]}" ]] || from=${begun[1]}
}

# hashes_compare - read our side and compare; in a process of its own.
hashes_compare() {
	local -a watch=(pv -p -t -e -l -s $(((volume_bytes - from + 65535) / 65536)))
	exec {peer_out}>&- 2>"$job/hash" >>"$log"
	if [[ -z $watching ]]; then
		hashes_run "$@" <&"$peer_in"
	else
		hashes_run "$@" < <(exec "${watch[@]}" <&"$peer_in" 2>/dev/tty)
	fi
}
