# share.sh - the snapshots that are mounted, shown to others: in .snapshot of the volume, by NFS, to Samba.
#
# Needs core.sh ... snap.sh, mount.sh, nfs.sh, samba.sh.
#
# $dir/shares says what was asked for, and outlives a change of role: who takes a master's place serves the same clients.
# What is shown follows from what is mounted now, so the next command puts right what one that was killed has left.
# shellcheck shell=bash disable=SC2034,SC2154 # share_look sets what nfs.sh and samba.sh work on

is_shared()	{ [[ -e $dir/shares/$1 && ! -e $dir/shares/nosnapmount ]]; }

# share_update - after something was mounted, or is not any more.  Needs snap_load.
share_update() {
	local root changed=
	local -A at=()		# by place: the device that is mounted there
	local -a shown=()	# by id: the name of the directory
	[[ -d $dir/shares ]] || return 0
	share_look
	share_dot
	nfs_update
	samba_update
}

# share_root - sets REPLY to the place of the volume's filesystem, or to nothing.   One that was mounted before there was the
# volume is its owner's to unmount, and has nothing of ours in it.
share_root() {
	volume_device
	if [[ $REPLY == "$origin" ]]; then
		REPLY=
		return
	fi
	REPLY=$(readlink -f -- "$mountpoint") || REPLY=$mountpoint
	mount_is_point "$REPLY" || REPLY=
}

# share_look - sets root, at and shown.
share_look() {
	local id line number path
	local -A numbers=()
	local -a lines
	share_root
	root=$REPLY
	mapfile -t lines </proc/self/mountinfo
	for line in "${lines[@]}"; do
		[[ ! $line =~ ^[0-9]+\ [0-9]+\ ([0-9:]+)\ [^\ ]+\ ([^\ ]+)\  ]] || at[${BASH_REMATCH[2]}]=${BASH_REMATCH[1]}
	done
	while read -r number path; do
		numbers[${path##*/}]=$number
	done < <(stat -L -c '%Hr:%Lr %n' -- "/dev/zumastor/$volume"/[0-9]* 2>/dev/null)
	for id in "${snap_ids[@]}"; do
		snap_time_text "${snap_time[id]}"
		number=${at[$snappath/$REPLY]-}
		[[ -z $number || $number != "${numbers[$id]-}" ]] || shown[id]=$REPLY
	done
}

# share_dot - .snapshot of the volume has what the directory of snapshots has.
share_dot() {
	local id name dot=$root/.snapshot
	local -a links=() names
	[[ -n $root ]] || return 0
	if ! is_shared dotsnapshot; then
		[[ -z ${at[$dot]-} ]] || nfs_leave "${at[$dot]}" "$dot"
		share_dot_end "$root"
		return
	fi
	share_dot_begin || return 0
	for id in "${!shown[@]}"; do
		share_bind "$snappath/${shown[id]}" "$dot/${shown[id]}"
		read -r -a names <<<"${snap_names[id]-}"
		for name in "${names[@]}"; do
			links+=("$name" "${shown[id]}")
		done
	done
	share_drop_places "$dot"
	run helper link-set "$dot" "${links[@]}"
}

# share_dot_begin - a filesystem of its own, in memory: of one that was there, more than we show could be exported with it.  In
# the volume .snapshot may be anything, and anybody's: no link is followed.
share_dot_begin() {
	local dot=$root/.snapshot
	[[ -z ${at[$dot]-} ]] || return 0
	if [[ ! -e $dot && ! -L $dot ]]; then
		(volume_need_room 'make .snapshot in') || return 1
		run mkdir -m 0755 -- "$dot" 2>/dev/null || {
			warn "snapshots of '$volume' are not shown in '$dot', which cannot be made"
			return 1
		}
	fi
	(cd -P -- "$dot" && [[ $PWD == "$dot" ]] &&
		run mount -c -t tmpfs -o mode=0755,size=4M,nosuid,nodev,noexec zumastor .) 2>/dev/null || {
		warn "snapshots of '$volume' are not shown in '$dot': it is no directory, or cannot be mounted on"
		return 1
	}
	at[$dot]=yes
	changed=yes
}

# share_bind FROM TO - what is mounted on FROM is to be seen at TO, too.
share_bind() {
	[[ -z ${at[$2]-} ]] || return 0
	[[ -d $2 ]] || (umask 022 && run mkdir -p -- "$2")
	mount_quietly --bind -- "$1" "$2"
	at[$2]=${at[$1]}
	changed=yes
}

# share_drop_places DIR - directories in it on which nothing is mounted any more.
share_drop_places() {
	local place
	for place in "$1"/*[0-9]/; do
		[[ -L ${place%/} || -n ${at[${place%/}]-} ]] || run rmdir -- "${place%/}" 2>/dev/null || true
	done
}

# share_dot_end ROOT - before what is mounted there can be unmounted.
share_dot_end() {
	local line i
	local -a lines places=()
	mapfile -t lines </proc/self/mountinfo
	for line in "${lines[@]}"; do
		line=${line#* * * * }
		line=${line%% *}
		[[ $line != "$1/.snapshot" && $line != "$1/.snapshot/"* ]] || places+=("$line")
	done
	for ((i = ${#places[@]} - 1; i >= 0; i--)); do
		mount_away "${places[i]}" || ! mount_is_point "${places[i]}" || die_with "$BUSY" "cannot unmount '${places[i]}': it is in use"
	done
}

# share_leave NUMBER ROOT... - what the device of that number has mounted there is about to be unmounted.
share_leave() {
	local root
	[[ -d $dir/shares ]] || return 0
	nfs_leave "$@"
	for root in "${@:2}"; do
		share_dot_end "$root"
	done
}

# share_end - before all of the volume is unmounted.
share_end() {
	[[ -d $dir/shares ]] || return 0
	nfs_end
	share_root
	[[ -z $REPLY ]] || share_dot_end "$REPLY"
}

# share_forget - nothing is left of it.
share_forget() {
	nfs_end
	samba_forget
}

# What define master and define source have in common; works on the command's opt.
share_options=('e|export' 's|dotsnapshot' '|no-export' '|export-to=' '|export-options=')
share_flags=(export samba dotsnapshot no-snapmount no-export)

# share_given - is it said what is to be shown?
share_given() {
	local flag given=
	for flag in "${share_flags[@]}"; do
		given+=${opt[$flag]-}
	done
	[[ -n $given ]]
}

# share_check - the options make sense, and there is what they need.
share_check() {
	[[ -z ${opt[export-to]+set} ]] || check clients "${opt[export-to]}" 'clients'
	[[ -z ${opt[export-options]+set} ]] || check export_options "${opt[export-options]}" 'export options'
	[[ -z ${opt[no-export]-} || -z ${opt[export]-}${opt[samba]-}${opt[dotsnapshot]-} ]] ||
		die_usage "--no-export excludes --export, --samba and --dotsnapshot"
	[[ -z ${opt[no-snapmount]-} ]] || opt[export]='' opt[samba]='' opt[dotsnapshot]=''
	[[ -z ${opt[export]-} ]] || nfs_check_installed
	[[ -z ${opt[samba]-} ]] || samba_check_installed
}

# share_check_volume - the same, once it is known of which volume.
share_check_volume() {
	local path
	[[ -z ${opt[export-to]+set}${opt[export-options]+set} || -n ${opt[export]-} ]] || is_shared export ||
		die_usage "--export-to and --export-options go with --export"
	[[ -n ${opt[export]-}${opt[samba]-}${opt[dotsnapshot]-} ]] || return 0
	for path in "$mountpoint" "$snappath"; do
		[[ $path =~ ^[A-Za-z0-9_.,:@+/-]+$ ]] || die "cannot share '$path': neither exports(5) nor smb.conf(5) takes every character"
	done
}

# share_store - what was not said stays as it is.
share_store() {
	share_given || [[ -n ${opt[export-to]+set}${opt[export-options]+set} ]] || return 0
	mkdir -p -- "$dir/shares"
	if share_given; then
		state_set "$dir/shares/export" "${opt[export]-}" "$dir/shares/samba" "${opt[samba]-}" \
			"$dir/shares/dotsnapshot" "${opt[dotsnapshot]-}" "$dir/shares/nosnapmount" "${opt[no-snapmount]-}"
	fi
	[[ -z ${opt[export-to]+set} ]] || state_set "$dir/shares/to" "${opt[export-to]}"
	[[ -z ${opt[export-options]+set} ]] || state_set "$dir/shares/options" "${opt[export-options]}"
	[[ -z ${opt[export]-} ]] || nfs_warn_local
}
