# volume.sh - what is known of a volume: its database entry and its state in the kernel.
#
# Needs core.sh, check.sh, state.sh, lock.sh.
# shellcheck shell=bash disable=SC2034 # volume_load fills in variables for the commands

# volume_dir VOLUME - where its facts are; dies for a name that is none.
volume_dir() {
	check_volume_name "$1"
	REPLY=$ZUMASTOR_STATE/volumes/$1
}

# volume_load VOLUME - sets volume, dir, origin, store, metadev (an array, for the end of a command
# line), mountpoint, snappath and role.
volume_load() {
	volume_dir "$1"
	dir=$REPLY volume=$1
	[[ -d $dir && ! -L $dir ]] || die_with "$ABSENT" "no such volume '$1'"
	state_get path "$dir/origin"
	origin=$REPLY
	state_get path "$dir/store"
	store=$REPLY
	[[ -n $origin && -n $store ]] || die "'$dir' is incomplete; define the volume again"
	state_get path "$dir/metadev"
	metadev=(${REPLY:+"$REPLY"})
	state_get path "$dir/mountpoint" "$ZUMASTOR_RUN/volumes/$1"
	mountpoint=$REPLY
	state_get path "$dir/snappath" "$ZUMASTOR_RUN/volumes/$1-snapshots"
	snappath=$REPLY
	volume_role
}

# volume_role - sets role: master and source exclude each other, plain is neither.
volume_role() {
	role=plain
	if [[ -d $dir/source ]]; then
		role=source
	elif [[ -d $dir/master ]]; then
		role=master
	fi
}

# volume_list - the names of all volumes, one a line.
volume_list() {
	state_entries name "$ZUMASTOR_STATE/volumes"
}

# facts_read TEXT - sets facts[KEY] from KEY=VALUE lines of one of our helpers, or of a peer.
facts_read() {
	local line
	declare -gA facts=()
	while IFS= read -r line; do
		[[ $line =~ ^([a-z_-]{1,32})=([[:print:]]*)$ ]] ||
			die_with "$CORRUPT" "bad line '$line'"
		facts[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
	done <<<"$1"
}

# volume_status - sets facts from dm-status.
volume_status() {
	local text
	text=$(become dm-status "$volume" "$store")
	facts_read "$text"
}

# volume_is_absent - has the kernel no device of it?  No record is needed to tell, so it can be told when the store has died.
# The devices of a volume whose name is this one's, a dash and more count, too.
volume_is_absent() {
	local text name uuid
	text=$(dmsetup info -c --noheadings --separator ' ' -o name,uuid 2>/dev/null) || return 1
	while read -r name uuid; do
		[[ $uuid != ZUMASTOR-* || ($name != "$volume" && $name != "$volume"[-\(]*) ]] || return 1
	done <<<"$text"
}

# volume_ready - for a command that changes a volume: locked by us, it must be running, and is put
# right when a command died half-way.
volume_ready() {
	volume_status
	case ${facts[state]-} in
	running)	;;
	suspended | detached)
			run helper dm-start "$volume" "$origin" "$store" "${metadev[@]}" ;;
	*)		die "volume '$volume' is stopped; try 'zumastor start volume $volume'" ;;
	esac
}

readonly SLICE_MS=1000		# of freeing the space of removed snapshots, before others get the volume

# volume_settle - bring the devices to what the record says, or end the process.  What takes longer than a slice is left to
# volume_settle_later, a process of its own.
volume_settle() {
	local text
	text=$(run become dm-settle --slice "$SLICE_MS" "$volume" "$store") || exit
	[[ -z $text ]] || volume_settle_later
}

volume_settle_later() {
	lock_held "$volume:remove" ||
		(unlocked setsid "$ZUMASTOR_LIBEXEC/zumastor-remove-settle" "$volume" </dev/null &>/dev/null &)
}

# volume_need_room ACTION - die rather than write to the volume when that would wait for room, perhaps for
# ever, and keep with our lock everybody from making some.
volume_need_room() {
	volume_status
	[[ ${facts[store_short]-} != full ]] || die "cannot $1 '$volume': its store is full," \
		"and what is written to it waits; 'zumastor remove $volume SNAP' makes room"
}

# volume_device - sets REPLY to what has the volume's filesystem: the origin, if it lies on the volume
# because it was mounted when that was defined, or else the volume.
volume_device() {
	local mine theirs name
	REPLY=/dev/mapper/$volume
	[[ -e $dir/live ]] || return 0
	mine=$(stat -L -c %Hr:%Lr -- "$REPLY" 2>/dev/null) || return 0
	theirs=$(stat -L -c %Hr:%Lr -- "$origin" 2>/dev/null) || return 0
	name=$(readlink -- "/sys/dev/block/$theirs") || return 0
	[[ ! -e /sys/dev/block/$mine/holders/${name##*/} ]] || REPLY=$origin
}

# volume_need_own ACTION - die while the origin lies on the volume.
volume_need_own() {
	volume_device
	[[ $REPLY != "$origin" ]] || die_with "$BUSY" "cannot $1 '$volume': '$origin' lies on it;" \
		"unmount that, stop and start the volume, and mount /dev/mapper/$volume"
}

# volume_jobs - sets REPLY to the name of a job at work on the volume, or to nothing.
volume_jobs() {
	local file
	REPLY=
	for file in "$ZUMASTOR_RUN/lock/$volume":{receive,target:*,exec:*,export:*,read:*}; do
		if lock_held "${file##*/}"; then
			REPLY=${file##*/}
		fi
	done
}

# volume_open VOLUME - how a command about a volume begins: nothing is changed, nothing is locked.
volume_open() {
	check_volume_name "$1"
	need_root
	config_load
	state_open
	volume_load "$1"
}

# volume_claim VOLUME - the same for a command that changes it.  What was read before the lock was
# ours may have changed: it is read again.
volume_claim() {
	volume_open "$1"
	lock_take "$1"
	volume_load "$1"
}
