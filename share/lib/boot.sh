# boot.sh - tells systemd which devices each volume needs, so that it starts a volume when they appear.
#
# Needs core.sh, check.sh, state.sh, volume.sh.
#
# Written below /run, as the database may lie on a file system that is not there yet when generators run:
#   zumastor-volume@VOL.service.d	not without its devices, and after them
#   DEVICE.device.wants			each of them starts the volume when it appears, whenever that is, and the volume what
#					/etc/fstab mounts of it, which systemd by itself does at boot only
#   zumastor.service.d			stops after what is mounted on volumes, and before what is below them
# shellcheck shell=bash

readonly BOOT_UNITS=/run/systemd/system BOOT_DROPIN=zumastor-devices.conf

# boot_is_ours - does systemd run, and start our volumes?
boot_is_ours() {
	[[ -d $BOOT_UNITS ]] && systemctl --quiet is-active zumastor.service
}

# boot_escape SUFFIX NAME... - sets REPLIES to the names of units, of the form PREFIX@NAME.SUFFIX when SUFFIX is one.
boot_escape() {
	local text template=$1 name
	shift
	REPLIES=()
	(($#)) || return 0
	case $template in
	*@.service)	text=$(systemd-escape --template="$template" -- "$@") ;;
	*@.target)	text=$(systemd-escape --path --template="$template" -- "$@") ;;
	*)		text=$(systemd-escape --path --suffix="$template" -- "$@") ;;
	esac
	for name in $text; do
		REPLIES+=("$name")
	done
}

# boot_devices VOLUME - sets REPLIES to the devices it is made of, and REPLY to the volume on whose clone it is, or to nothing.
# What lies elsewhere than in /dev, or belongs to another volume, is no unit of systemd's.
boot_devices() {
	local file
	local -a devices=()
	for file in "$ZUMASTOR_STATE/volumes/$1"/{origin,store,metadev}; do
		state_get path "$file"
		[[ $REPLY != /dev/* || $REPLY == /dev/zumastor/* ]] || devices+=("$REPLY")
	done
	REPLIES=("${devices[@]}")
	state_get clone "$ZUMASTOR_STATE/volumes/$1/parent"
	REPLY=${REPLY%%/*}
}

# boot_drop_in UNIT LINE... - in its section [Unit].
boot_drop_in() {
	mkdir -p -- "$BOOT_UNITS/$1.d"
	printf '%s\n' '# Made by zumastor(8), from its database.' '[Unit]' "${@:2}" >"$BOOT_UNITS/$1.d/$BOOT_DROPIN"
}

# boot_want WANTING WANTED
boot_want() {
	mkdir -p -- "$BOOT_UNITS/$1.wants"
	ln -sfn -- "../$2" "$BOOT_UNITS/$1.wants/"	# only its name counts
}

# boot_mounts VOLUME - what /etc/fstab has of it is mounted when it appears.
boot_mounts() {
	local name device target options
	boot_escape device "/dev/zumastor/$1/origin"
	device=${REPLIES[0]}
	for name in "/dev/mapper/$1" "/dev/zumastor/$1/origin"; do
		while read -r target options; do
			[[ ,$options, != *,noauto,* ]] || continue
			printf -v target %b "$target"	# findmnt writes a blank as \x20
			boot_escape mount "$target"
			boot_want "$device" "${REPLIES[0]}"
		done < <(findmnt --fstab -rn -o TARGET,OPTIONS -S "$name")
	done
}

# boot_volume VOLUME - adds to above and below, the points that what is mounted on it, and what it lies on, stop at.
boot_volume() {
	local unit device parent
	local -a devices
	boot_escape zumastor-volume@.service "$1"
	unit=${REPLIES[0]}
	boot_escape blockdev@.target "/dev/mapper/$1" "/dev/zumastor/$1/origin"
	above+=("${REPLIES[@]}")
	boot_mounts "$1"
	boot_devices "$1"
	parent=$REPLY
	devices=("${REPLIES[@]}")
	boot_escape blockdev@.target "${devices[@]}"
	below+=("${REPLIES[@]}")
	boot_escape device "${devices[@]}"
	devices=("${REPLIES[@]}")
	for device in "${devices[@]}"; do
		boot_want "$device" "$unit"
	done
	if [[ -n $parent ]]; then
		boot_escape zumastor-volume@.service "$parent"
		boot_want "${REPLIES[0]}" "$unit"
		boot_drop_in "$unit" "Requires=${REPLIES[0]}" "After=${REPLIES[0]}"
	elif ((${#devices[@]})); then
		boot_drop_in "$unit" "Requisite=${devices[*]}" "After=${devices[*]}"
	fi
}

# boot_below - adds what takes devices away at shutdown.  Where iSCSI is in use, that waits at boot for the network, and so for
# the local file systems, which may wait for us: then there is no order.
boot_below() {
	local unit
	systemctl --quiet is-active iscsid.service open-iscsi.service ||
		below+=(blk-availability.service lvm2-monitor.service)
}

# boot_is_remote DEVICE... - does one of them lie on a disk that comes by the network?
boot_is_remote() {
	local text
	text=$(lsblk -snro TRAN,KNAME -- "$@" 2>/dev/null) && [[ $text =~ (^|$'\n')(iscsi |[^ ]*\ (nbd|rbd)[0-9]) ]]
}

# boot_started - a volume has been started: on such a disk, it is stopped by a unit of its own, see there.
boot_started() {
	if boot_is_ours && boot_is_remote "$origin" "$store" "${metadev[@]}"; then
		boot_escape zumastor-remote@.service "$volume"
		run systemctl --no-block start "${REPLIES[0]}"
	fi
}

# boot_clear - as if there were no volumes.
boot_clear() {
	local file
	for file in "$BOOT_UNITS"/*/"$BOOT_DROPIN" "$BOOT_UNITS"/*.wants/zumastor-volume@*.service \
		"$BOOT_UNITS"/dev-zumastor-*.device.wants/*.mount; do
		rm -f -- "$file"
		rmdir -- "${file%/*}" 2>/dev/null || true
	done
}

# boot_write - makes it so for all volumes.  Call it with the lock `:define`.
boot_write() (
	umask 022	# systemd tells everybody what is in there, and complains otherwise
	local name names
	local -a above=() below=()
	names=$(volume_list)
	boot_clear
	for name in $names; do
		boot_volume "$name"
	done
	boot_below
	boot_drop_in zumastor.service "Wants=${above[*]}" "Before=${above[*]}" "After=${below[*]}"
	run systemctl daemon-reload
	((${#above[@]} == 0)) || run systemctl --no-block start "${above[@]}"
)

# boot_changed - a volume has come or gone.
boot_changed() {
	if boot_is_ours; then
		boot_write
	fi
}

# boot_start - every volume by a unit of its own, as soon as its devices are there; waits for none.
boot_start() {
	local names
	[[ -d $BOOT_UNITS ]] || die_with "$UNSUPPORTED" "systemd does not run here; try 'zumastor start'"
	boot_write
	names=$(volume_list)
	# shellcheck disable=SC2086 # a name is one word
	boot_escape zumastor-volume@.service $names
	((${#REPLIES[@]} == 0)) || run systemctl --no-block start "${REPLIES[@]}"
}
