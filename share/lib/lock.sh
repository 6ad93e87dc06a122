# lock.sh - who may change a volume now.   Needs core.sh, config.sh, state.sh (state_open).
#
# A lock is flock(2) on an open file: it ends with its process, however that ends.  Order: a job's
# lock first (VOLUME:receive, VOLUME:target:HOST; no name has a colon), then the volume's.
# shellcheck shell=bash

declare -gA lock_fd=()

# lock_take NAME [SECONDS] - 0 does not wait, "forever" does not give up, and nobody does who finds that the
# space of a volume's removed snapshots is being freed: that ends by itself.
lock_take() {
	local name=$1 seconds=${2:-${config[lock_wait]}} fd
	if [[ $seconds != 0 ]] && lock_held "$name:remove"; then
		seconds=forever
	fi
	exec {fd}>>"$ZUMASTOR_RUN/lock/$name"
	if [[ $seconds == forever ]]; then
		flock "$fd"
	elif ! flock -w "$seconds" "$fd"; then
		exec {fd}>&-
		die_with "$BUSY" "cannot lock '$name': another command is at work on it"
	fi
	lock_fd[$name]=$fd
}

# lock_share NAME - several may have it at once; lock_held tells others that somebody has.
lock_share() {
	local fd
	exec {fd}>>"$ZUMASTOR_RUN/lock/$1"
	flock -s "$fd"
	lock_fd[$1]=$fd
}

lock_drop() {
	local fd=${lock_fd[$1]}
	exec {fd}>&-
	unset "lock_fd[$1]"
}

# lock_held NAME - is somebody else holding it?
lock_held() {
	local file=$ZUMASTOR_RUN/lock/$1
	[[ -e $file ]] && ! flock -n "$file" true
}

# lock_let_go - for a process of its own that may outlive us: keep no lock of ours open.
lock_let_go() {
	local fd
	for fd in "${lock_fd[@]}"; do
		exec {fd}>&-
	done
}

# unlocked CMD [ARG...] - run what may outlive us without our locks; becomes CMD, so call it in a
# process of its own.
unlocked() {
	lock_let_go
	exec "$@"
}
