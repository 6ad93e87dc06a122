# state.sh - the volume database: one fact per file below /var/lib/zumastor/volumes/VOLUME and groups/GROUP.
#
# Needs core.sh, check.sh.  Files are read through the same gates as arguments.
# shellcheck shell=bash

# state_private DIR... - die unless each is a directory that only root can write to.
state_private() {
	local owner mode name
	while read -r owner mode name; do
		printf -v mode %o "0x$mode"
		[[ $owner == 0 && $mode =~ ^4[0-7]{2}[0145][0145]$ ]] ||
			die "refusing '$name': not a directory that only root can write to"
	done <<<"$(stat -c '%u %f %n' -- "$@")"
}

# state_is_private_file FILE - may root run it?
state_is_private_file() {
	local owner mode
	[[ -x $1 ]] || return 1
	read -r owner mode <<<"$(stat -L -c '%u %f' -- "$1" 2>/dev/null)"
	printf -v mode %o "0x${mode:-0}"
	[[ $owner == 0 && $mode =~ ^10[0-7]{2}[0145][0145]$ ]]
}

# state_open - check the directories before anything in them is believed.  Mount points live below
# /run/zumastor and people must reach them: only lock, jobs, space and due are private.
state_open() {
	local dir
	local -a private=("$ZUMASTOR_STATE"{,/volumes,/groups,/peers,/alarms} "$ZUMASTOR_RUN"/{lock,jobs,space,due})
	local -a public=("$ZUMASTOR_RUN" "$ZUMASTOR_RUN"/{volumes,mount,snapshot})
	for dir in "${public[@]}"; do
		[[ -e $dir || -L $dir ]] || (umask 022 && mkdir -p -- "$dir")
	done
	for dir in "${private[@]}"; do
		[[ -e $dir || -L $dir ]] || (umask 077 && mkdir -p -- "$dir")
	done
	state_private "${public[@]}" "${private[@]}"
}

# state_set FILE VALUE [FILE VALUE]... - one after the other, each atomic and durable; no file for an empty VALUE.  The
# volume lock makes us the only writer.
state_set() {
	helper state-set "$@"
}

# state_drop_dir DIR - by one rename, so that a crash leaves all of it or none.
state_drop_dir() {
	local away=${1%/*}/.forgotten
	rm -rf -- "$away"
	mv -T -- "$1" "$away"
	rm -rf -- "$away"
	sync -- "${1%/*}"
}

# state_get TYPE FILE [DEFAULT] - sets REPLY; dies unless the file's one line is a TYPE (check.sh).
state_get() {
	local value=
	REPLY=${3-}
	[[ -e $2 ]] || return 0
	IFS= read -r -n 4096 value <"$2" || [[ -n $value ]] || return 0
	"is_$1" "$value" || die "bad $1 '${value:0:80}' in '$2'"
	REPLY=$value
}

# state_entries TYPE DIR - the directories in DIR whose names are a TYPE (check.sh), one a line.
state_entries() {
	local path
	for path in "$2"/*/; do
		path=${path%/}
		if "is_$1" "${path##*/}"; then
			printf '%s\n' "${path##*/}"
		fi
	done
}

# state_names DIR - the names of the facts in DIR, one a line.
state_names() {
	local file
	for file in "$1"/*; do
		[[ $file == *.new ]] || printf '%s\n' "${file##*/}"
	done
}
