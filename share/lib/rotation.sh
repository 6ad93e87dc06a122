# rotation.sh - which snapshots may go.   Needs core.sh ... snap.sh, mount.sh, hold.sh, bookmark.sh, hook.sh.
#
# The schedule is $dir/schedule/KIND, each holding how many of that kind to keep.  A kind without
# a line there is kept whole: forgetting a limit must not delete anything.
# shellcheck shell=bash

# rotation_limit KIND - sets REPLY to the number to keep, or to nothing.
rotation_limit() {
	state_get number "$dir/schedule/$1"
}

# rotation_held ID - does anybody need it, who cannot do without?
rotation_held() {
	hold_who "$1" caps
	((${#REPLIES[@]}))
}

# rotation_kinds ID - sets REPLY to the kinds for which the snapshot is still young enough.
rotation_kinds() {
	local name left=
	local -a names
	REPLY=${snap_kinds[$1]}
	[[ $REPLY != @(manual|exec) ]] || return 0
	read -r -a names <<<"${snap_names[$1]}"
	for name in "${names[@]}"; do
		rotation_limit "${name%.*}"
		if [[ -z $REPLY ]] || ((${name##*.} < REPLY)) || rotation_is_young "$1" "${name%.*}" "$REPLY"; then
			left+=${left:+,}${name%.*}
		fi
	done
	REPLY=$left
}

# rotation_is_young ID KIND LIMIT - what a peer sends pushes nothing out before its time, which is as many periods of the kind
# as snapshots are kept: by the count alone a stolen key could have all of them removed in an hour.
rotation_is_young() {
	local -A seconds=([hourly]=3600 [daily]=86400 [weekly]=604800 [monthly]=2419200)
	[[ -e $dir/source/peer ]] && ((EPOCHSECONDS - snap_time[$1] < $3 * ${seconds[$2]:-3600}))
}

# rotation_run - remove what no kind wants any more, once no target and no reader holds it.
rotation_run() {
	local id changed=
	local -A left=()
	rotation_orphans
	[[ -d $dir/schedule ]] || return 0
	# All decisions first: removing one must not change the index of another.
	for id in "${snap_ids[@]}"; do
		rotation_kinds "$id"
		left[$id]=$REPLY
	done
	for id in "${snap_ids[@]}"; do
		[[ ${left[$id]} != "${snap_kinds[id]}" ]] || continue
		changed=yes
		if [[ -z ${left[$id]} ]]; then
			rotation_expire "$id"
		else
			run helper store-set "$store" "$id" "kinds=${left[$id]}"
		fi
	done
	[[ -n $changed ]] || return 0
	snap_load
	mount_publish
}

# rotation_expire ID - remove it, or mark it for a later rotation.
rotation_expire() {
	if rotation_held "$1"; then
		rotation_mark "$1" "${REPLIES[0]}"
	elif (hook_drop "$1"); then
		snap_time_text "${snap_time[$1]}"
		event "$volume" "rotation: removed snapshot $1 of $REPLY, ${snap_kinds[$1]}: newer ones are as many as are kept"
	else
		warn "snapshot $1 of '$volume' stays until a later rotation"
		rotation_mark "$1" 'it could not be removed'
	fi
}

# rotation_orphans - remove what `exec` has taken and mounted and, being killed, has left: it locks what it
# still needs.
rotation_orphans() {
	local path id dropped=
	for path in "$ZUMASTOR_RUN/jobs/exec.$volume".*; do
		id=${path#"$ZUMASTOR_RUN/jobs/exec.$volume."}
		id=${id%.*}
		is_number "$id" || continue
		lock_held "$volume:exec:$id" || mount_place_end "$path"
	done
	for id in "${snap_lost[@]}" "${snap_ids[@]}"; do
		[[ ${snap_kinds[id]} == exec ]] || continue
		! rotation_held "$id" || continue
		dropped=yes
		if (hook_drop "$id"); then
			event "$volume" "removed snapshot $id, left by an exec"
		else
			warn "snapshot $id of '$volume', left by an exec, stays for now"
		fi
		rm -f -- "$ZUMASTOR_RUN/lock/$volume:exec:$id"
	done
	[[ -z $dropped ]] || snap_load
}

# rotation_mark ID WHY
rotation_mark() {
	[[ ${snap_kinds[$1]} != expired ]] || return 0
	run helper store-set "$store" "$1" kinds=expired
	event "$volume" "rotation: snapshot $1 was to be removed, and stays for now: $2"
}
