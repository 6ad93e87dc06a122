# hold.sh - who needs a snapshot to stay.
#
# Needs core.sh, check.sh, state.sh, lock.sh, volume.sh, snap.sh.
# shellcheck shell=bash disable=SC2154

# hold_tags ID - sets REPLIES to the tags that hold the snapshot.
hold_tags() {
	IFS=, read -r -a REPLIES <<<"${snap_holds[$1]}"
}

# hold_has ID TAG
hold_has()	{ [[ ,${snap_holds[$1]}, == *",$2,"* ]]; }

# hold_set ID TAGS - held by these, comma separated, and no others.
hold_set() {
	((${#2} <= 255)) || die "cannot hold snapshot $1 of '$volume': it has too many tags"
	run helper store-set "$store" "$1" "holds=$2"
}

# hold_who ID - sets REPLIES to all that needs the snapshot, each a clause for a message.
hold_who() {
	local file host name
	REPLIES=()
	if [[ $role == source && $1 == "${snap_ids[-1]-}" ]]; then
		REPLIES+=("this replica shows it and builds on it")
	fi
	for file in "$dir"/targets/*/{base,sending}; do
		state_get uuid "$file"
		[[ $REPLY == "${snap_uuid[$1]}" ]] || continue
		host=${file%/*}
		REPLIES+=("target '${host##*/}' needs it (${file##*/})")
	done
	! lock_held "$volume:exec:$1" || REPLIES+=("an exec runs in it")
	! lock_held "$volume:export:$1" || REPLIES+=("an export reads it")
	for name in ${snap_clones[$1]-}; do
		REPLIES+=("clone '$name' is made of it")
	done
	[[ ${record[revert]-} != @(pending|open)" snapshot=$1 "* ]] ||
		REPLIES+=("'$volume' is being reverted to it")
	[[ -z ${snap_holds[$1]} ]] ||
		REPLIES+=("'${snap_holds[$1]//,/\', \'}' hold it, until 'zumastor release $volume $1 --all'")
}

# hold_guard ID ACTION - dies unless nobody needs the snapshot.
hold_guard() {
	local text
	hold_who "$1"
	((${#REPLIES[@]})) || return 0
	printf -v text '%s; ' "${REPLIES[@]}"
	die_with "$BUSY" "cannot $2 snapshot $1 of '$volume': ${text%; }"
}
