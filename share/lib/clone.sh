# clone.sh - writable copies of snapshots, and the volumes that are defined on them.
#
# Needs core.sh ... snap.sh, mount.sh.  A volume on a clone has the fact `parent`, VOLUME/NAME.
# shellcheck shell=bash disable=SC2154

# clone_device NAME - sets REPLY to where clone NAME of the volume is.
clone_device() {
	REPLY=/dev/zumastor/$volume/$1
}

# clone_is NAME - has the volume a clone of that name?  Needs snap_load.
clone_is() {
	[[ " ${snap_clones[*]-} " == *" $1 "* ]]
}

clone_need() {
	clone_is "$1" || die_with "$ABSENT" "volume '$volume' has no clone '$1'"
}

# clone_child NAME - sets REPLY to the volume that is defined on the clone, or to nothing.
clone_child() {
	local file child=
	for file in "$ZUMASTOR_STATE"/volumes/*/parent; do
		state_get clone "$file"
		[[ $REPLY != "$volume/$1" ]] || child=${file%/parent}
	done
	REPLY=${child##*/}
}

# clone_names - sets REPLIES to the names of the volume's clones.  Needs snap_load.
clone_names() {
	read -r -a REPLIES <<<"${snap_clones[*]-}"
}

# clone_guard NAME ACTION - dies when the clone is in use, and says by whom.
clone_guard() {
	local device cannot="cannot $2: clone '$1' is"
	clone_device "$1"
	device=$REPLY
	clone_child "$1"
	[[ -z $REPLY || ! -e /dev/mapper/$REPLY ]] ||
		die_with "$BUSY" "$cannot under volume '$REPLY', which is running"
	[[ -e $device ]] || return 0
	mount_targets "$device"
	((${#REPLIES[@]} == 0)) || die_with "$BUSY" "$cannot mounted on '${REPLIES[0]}'"
	mount_users "$device"
	[[ -z $REPLY ]] || die_with "$BUSY" "$cannot in use by $REPLY"
}

# clone_guard_all ACTION - the same for all of them.
clone_guard_all() {
	local name
	local -a names
	clone_names
	names=("${REPLIES[@]}")
	for name in "${names[@]}"; do
		clone_guard "$name" "$1"
	done
}

# clone_guard_forget - dies when a volume is defined on a clone of this one.
clone_guard_forget() {
	local file
	for file in "$ZUMASTOR_STATE"/volumes/*/parent; do
		state_get clone "$file"
		[[ $REPLY != "$volume/"* ]] || die_with "$BUSY" \
			"cannot forget '$volume': volume '$(basename "${file%/*}")' is on its clone '${REPLY#*/}'"
	done
}
