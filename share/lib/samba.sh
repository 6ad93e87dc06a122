# samba.sh - snapshots as the previous versions of files on Samba's shares.   Needs core.sh, mount.sh, share.sh.
#
# vfs_shadow_copy2(8) wants directories named @GMT-TIME.  They are here, and not in the root of the volume: there every
# backup would have them, every snapshot empty ones, and a replica, which is read-only, none.   Which share shows them is its owner's
# choice: what it takes is in a file that never changes, to be included in the share's section.
# shellcheck shell=bash disable=SC2154 # works on what share_look has found

samba_file()	{ REPLY=/etc/samba/zumastor/$volume.conf; }

samba_check_installed() {
	local modules
	type -P smbd >/dev/null || die_with "$UNSUPPORTED" \
		"cannot show previous versions: Samba is not installed; it is in Debian's package samba"
	modules=$(smbd -b | sed -n 's/^ *MODULESDIR: //p')
	[[ -e $modules/vfs/shadow_copy2.so ]] || die_with "$UNSUPPORTED" \
		"cannot show previous versions: Samba lacks shadow_copy2; it is in Debian's package samba-vfs-modules"
}

# samba_update - the directories are those of the snapshots that are shown.
samba_update() {
	local id place=$ZUMASTOR_RUN/samba/$volume
	if ! is_shared samba; then
		samba_end "$place"
		samba_forget
		return
	fi
	samba_store "$place"
	for id in "${!shown[@]}"; do
		TZ=UTC0 printf -v REPLY '@GMT-%(%Y.%m.%d-%H.%M.%S)T' "${snap_time[id]}"
		share_bind "$snappath/${shown[id]}" "$place/$REPLY"
	done
	share_drop_places "$place"
}

# samba_end PLACE - what is bound there goes.
samba_end() {
	local path
	[[ -d $1 ]] || return 0
	for path in "$1"/@GMT-*/; do
		path=${path%/}
		[[ -z ${at[$path]-} ]] || mount_away "$path" || warn "cannot unmount '$path': it is in use"
		run rmdir -- "$path" 2>/dev/null || true
	done
	run rmdir -- "$1" 2>/dev/null || true
}

# samba_store PLACE - what smb.conf(5) is to include.
samba_store() {
	local base=$root file text
	[[ -n $base ]] || mount_where
	base=${base:-${REPLIES[0]-}}
	[[ -n $base ]] || return 0
	samba_file
	file=$REPLY
	printf -v text '%s\n' "# Written by zumastor, for shares in '$base': previous versions are the snapshots of '$volume'." \
		'vfs objects = shadow_copy2' "shadow:basedir = $base" "shadow:snapdir = $1" 'shadow:sort = desc' \
		'shadow:format = @GMT-%Y.%m.%d-%H.%M.%S' 'shadow:localtime = no'
	[[ ! -e $file || "$(<"$file")"$'\n' != "$text" ]] || return 0
	(umask 022 && mkdir -p -- "${file%/*}" && printf '%s' "$text" >"$file.new")
	run mv -f -- "$file.new" "$file"
}

samba_forget() {
	samba_file
	[[ ! -e $REPLY ]] || run rm -f -- "$REPLY"
}
