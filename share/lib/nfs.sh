# nfs.sh - what the kernel's NFS server must be told when a path leads to another filesystem.   Needs core.sh.
#
# It remembers where exported paths lead.  And of NFSv4 clients that have a file open, or may keep one (a delegation), it
# keeps the filesystem that it was opened on: the device would stay in use for as long as they like, and new opens might find
# the old file.  A client whose state has expired opens its files anew, unnoticed by its programs.
# shellcheck shell=bash

is_nfs_server()	{ [[ -e /proc/fs/nfsd/threads && $(</proc/fs/nfsd/threads) != 0 ]]; }

# nfs_moved MAJOR:MINOR... - paths that led to filesystems on these devices lead elsewhere.
nfs_moved() {
	local number text client states
	is_nfs_server || return 0
	run exportfs -f || warn "NFS clients may see the old content of '$volume'"
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
