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
	space_broken
	[[ -z $REPLY ]] || return 0
	if [[ ${facts[head_state]:-none} != @(ok|none) ]]; then
		REPLY="snapshot ${facts[head_state]}"
	elif [[ ${facts[revert_state]:-ok} != ok ]]; then
		REPLY="revert ${facts[revert_state]}"
	elif ((${#snap_lost[@]})); then
		REPLY="${#snap_lost[@]} snapshots lost"
	else
		space_fullness
	fi
}

# space_broken - sets REPLY to why the pool cannot be written, or to nothing.
space_broken() {
	REPLY=
	case ${facts[store_mode]-}:${facts[store_short]-} in
	Fail:*)			REPLY="store Fail" ;;
	ro:metadata)		REPLY="store read-only: metadata full" ;;
	ro:*)			REPLY="store read-only" ;;
	*)			[[ ${facts[needs_check]-no} != yes ]] || REPLY="store needs check" ;;
	esac
}

# space_fullness - sets REPLY to how full it is, where that is worth a word, or to nothing.
space_fullness() {
	REPLY=
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
# the oldest, but the newest never.
space_candidates() {
	local id newest
	free=()
	snap_newest
	newest=$REPLY
	for id in "${snap_lost[@]}" "${snap_ids[@]}"; do
		if [[ $id == "$newest" ]] || ! space_is_rotated "$id"; then
			continue
		fi
		REPLIES=()
		is_lost "$id" || hold_who "$id" caps
		((${#REPLIES[@]})) || free+=("$id")
	done
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

# space_expire ID [bare] - remove it and say so; sets progress unless it is in use: then it stays.   So does the base of a target
# without a bookmark, unless bare says that it goes all the same.
space_expire() {
	local short=${facts[store_short]} bookmark_limit=10 how=
	hold_targets "$1" ''
	! is_lost "$1" && ((${#REPLIES[@]})) || REPLIES=()
	if ((${#REPLIES[@]})); then
		how="; ${REPLIES[0]%% needs*} will need a full copy"
		[[ -n ${2-} ]] || how="; ${REPLIES[0]%% needs*} goes on from a bookmark"
	fi
	(snap_drop "$1" "${2-}") || return 0
	progress=yes
	snap_time_text "${snap_time[$1]}"
	how="store short ($short): removed snapshot $1 of $REPLY, ${snap_kinds[$1]}$how"
	printf '%s: %s\n' "$volume" "$how"
	event "$volume" "$how"
	volume_status
}

# space_expire_one [bare] - remove one snapshot; sets progress when one went.
space_expire_one() {
	local id
	local -a free
	progress=
	snap_load
	! space_is_waiting || return 0
	space_candidates
	for id in "${free[@]}"; do
		space_expire "$id" "${1-}"
		[[ -z $progress ]] || return 0
	done
}

# space_make_room - remove snapshots, the oldest first and one at a time, until the store is not
# short any more.   Where writers would wait for ever because no bookmark can be written, it is done without.
space_make_room() {
	local progress=yes
	while [[ ${facts[store_short]} != no && -n $progress ]]; do
		space_expire_one
		[[ -n $progress || ${facts[store_short]} != full ]] || space_expire_one bare
	done
	snap_load
	mount_publish
}

# space_keep - what the policy says, if the store is short.   The volume is locked by us.
space_keep() {
	space_policy
	[[ $REPLY == expire ]] || return 0
	volume_status
	[[ ${facts[needs_check]-} == no && ${facts[store_mode]} == @(rw|out_of_data_space) ]] ||
		return 0
	[[ ${facts[store_short]} == no ]] || space_make_room
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
