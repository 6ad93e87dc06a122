# space.sh - what is wrong with a store, and making room in it.
#
# Needs core.sh ... snap.sh, mount.sh, hold.sh.   Works on facts, from dm-status.
#
# A store is short when 5 % of it are left, or 8 blocks where that is more; its metadata when 4 MiB are
# left, or a quarter (csrc/lib/pool.c).
# shellcheck shell=bash disable=SC2154

# space_policy - sets REPLY to what is done when the store of the volume is short.  What a peer sends could fill it, to have
# snapshots removed: unless told so, none is.
space_policy() {
	local otherwise=expire
	[[ ! -e $dir/source/peer ]] || otherwise=halt
	state_get policy "$dir/on_full" "$otherwise"
}

# space_state - sets REPLY to the worst that facts and the record tell of the store, or to nothing.
space_state() {
	REPLY=
	case ${facts[store_mode]-}:${facts[store_short]-} in
	Fail:*)			REPLY="store Fail"; return ;;
	ro:metadata)		REPLY="store read-only: metadata full"; return ;;
	ro:*)			REPLY="store read-only"; return ;;
	esac
	if [[ ${facts[needs_check]-no} == yes ]]; then
		REPLY="store needs check"
	elif [[ ${facts[head_state]:-none} != @(ok|none) ]]; then
		REPLY="snapshot ${facts[head_state]}"
	elif [[ ${facts[revert_state]:-ok} != ok ]]; then
		REPLY="revert ${facts[revert_state]}"
	elif ((${#snap_lost[@]})); then
		REPLY="${#snap_lost[@]} snapshots lost"
	else
		space_fullness
	fi
}

space_fullness() {
	if [[ ${facts[store_mode]-} == out_of_data_space ]]; then
		REPLY="store full: writers wait"
		[[ ${facts[writers_wait]-} == yes ]] || REPLY="store full: writers will fail"
	elif [[ ${facts[store_short]-} == full ]]; then
		REPLY="store full"
	elif [[ ${facts[store_short]-no} == metadata ]]; then
		REPLY="store nearly full: metadata"
	elif [[ ${facts[store_short]-no} != no ]]; then
		REPLY="store nearly full"
	elif [[ ${facts[writers_wait]-yes} != yes ]]; then
		REPLY="a full store would fail writers"
	fi
}

# space_is_rotated ID - did a schedule take it, and does it limit all its kinds?
space_is_rotated() {
	local kind
	local -a kinds
	IFS=, read -r -a kinds <<<"${snap_kinds[$1]}"
	for kind in "${kinds[@]}"; do
		# A kind without a limit is kept whole.
		[[ $kind == expired || -e $dir/schedule/$kind ]] || return 1
	done
}

# space_candidates - sets free to what may go, in that order: lost ones keep room for nothing, then
# the oldest, but the newest never; sets stale to those that only targets without success need.
space_candidates() {
	local id newest
	free=() stale=()
	snap_newest
	newest=$REPLY
	for id in "${snap_lost[@]}" "${snap_ids[@]}"; do
		if [[ $id == "$newest" ]] || ! space_is_rotated "$id"; then
			continue
		fi
		REPLIES=()
		is_lost "$id" || hold_who "$id"
		if ((${#REPLIES[@]} == 0)); then
			free+=("$id")
		elif space_is_stale "$id" "${#REPLIES[@]}"; then
			stale+=("$id")
		fi
	done
}

# space_is_stale ID HOLDERS - are they all targets that had no success for base_days, and are idle?
space_is_stale() {
	local target limit=$((EPOCHSECONDS - config[base_days] * 86400)) count=0
	for target in "$dir"/targets/*/; do
		state_get uuid "${target}base"
		[[ $REPLY == "${snap_uuid[$1]}" ]] || continue
		state_get number "${target}last_success" 0
		((REPLY >= limit)) || count=$((count + 1))
	done
	((count == $2))
}

# space_is_waiting - is a removed snapshot's space not free yet?  What it kept for an older one is copied,
# which takes room, too; without any it waits, and to remove more would only lose more.  (The newest, once
# removed, waits for a newer one.)
space_is_waiting() {
	local id newest
	snap_newest
	newest=${REPLY:-0}
	for id in "${snap_going[@]}"; do
		((id > newest)) || return 0
	done
	return 1
}

# space_expire ID [WHY] - remove it and say so; sets progress unless it is in use: then it stays.
space_expire() {
	local short=${facts[store_short]}
	(snap_drop "$1") || return 0
	progress=yes
	snap_time_text "${snap_time[$1]}"
	printf '%s\n' "$volume: store short ($short):\
 removed snapshot $1 of $REPLY, ${snap_kinds[$1]}${2-}"
	volume_status
}

# space_expire_one free|stale - remove one snapshot, a stale one only when the store is full; sets progress
# when one went.
space_expire_one() {
	local id why=
	local -a free stale
	progress=
	snap_load
	! space_is_waiting || return 0
	space_candidates
	if [[ $1 == stale ]]; then
		[[ ${facts[store_short]} == full ]] || return 0
		free=("${stale[@]}")
		why="; the target that needs it had no success for ${config[base_days]} days:"
		why+=" it will need a full copy"
	fi
	for id in "${free[@]}"; do
		space_expire "$id" "$why"
		[[ -z $progress ]] || return 0
	done
}

# space_make_room free|stale - remove such, the oldest first and one at a time, until the store is not
# short any more.
space_make_room() {
	local progress=yes
	while [[ ${facts[store_short]} != no && -n $progress ]]; do
		space_expire_one "$1"
	done
	snap_load
	mount_kind_links
}

# space_keep free|stale - what the policy says, if the store is short.   The volume is locked by us.
space_keep() {
	space_policy
	[[ $REPLY == expire ]] || return 0
	volume_status
	[[ ${facts[needs_check]-} == no && ${facts[store_mode]} == @(rw|out_of_data_space) ]] ||
		return 0
	[[ ${facts[store_short]} == no ]] || space_make_room "$1"
}

# space_sharers - sets REPLIES to the running volumes that are on clones of this one, and share its store.
space_sharers() {
	local file name
	local -a names=()
	for file in "$ZUMASTOR_STATE"/volumes/*/parent; do
		state_get clone "$file"
		name=${file%/parent}
		name=${name##*/}
		[[ $REPLY != "$volume/"* || ! -e /dev/mapper/$name ]] || names+=("$name")
	done
	REPLIES=("${names[@]}")
}
