# group.sh - volumes that get a snapshot at the same instant.
#
# Needs core.sh ... volume.sh, snap.sh, mount.sh, hold.sh, hook.sh.
#
# groups/NAME/volumes has the members, sorted: their locks are taken in that order by whoever takes
# several.  The uuids of the snapshots of one instant have the first 18 characters in common: its
# mark.  groups/NAME/taking has that of the one being taken: after a crash it may be partial.
# shellcheck shell=bash disable=SC2154,SC2034

readonly GROUP_MAX=64 INSTANT_LENGTH=18

group_list() {
	state_entries name "$ZUMASTOR_STATE/groups"
}

is_group()	{ is_name "$1" && [[ -d $ZUMASTOR_STATE/groups/$1 ]]; }

# group_load NAME - sets group, group_dir and members.
group_load() {
	group=$1 group_dir=$ZUMASTOR_STATE/groups/$1
	[[ -d $group_dir && ! -L $group_dir ]] || die_with "$ABSENT" "no such group '$1'"
	state_get names "$group_dir/volumes"
	read -r -a members <<<"$REPLY"
	((${#members[@]})) || die "'$group_dir' is incomplete; define the group again"
}

# group_store NAME - of the sorted members; whole or not at all.
group_store() {
	local new=$ZUMASTOR_STATE/groups/.new
	rm -rf -- "$new"
	mkdir -- "$new"
	state_set "$new/volumes" "${members[*]}"
	mv -T -- "$new" "$ZUMASTOR_STATE/groups/$1"
	sync -- "$ZUMASTOR_STATE/groups"
}

# group_of VOLUME - sets REPLIES to the groups it is a member of.
group_of() {
	local file
	REPLIES=()
	for file in "$ZUMASTOR_STATE"/groups/*/volumes; do
		state_get names "$file"
		[[ " $REPLY " != *" $1 "* ]] || REPLIES+=("$(basename -- "${file%/*}")")
	done
}

# group_claim VOLUME... - lock them, which must be sorted (in the C locale): nobody waits for one of
# us in a circle.
group_claim() {
	local name
	for name in "$@"; do
		volume_dir "$name"
		[[ -d $REPLY ]] || die_with "$ABSENT" "no such volume '$name'"
		lock_take "$name"
	done
}

# group_begin - a snapshot of the group, with the mark $instant, is about to be taken.
group_begin() {
	state_set "$group_dir/taking" "$instant"
}

# group_end - every member has it, or none.
group_end() {
	rm -f -- "$group_dir/taking"
}

# group_uuid - sets REPLY to a uuid of its own for the snapshot of one member, with the mark.
group_uuid() {
	REPLY=$(</proc/sys/kernel/random/uuid)
	REPLY=${instant:0:INSTANT_LENGTH}${REPLY:INSTANT_LENGTH}
}

# group_settle - whether a snapshot was taken that is still pending is decided by its volume's devices.
group_settle() {
	local name
	for name in "${members[@]}"; do
		volume_load "$name"
		volume_ready
		volume_settle
	done
}

# group_holders - sets REPLIES to "VOLUME ID" of the snapshots of the instant that was being taken.
group_holders() {
	local name id
	local -a found=()
	state_get uuid "$group_dir/taking"
	instant=$REPLY
	for name in "${members[@]}"; do
		volume_load "$name"
		snap_load
		for id in "${snap_ids[@]}"; do
			[[ ${snap_uuid[id]} != "${instant:0:INSTANT_LENGTH}"* ]] ||
				found+=("$name $id")
		done
	done
	REPLIES=("${found[@]}")
}

# group_mend - a crash, or a failure, came while a snapshot was being taken: it stays if every member
# has it, else it is removed.  All members are locked.
group_mend() {
	local entry
	[[ -e $group_dir/taking ]] || return 0
	group_settle
	group_holders
	if ((${#REPLIES[@]} < ${#members[@]})); then
		for entry in "${REPLIES[@]}"; do
			group_drop "${entry% *}" "${entry#* }"
		done
	fi
	group_end
}

# group_drop VOLUME ID
group_drop() {
	volume_load "$1"
	snap_load
	if (hold_guard "$2" remove && hook_drop "$2"); then
		warn "snapshot $2 of '$1' is removed:" \
			"others of group '$group' have none of that instant"
	else
		warn "snapshot $2 of '$1' stays:" \
			"but others of group '$group' have none of that instant"
	fi
}

# group_mend_of VOLUME - mend the groups of a volume that was started, once all their members run.
group_mend_of() {
	local name
	group_of "$1"
	for name in "${REPLIES[@]}"; do
		[[ ! -e $ZUMASTOR_STATE/groups/$name/taking ]] || (group_mend_if_up "$name") || true
	done
}

group_mend_if_up() {
	local name
	group_load "$1"
	group_claim "${members[@]}"
	for name in "${members[@]}"; do
		volume_load "$name"
		volume_status
		[[ ${facts[state]} == running ]] || return 0
	done
	group_mend
}

# group_row - of the table of groups.  Sets nothing, takes no lock.
group_row() {
	local note=-
	if [[ -e $group_dir/taking ]]; then
		note="a snapshot was cut off; the next one, or start, mends it"
		! lock_held "${members[0]}" || note="at work"
	fi
	printf '%s\t%s\t%s\n' "$group" "${members[*]}" "$note"
}

# group_json - the same as an object.
group_json() {
	local name separator='' cut=false
	[[ ! -e $group_dir/taking ]] || cut=true
	printf '{"name":"%s","cut":%s,"volumes":[' "$group" "$cut"
	for name in "${members[@]}"; do
		printf '%s"%s"' "$separator" "$name"
		separator=,
	done
	printf ']}'
}
