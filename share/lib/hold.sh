# hold.sh - who needs a snapshot to stay.
#
# Needs core.sh, check.sh, state.sh, config.sh, lock.sh, volume.sh, snap.sh.
# shellcheck shell=bash disable=SC2034,SC2154

# hold_has ID TAG
hold_has()	{ [[ ,${snap_holds[$1]}, == *",$2,"* ]]; }

# hold_set ID TAGS - held by these, comma separated, and no others.
hold_set() {
	((${#2} <= 255)) || die "cannot hold snapshot $1 of '$volume': it has too many tags"
	run helper store-set "$store" "$1" "holds=$2"
}

# hold_drop ID TAG - no longer held by that one.
hold_drop() {
	local left=,${snap_holds[$1]},
	left=${left/,$2,/,}
	left=${left#,}
	hold_set "$1" "${left%,}"
}

hold_going=()			# snapshots that are about to go together

# hold_who ID [caps|anyway] - sets REPLIES to all that needs the snapshot, each a clause for a message.   A target that can do with
# a bookmark does not count if its hold is beyond its caps, or at all.
hold_who() {
	local name
	hold_targets "$1" "${2-}"
	if [[ $role == source && $1 == "${snap_ids[-1]-}" ]]; then
		REPLIES+=("this replica shows it and builds on it")
	fi
	! lock_held "$volume:exec:$1" || REPLIES+=("an exec runs in it")
	! lock_held "$volume:export:$1" || REPLIES+=("an export reads it")
	! lock_held "$volume:read:$1" || REPLIES+=("a verify reads it")
	for name in ${snap_clones[$1]-}; do
		REPLIES+=("clone '$name' is made of it")
	done
	[[ ${record[revert]-} != @(pending|open)" snapshot=$1 "* ]] ||
		REPLIES+=("'$volume' is being reverted to it")
	[[ -z ${snap_holds[$1]} ]] ||
		REPLIES+=("'${snap_holds[$1]//,/\', \'}' hold it, until 'zumastor release $volume $1 --all'")
}

# hold_targets ID HOW - the same of targets alone.   First what is being sent: that becomes the base.
hold_targets() {
	local file host
	local -a clauses=()
	for file in "$dir"/targets/*/sending "$dir"/targets/*/base; do
		state_get uuid "$file"
		[[ $REPLY == "${snap_uuid[$1]}" ]] || continue
		! hold_gives_way "$1" "$file" "$2" || continue
		host=${file%/*}
		clauses+=("target '${host##*/}' needs it (${file##*/})")
	done
	REPLIES=("${clauses[@]}")
}

# hold_gives_way ID FILE HOW - can a bookmark take its place, for the target in whose FILE it is?
hold_gives_way() {
	local host=${2%/*}
	[[ -n $3 ]] && hold_has_newer "$1" && ! lock_held "$volume:target:${host##*/}" || return 1
	[[ $3 == anyway ]] || hold_is_over "$1" "$2"
}

# hold_has_newer ID - is there a newer one that stays?
hold_has_newer() {
	local id
	snap_after "$1"
	for id in "${REPLIES[@]}"; do
		[[ " ${hold_going[*]-} " == *" $id "* ]] || return 0
	done
	return 1
}

# hold_is_over ID FILE - is the hold beyond one of its caps?
hold_is_over() {
	local age
	hold_age "$2"
	age=$REPLY
	hold_caps "${2%/*}"
	((age < REPLIES[0] * 86400)) || return 0
	hold_bytes "$1"
	((REPLY > REPLIES[1]))
}

# hold_caps TARGET_DIR - sets REPLIES to the days and the bytes that its hold may have.
hold_caps() {
	local days bytes
	state_get days "$1/base_days" "${config[base_days]}"
	days=$REPLY
	state_get space "$1/base_space" "${config[base_space]}"
	bytes=$REPLY
	snap_number data_sectors
	if [[ $bytes == *% ]]; then
		bytes=$((REPLY * 512 * ${bytes%\%} / 100))
	else
		bytes=$(size_bytes "$bytes" 'base_space')
	fi
	REPLIES=("$days" "$bytes")
}

# hold_age FILE - sets REPLY to the seconds since the target had a success, or since it was being sent what is in there.
hold_age() {
	if [[ $1 == */base ]]; then
		state_get number "${1%/*}/last_success" 0
	else
		REPLY=$(stat -c %Y -- "$1" 2>/dev/null) || REPLY=$EPOCHSECONDS
	fi
	REPLY=$((EPOCHSECONDS - REPLY))
}

# hold_bytes ID - sets REPLY to what the snapshot keeps, at most.
hold_bytes() {
	snap_number chunk_sectors
	REPLY=$((${snap_entries[$1]:-0} * REPLY * 512))
}

# hold_guard ID ACTION [anyway] - dies unless nobody needs the snapshot.
hold_guard() {
	local text
	hold_who "$1" "${3-}"
	((${#REPLIES[@]})) || return 0
	printf -v text '%s; ' "${REPLIES[@]}"
	die_with "$BUSY" "cannot $2 snapshot $1 of '$volume': ${text%; }"
}
