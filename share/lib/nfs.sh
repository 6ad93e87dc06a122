# nfs.sh - a volume and its snapshots for the clients of the kernel's NFS server.   Needs core.sh, check.sh, config.sh, state.sh.
#
# Every volume has a file of its own in /etc/exports.d, which exportfs -r reads whenever the server starts.  Every snapshot
# has an entry in it, and an fsid: a snapshot's filesystem has the id of the volume's, and without one, or below a volume
# with crossmnt and without an entry, clients would find under the snapshot's path what the volume holds now.   With mp a place
# where nothing is mounted is not exported.
#
# The server remembers where exported paths lead.  And of NFSv4 clients that have a file open, or may keep one (a delegation), it
# keeps the filesystem that it was opened on: the device would stay in use for as long as they like, and new opens might find
# the old file.  A client whose state has expired opens its files anew, unnoticed by its programs.
# shellcheck shell=bash disable=SC2034,SC2154 # works on what share_look has found

is_nfs_server()	{ [[ -e /proc/fs/nfsd/threads && $(</proc/fs/nfsd/threads) != 0 ]]; }

# nfs_moved MAJOR:MINOR... - paths that led to filesystems on these devices lead elsewhere.
nfs_moved() {
	nfs_flush
	nfs_release "$@"
}

# nfs_flush - forget where paths lead.   Once for each change, and no more: the kernel dates what it forgets, to the second, and
# forgets it when that has come; every flush in the same second puts it off by one more.
nfs_flush() {
	is_nfs_server || return 0
	run exportfs -f || warn "NFS clients may see the old content of '$volume'"
}

# nfs_release MAJOR:MINOR... - version 4 clients with files of these devices open are to open them anew.
nfs_release() {
	local number text client states
	is_nfs_server || return 0
	for client in /proc/fs/nfsd/clients/*; do
		# It may be gone by now.
		states=$(cat -- "$client/states" 2>/dev/null) || continue
		for number in "$@"; do
			printf -v text 'superblock: "%02x:%02x:' "${number%:*}" "${number#*:}"
			[[ $states != *"$text"* ]] || nfs_expire "$client"
		done
	done
}

nfs_expire() {
	{ printf 'expire\n' >"$1/ctl"; } 2>/dev/null || true
}

# nfs_unlock DIR - version 3 clients' locks end there.
nfs_unlock() {
	is_nfs_server || return 0
	{ printf '%s\n' "$1" >/proc/fs/nfsd/unlock_filesystem; } 2>/dev/null || true
}

nfs_check_installed() {
	type -P exportfs >/dev/null || die_with "$UNSUPPORTED" \
		"cannot export by NFS: the server is not installed; it is in Debian's package nfs-kernel-server"
}

nfs_file()	{ REPLY=/etc/exports.d/zumastor-$volume.exports; }

# nfs_clients - sets clients and options, as exports(5) wants them.
nfs_clients() {
	state_get clients "$dir/shares/to" "${config[export_to]}"
	clients=${REPLY//,/ }
	state_get export_options "$dir/shares/options" "${config[export_options]}"
	options=$REPLY
}

nfs_warn_local() {
	local clients options
	nfs_clients
	[[ $clients != localhost ]] || warn "'$volume' is exported to this host alone;" \
		"--export-to CLIENT,... or export_to in zumastor.conf tells to whom else"
}

# nfs_fsid KIND [SNAPSHOT_UUID] - sets REPLY to an id that stays the same for ever.  A replica has snapshots of the same uuids as
# its master, and may be on the same host: so the volume's goes into it.
nfs_fsid() {
	local i uuid=${record[volume]//-/} other=${2-}
	check uuid "${record[volume]}" 'volume' "$CORRUPT"
	if [[ -n $other ]]; then
		check uuid "$other" 'snapshot' "$CORRUPT"
		other=${other//-/}
		for i in 0 8 16 24; do
			printf -v uuid '%s%08x%s' "${uuid:0:i}" $((16#${uuid:i:8} ^ 16#${other:i:8})) "${uuid:i+8}"
		done
	fi
	REPLY=${uuid:0:12}$1${uuid:13}
}

# nfs_lines - sets REPLIES to the entries for what is to be seen now.
nfs_lines() {
	local id snapshot_options clients options dot=
	local -a lines=()
	REPLIES=()
	is_shared export || return 0
	nfs_clients
	# ro counts for the sec= before it.
	snapshot_options=,$options,
	snapshot_options=${snapshot_options//,rw,/,ro,}
	snapshot_options=${snapshot_options:1:-1},nohide
	[[ -z $root || -z ${at[$root/.snapshot]-} ]] || dot=$root/.snapshot
	[[ -z $root ]] || nfs_is_exported "$root" || nfs_line "$root" "$options" 0
	[[ -z $dot ]] || nfs_line "$dot" "$snapshot_options" 3
	for id in "${!shown[@]}"; do
		nfs_line "$snappath/${shown[id]}" "$snapshot_options" 1 "${snap_uuid[id]}"
		[[ -z $dot ]] || nfs_line "$dot/${shown[id]}" "$snapshot_options" 2 "${snap_uuid[id]}"
	done
	REPLIES=("${lines[@]}")
}

# nfs_line PATH OPTIONS KIND [SNAPSHOT_UUID] - one more of the lines.
nfs_line() {
	nfs_fsid "${@:3}"
	lines+=("$1 -$2,mp,no_subtree_check,fsid=$REPLY $clients")
}

# nfs_is_exported PATH - by an entry of the administrator's?  Then that is the one.
nfs_is_exported() {
	local file ours
	local -a files=()
	nfs_file
	ours=$REPLY
	for file in /etc/exports /etc/exports.d/*.exports; do
		[[ ! -r $file || $file == "$ours" ]] || files+=("$file")
	done
	((${#files[@]})) && awk -v path="$1" '$1 == path { found = 1 } END { exit !found }' "${files[@]}"
}

# nfs_read - sets entries to what our file has.
nfs_read() {
	entries=()
	nfs_file
	[[ ! -e $REPLY ]] || mapfile -t entries <"$REPLY"
}

# nfs_write LINE... - the volume's entries are these.
nfs_write() {
	local file text
	nfs_file
	file=$REPLY
	if (($#)); then
		(umask 022 && mkdir -p /etc/exports.d && printf '%s\n' "$@" >"${file%/*}/.zumastor-$volume.new")
		run mv -f -- "${file%/*}/.zumastor-$volume.new" "$file"
	else
		run rm -f -- "$file"
	fi
	type -P exportfs >/dev/null || return 0
	# It flushes, too.
	text=$(run exportfs -r 2>&1) || warn "'$volume' is not exported as it should be: ${text%%$'\n'*}"
}

# nfs_update - what is exported is what is shown; the caller has $changed something where paths led.
nfs_update() {
	local -a entries
	nfs_read
	nfs_lines
	if ! nfs_is_current; then
		nfs_write "${REPLIES[@]}"
	elif [[ -n $changed && ${#entries[@]} != 0 ]]; then
		nfs_flush
	fi
}

# nfs_is_current - are the entries of our file those in REPLIES, and known?
nfs_is_current() {
	[[ "${entries[*]-}" == "${REPLIES[*]-}" ]] && nfs_is_known "${entries[@]}"
}

# nfs_is_known LINE... - has exportfs all of these?  It may have been told when nothing was mounted yet.
nfs_is_known() {
	local line path rest
	local -A known=()
	(($#)) || return 0
	[[ -r /var/lib/nfs/etab ]] || return 1
	while read -r path rest; do
		known[$path]=yes
	done </var/lib/nfs/etab
	for line in "$@"; do
		[[ -n ${known[${line%% *}]-} ]] || return 1
	done
}

# nfs_leave NUMBER PATH... - PATHs, and what is below them, are exported no more, for they are to be unmounted.
nfs_leave() {
	local number=$1 line path place
	local -a entries stay=()
	shift
	nfs_read
	for line in "${entries[@]}"; do
		path=${line%% *}
		for place in "$@"; do
			[[ $path/ != "$place/"* ]] || continue 2
		done
		stay+=("$line")
	done
	((${#stay[@]} != ${#entries[@]})) || return 0
	nfs_write "${stay[@]}"
	for place in "$@"; do
		nfs_unlock "$place"
	done
	nfs_release "$number"
}

# nfs_end - nothing of the volume is exported any more.
nfs_end() {
	local -a entries
	nfs_read
	((${#entries[@]} == 0)) || nfs_write
}
