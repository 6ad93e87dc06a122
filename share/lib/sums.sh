# sums.sh - check sums of what a replica was given, made as it arrived (csrc/lib/sums.h).
#
# Needs core.sh ... snap.sh.   In $dir/source:   sums, the table, and sums-of, the uuid of the snapshot whose
# they are;   sums.next, what is new in a delta, and sums-step, "BASE UUID" of it.  A snapshot has its uuid once all
# of it has arrived, and not before: when there is one, the delta was whole.   Called with the lock of the receiver.
# shellcheck shell=bash disable=SC2034,SC2154

# sums_begin BASE UUID [OFFSET] - sets sums to what delta-apply is to be told.
sums_begin() {
	sums=()
	sums_settle
	state_get step "$dir/source/sums-step"
	if [[ -z ${3-} ]] && sums_fit "$1"; then
		state_set "$dir/source/sums-step" "$1 $2"
	elif [[ -z ${3-} || $REPLY != "$1 $2" || ! -e $dir/source/sums.next ]]; then
		rm -f -- "$dir/source"/sums{-step,.next}
		return
	fi
	sums=(--sums "$dir/source/sums.next")
}

# sums_fit BASE - are those of the base known, and is there room for more?
sums_fit() {
	local blocks bytes
	state_get uuid "$dir/source/sums-of"
	[[ $1 == none || $1 == "$REPLY" ]] || return 1
	snap_number origin_sectors
	read -r blocks bytes <<<"$(stat -f -c '%a %S' -- "$dir/source")"
	# At most three parts in 1024 of the volume, and as much is left for others.
	((blocks * bytes > 6 * (REPLY * 512 >> 10)))
}

# sums_settle - sums_end, where nothing else is to fail because of it.
sums_settle() {
	(sums_end) && return
	warn "it is not recorded any more what '$volume' received"
	rm -f -- "$dir/source"/sums{,-of,-step,.next}
}

# sums_end - once the delta has arrived, what is new belongs to the rest.  Needs snap_load.
sums_end() {
	local base uuid
	state_get step "$dir/source/sums-step"
	base=${REPLY% *} uuid=${REPLY#* }
	[[ -n $uuid ]] || return 0
	snap_of_uuid "$uuid"
	[[ -n $REPLY ]] || return 0
	sums_lay "$base" "$uuid" $((snap_sectors[REPLY] * 512))
	rm -f -- "$dir/source"/sums{-step,.next}
}

# sums_lay BASE UUID BYTES
sums_lay() {
	state_get uuid "$dir/source/sums-of"
	[[ $REPLY != "$2" ]] || return 0
	if [[ $1 == none ]]; then
		helper delta-sums --fresh "$dir/source/sums.full" "$dir/source/sums.next" "$3"
		rm -f -- "$dir/source/sums-of"
		sync -- "$dir/source"
		mv -f -- "$dir/source/sums.full" "$dir/source/sums"
	else
		helper delta-sums "$dir/source/sums" "$dir/source/sums.next" "$3"
	fi
	state_set "$dir/source/sums-of" "$2"
}
