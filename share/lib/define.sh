# define.sh - the steps of `define volume`.   Needs core.sh ... mount.sh, device.sh.
#
# All work on the variables of zumastor-define-volume: volume, dir, origin, store, metadev, named,
# recorded.
# shellcheck shell=bash disable=SC2034,SC2154

readonly STORE_LEAST_SECTORS=$((8 << 11))

# define_check_options - what can be refused by reading alone; sets format, store-format's options.
define_check_options() {
	if [[ -n ${opt[chunksize]+set} ]]; then
		define_check_power "${opt[chunksize]}" 'chunk size' $((4 << 10)) $((512 << 10))
		format+=(--chunk "$REPLY")
	fi
	if [[ -n ${opt[blocksize]+set} ]]; then
		define_check_power "${opt[blocksize]}" 'block size' $((64 << 10)) $((1 << 30))
		format+=(--block "$REPLY")
	fi
	[[ -z ${opt[cachesize]+set} ]] || REPLY=$(size_bytes "${opt[cachesize]}" 'cache size')
	check mountopts "${opt[mountopts]-}" 'mount options'
	[[ -z ${opt[snappath]+set} ]] || check path "${opt[snappath]}" 'snapshot path'
	if [[ -n ${opt[mountpoint]+set} ]]; then
		check path "${opt[mountpoint]}" 'mount point'
		[[ -d ${opt[mountpoint]} ]] ||
			die "mount point '${opt[mountpoint]}' is not a directory"
		! mountpoint -q -- "${opt[mountpoint]}" ||
			die_with "$BUSY" "something is mounted on '${opt[mountpoint]}' already"
	fi
}

# define_clone_options - sets parent, origin and store of a volume on a clone, whose store is part of another's.
define_clone_options() {
	local name
	parent=${opt[clone]} metadev=() named=yes
	check clone "$parent" 'clone'
	for name in origin store initialize zero metadev blocksize chunksize rename; do
		[[ -z ${opt[$name]+set} ]] || die_usage "--clone and --$name exclude each other"
	done
	origin=/dev/zumastor/$parent
	store=$origin.store
}

# define_clone_store - prepare it, in the store of the volume it is a clone of.
define_clone_store() {
	"$ZUMASTOR_LIBEXEC/zumastor-clone-store" "${parent%%/*}" "${parent#*/}" "$volume" || exit
}

# define_check_origin_device - sets origin to its absolute path, and live when it is mounted and may
# stay so.
define_check_origin_device() {
	local number
	device_path "$origin" 'origin'
	origin=$REPLY
	number=$(stat -L -c %Hr:%Lr -- "$origin")
	if ! device_is_mounted "$number" || ! device_is_linear "$origin"; then
		device_check "$origin" 'origin'
		return
	fi
	live=yes
	[[ -z ${opt[initialize]-}${opt[zero]-} ]] ||
		die_with "$BUSY" "origin '$origin' is mounted: it cannot be zeroed"
}

# define_check_inside - a store in a file there would wait for the filesystem that waits for it.
define_check_inside() {
	local number path
	[[ -n $live ]] || return 0
	number=$(stat -L -c %Hr:%Lr -- "$origin")
	for path in "$store" "${metadev[@]}"; do
		! device_lies_on "$path" "$number" || die_with "$BUSY" \
			"store '$path' is in the filesystem on origin '$origin'"
	done
}

# define_check_live - snapshots need the origin as it was left, and this one is being written.
define_check_live() {
	[[ -z $live || -z $record_state || $record_state == *' with 0 snapshots' ]] ||
		die_with "$BUSY" "store '$store' holds snapshots of '$recorded'," \
			"and origin '$origin' is mounted: unmount it, or give it another store"
}

# define_start - start the volume, under its origin when that is mounted.
define_start() {
	run helper dm-start ${live:+--adopt} "$volume" "$origin" "$store" "${metadev[@]}"
}

# define_tell - what was done, and what is left to do.
define_tell() {
	say "volume '$volume' is defined and running${record_state:+; $record_state}"
	[[ -z $live ]] || say "'$origin' stays mounted and is snapshotted; from the next boot on" \
		"mount /dev/mapper/$volume in its place: change /etc/fstab"
}

# define_check_power TEXT WHAT LEAST MOST - sets REPLY to the bytes.
define_check_power() {
	local bytes
	bytes=$(size_bytes "$1" "$2")
	((bytes >= $3 && bytes <= $4 && (bytes & (bytes - 1)) == 0)) ||
		die_usage "bad $2 '$1': a power of two from $(($3 >> 10))K to $(($4 >> 10))K"
	REPLY=$bytes
}

# define_check_record - what does the store's own record say?  Sets record_state to a text when the
# store is taken over, and to nothing when it is to be formatted.
define_check_record() {
	local text code=0
	record_state=
	device_sectors "$store"
	[[ -n $parent ]] || ((REPLY >= STORE_LEAST_SECTORS)) ||
		die_usage "snapshot store '$store' is too small: 8M is the least"
	text=$(run "$ZUMASTOR_LIBEXEC/store-show" "$store" 2>&1) || code=$?
	case $code in
	0)	define_check_takeover "$text" ;;
	4)	;;
	7)	define_permits_reformat ||
			die_with "$CORRUPT" \
				"the record on '$store' is damaged; -i --yes makes a new one" ;;
	*)	die_with "$code" "cannot read the record on '$store': ${text##*: }" ;;
	esac
}

define_permits_reformat() {
	[[ -n ${opt[initialize]-} && -n ${opt[yes]-} ]]
}

# define_check_takeover TEXT - a store of this volume and this origin is taken over, another's is
# not touched.  Sets recorded, the volume's name in the record.
define_check_takeover() {
	local count
	if define_permits_reformat; then
		return
	fi
	facts_read "$1"
	recorded=${facts[name]-}
	check name "$recorded" 'name in the record' "$CORRUPT"
	[[ $recorded == "$volume" || -n ${opt[rename]-} ]] ||
		die "store '$store' belongs to volume '$recorded': define it by this name, or with" \
			"--rename by a new one; -i --yes destroys its snapshots"
	[[ -z ${opt[initialize]-}${opt[zero]-} ]] ||
		die "store '$store' holds snapshots of '$recorded', which need the origin as it is;" \
			"-i --yes destroys them"
	((${#format[@]} == 0)) ||
		die "store '$store' exists: its chunk and block size cannot be changed"
	define_check_uuid "${facts[volume]-}"
	define_check_set
	define_check_origin
	count=$(grep -c ' state=live ' <<<"$1" || true)
	record_state="its store is taken over with $count snapshots"
}

# define_check_uuid UUID - no other volume on this host is the same one, on copies of its disks.
define_check_uuid() {
	local name other
	check uuid "$1" 'volume in the record' "$CORRUPT"
	while IFS= read -r name; do
		[[ $name != "ZUMASTOR-$1-"* ]] ||
			die_with "$BUSY" "the volume of store '$store' is running already, from other disks"
	done < <(dmsetup info -c --noheadings -o uuid 2>/dev/null)
	while IFS= read -r name; do
		state_get path "$ZUMASTOR_STATE/volumes/$name/store"
		other=$("$ZUMASTOR_LIBEXEC/store-show" "$REPLY" 2>/dev/null) || continue
		[[ $other != "volume=$1"$'\n'* ]] ||
			die_with "$BUSY" "store '$store' is of the same volume as '$REPLY' of volume '$name'"
	done < <(volume_list)
}

# define_check_set - the origin and metadata device that the store was made for.
define_check_set() {
	local sectors=${facts[origin_sectors]-}
	check number "$sectors" 'size in the record' "$CORRUPT"
	# It may be larger, as LVM rounds a size up, and a volume can be made smaller.
	device_sectors "$origin"
	((sectors <= REPLY)) ||
		die "store '$store' was made for an origin of $sectors sectors," \
			"'$origin' has $REPLY"
	case ${facts[meta_device]-}:${#metadev[@]} in
	separate:0)	die "store '$store' has its metadata on a device of its own: name it by --metadev" ;;
	store:1)	die "store '$store' has its metadata in itself: '${metadev[0]}' is not its own" ;;
	esac
}

# define_check_origin - is the origin as the volume was left?  Its snapshots are wrong on any other.
define_check_origin() {
	local text code=0 boot
	[[ -z $live ]] || return 0	# it is not, and define_check_live sees to that
	boot=$(</proc/sys/kernel/random/boot_id)
	[[ ${facts[origin_seen]-} != running* || ${facts[origin_seen]} == *" boot=$boot "* ]] ||
		warn "volume '$recorded' was not stopped where it ran last;" \
			"if that was another host, make sure that it has let go of these disks"
	text=$(run "$ZUMASTOR_LIBEXEC/dm-start" --check "$recorded" "$origin" "$store" \
		"${metadev[@]}" 2>&1) || code=$?
	case $code in
	0)	;;
	6)	[[ -n ${opt[yes]-} ]] || die_with "$LOST" \
			"origin '$origin' is not as volume '$recorded' was left: another disk, or written" \
			"since; --yes takes it as it is and gives the snapshots up" ;;
	*)	die_with "$code" "cannot look at origin '$origin': ${text##*: }" ;;
	esac
}

# define_check_contents - refuse to overwrite anything that somebody else would recognise.
define_check_contents() {
	local path origin_holds
	device_signature "$origin"
	origin_holds=$REPLY
	if [[ -n ${opt[initialize]-}${opt[zero]-} && -n $origin_holds ]]; then
		define_confirm "origin '$origin' holds $origin_holds"
	fi
	[[ -z $record_state ]] || return 0
	for path in "$store" "${metadev[@]}"; do
		device_signature "$path"
		[[ -n $REPLY ]] || continue
		# A blank origin beside a full store: the two were most likely swapped, and a yes
		# to "destroy it?" is most likely given by habit.
		[[ -n $named || -n $origin_holds ]] ||
			die "store '$path' holds $REPLY and origin '$origin' nothing:" \
				"are they swapped? nothing was overwritten;" \
				"name them by --origin and --store"
		define_confirm "store '$path' holds $REPLY"
	done
}

# define_confirm WHAT - go on only by --yes or by a yes at a terminal.
define_confirm() {
	local answer=
	[[ -z ${opt[yes]-} ]] || return 0
	if [[ -t 0 && -t 2 ]]; then
		read -r -p "$program: $(one_line "$1"); destroy it? [y/N] " answer
	fi
	[[ $answer == [yY] || $answer == yes ]] ||
		die "$1; nothing was overwritten, --yes destroys it"
}

# define_write_devices - zero and format as far as asked or needed.  There is no way back from here.
define_write_devices() {
	# -f: what it holds was looked at, and a yes given.
	[[ -z ${opt[initialize]-}${opt[zero]-} ]] || run blkdiscard -f -z -- "$origin" 2>/dev/null ||
		die "cannot zero origin '$origin'"
	if [[ -n $record_state ]]; then
		define_rename
		return
	fi
	[[ -n ${opt[chunksize]-} ]] ||
		format+=(--chunk "$(size_bytes "${config[chunk_size]}" 'chunk size')")
	run wipefs -q -a -- "$store" "${metadev[@]}"
	run helper store-format "${format[@]}" "$volume" "$origin" "$store" "${metadev[@]}" \
		>/dev/null
	on_exit dd if=/dev/zero of="$store" bs=64K count=1 conv=notrunc status=none
}

# define_rename - a volume that is taken over gets its new name.
define_rename() {
	[[ $recorded != "$volume" ]] || return 0
	on_exit helper store-set "$store" "name=$recorded"
	run helper store-set "$store" "name=$volume"
}

# define_write_state - the database entry, whole or not at all.
define_write_state() {
	local new=$ZUMASTOR_STATE/volumes/.new
	rm -rf -- "$new"
	mkdir -- "$new"
	state_set "$new/origin" "$origin" "$new/store" "$store" "$new/live" "$live" \
		"$new/parent" "$parent" "$new/metadev" "${metadev[0]-}" \
		"$new/mountopts" "${opt[mountopts]-}" "$new/mountpoint" "${opt[mountpoint]-}" \
		"$new/snappath" "${opt[snappath]-}"
	[[ -z ${opt[cachesize]-} ]] ||
		state_set "$new/cachesize" "$(size_bytes "${opt[cachesize]}" 'cache size')"
	mv -T -- "$new" "$dir"
	sync -- "$ZUMASTOR_STATE/volumes"
	mountpoint=${opt[mountpoint]:-$ZUMASTOR_RUN/volumes/$volume}
	snappath=${opt[snappath]:-$ZUMASTOR_RUN/volumes/$volume-snapshots}
}
