# damage.sh - snapshots that were found to differ from what they should be.
#
# Needs core.sh ... snap.sh.   $dir/damaged/UUID has the time.  Such a snapshot stays, is shown and rotated like any: most of it
# may be right, and it may be the only one.  But it says so.
# shellcheck shell=bash disable=SC2154

# damage_mark UUID - it is, from now on.
damage_mark() {
	mkdir -p -- "$dir/damaged"
	damage_sweep
	[[ ! -e $dir/damaged/$1 ]] || return 0
	state_set "$dir/damaged/$1" "$EPOCHSECONDS"
	event "$volume" "snapshot $1 differs from what it should be: marked damaged"
}

# damage_told UUID - who sends to us found that a snapshot of ours differs from its own, and repairs what comes next.
damage_told() {
	check uuid "$1" 'base' "$CORRUPT"
	lock_take "$volume"
	snap_of_uuid "$1"
	[[ -z $REPLY ]] || damage_mark "$1"
	lock_drop "$volume"
}

# damage_sweep - forget those that are gone.
damage_sweep() {
	local file
	for file in "$dir/damaged"/*; do
		snap_of_uuid "${file##*/}"
		[[ -n $REPLY ]] || rm -f -- "$file"
	done
}

is_damaged()	{ [[ -e $dir/damaged/${snap_uuid[$1]} ]]; }

# damage_list - sets REPLIES to the ids.  Needs snap_load.
damage_list() {
	local id
	REPLIES=()
	[[ -d $dir/damaged ]] || return 0
	for id in "${snap_ids[@]}"; do
		! is_damaged "$id" || REPLIES+=("$id")
	done
}
