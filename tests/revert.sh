# revert.sh - for tests in the lab: the steps of a revert as `zumastor revert` makes them.   Source it after stack.sh.
# shellcheck shell=bash disable=SC2154 # what stack.sh gives

# revert_begin ID - the newest snapshot is the undo point.
revert_begin() {
	"$helpers/dm-revert" begin "$volume" "$store" "$1"
}

# revert_rewind - the origin gets the snapshot's content.
revert_rewind() {
	local from to id chunks
	local -a cows
	id=$("$helpers/store-show" "$store" | sed -n 's/^revert=open snapshot=\([0-9]*\) .*/\1/p')
	chunks=$(($(blockdev --getsize64 "$origin") / 16384))
	{ IFS='=' read -r _ from && IFS='=' read -r _ to; } < <("$helpers/dm-revert" prepare "$volume" "$store")
	mapfile -t cows < <("$helpers/dm-cows" "$volume" "$store" "$id" head)
	"$helpers/cow-chunks" 16384 "$chunks" "${cows[@]}" >"$scratch/ranges" &&
		"$helpers/cow-rewind" 16384 "$from" "$to" <"$scratch/ranges"
}

revert_finish() {
	local i code
	for ((i = 0; i < 300; i++)); do
		code=0
		"$helpers/dm-revert" finish "$volume" "$store" || code=$?
		((code == 3)) || return "$code"
		sleep 0.1
	done
	return 1
}

# revert_on - go on from whatever phase the record says, to the end.
revert_on() {
	local phase
	phase=$("$helpers/store-show" "$store" | sed -n 's/^revert=\([a-z]*\) .*/\1/p')
	case $phase in
	open)		revert_rewind && "$helpers/dm-revert" merge "$volume" "$store" && revert_finish ;;
	merging)	"$helpers/dm-revert" merge "$volume" "$store" && revert_finish ;;
	*)		"$helpers/dm-settle" "$volume" "$store" ;;
	esac
}
