# bookmark.sh - what changed since snapshots that are gone, for the targets that still build on them.
#
# Needs core.sh, check.sh, lock.sh, state.sh, volume.sh, snap.sh.   A file each in $dir/bookmarks, by uuid; csrc/lib/bookmark.h
# tells what they claim and why that can be believed.  They are written before the record says that a snapshot is gone, so a crash
# leaves one too many and never one too few.
# shellcheck shell=bash disable=SC2034,SC2154

bookmark_limit=			# seconds that writing them may take: of who must go on, even if the database can not be written

# bookmark_wanted - sets REPLIES to the uuids on which targets build, or may.   First what is being sent: that becomes the base.
bookmark_wanted() {
	local file
	local -a uuids=()
	for file in "$dir"/targets/*/sending "$dir"/targets/*/base; do
		state_get uuid "$file"
		[[ -z $REPLY ]] || uuids+=("$REPLY")
	done
	REPLIES=("${uuids[@]}")
}

# bookmark_leave ID... - before those are removed, remember what changed since, where that is needed.  The volume is locked by
# us and runs.  Dies when a base would go without.
bookmark_leave() {
	local uuid id
	local -a bases=() files=("$dir"/bookmarks/*)
	bookmark_wanted
	for uuid in "${REPLIES[@]}"; do
		for id in "$@"; do
			[[ ${snap_uuid[id]} != "$uuid" ]] || is_lost "$id" || bases+=(--base "$uuid")
		done
	done
	((${#bases[@]} + ${#files[@]})) || return 0
	if [[ -n $bookmark_limit ]]; then
		bookmark_keep_soon "$@"
	else
		bookmark_keep "$dir/bookmarks" "$@"
	fi
}

# bookmark_keep DIRECTORY ID... - write those for bases, and those that have to change, there.
bookmark_keep() {
	local text line
	text=$(run helper dm-bookmark keep --into "$1" "${bases[@]}" "$volume" "$store" "$dir/bookmarks" "${@:2}") || exit
	while IFS= read -r line; do
		[[ $line != useless=* ]] || warn "what changed since snapshot ${line#*=} of '$volume' is not known any more:" \
			"a target that builds on it will need a full copy"
	done <<<"$text"
}

# bookmark_keep_soon ID... - the same, but where the database cannot be written in time, perhaps because it is on the
# volume whose writers wait, it fails.
bookmark_keep_soon() {
	local into=$ZUMASTOR_RUN/space/$volume/bookmarks n
	local -a files
	rm -rf -- "$into"
	mkdir -p -- "$into"
	bookmark_keep "$into" "$@"
	files=("$into"/*)
	((${#files[@]})) || return 0
	(unlocked "$ZUMASTOR_LIBEXEC/dm-bookmark" install "$dir/bookmarks" "${files[@]}") &
	for ((n = 0; n < bookmark_limit * 10; n++)); do
		kill -0 "$!" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$!" 2>/dev/null && die "cannot write to '$dir/bookmarks' in $bookmark_limit seconds"
	wait "$!" || exit
}

# bookmark_show - sets bookmark_facts[UUID] of those that there are, to what dm-bookmark tells of each, and bookmark_next[UUID]
# to the snapshot that it needs, or to nothing where it cannot be used.   Needs snap_load.
bookmark_show() {
	local uuid text
	local -a files=("$dir"/bookmarks/*)
	declare -gA bookmark_facts=() bookmark_next=()
	((${#files[@]})) || return 0
	text=$(helper dm-bookmark show "${files[@]}")
	while read -r uuid text; do
		is_uuid "$uuid" || continue
		bookmark_facts[$uuid]=$text bookmark_next[$uuid]=
		[[ $text == *" volume=${record[volume]} "* && $text =~ \ next=([0-9a-f-]{36})\  ]] || continue
		snap_of_uuid "${BASH_REMATCH[1]}"
		bookmark_next[$uuid]=$REPLY
	done <<<"$text"
}

# bookmark_fact UUID NAME - sets REPLY to a number that is told of it, or to nothing.
bookmark_fact() {
	REPLY=
	[[ " ${bookmark_facts[$1]} " =~ \ $2=([0-9]{1,18})\  ]] || return 0
	REPLY=${BASH_REMATCH[1]}
}

# bookmark_state UUID - sets REPLY to ok, to damaged, or to useless where the snapshot that it needs is gone.
bookmark_state() {
	REPLY=ok
	if [[ ${bookmark_facts[$1]} == damaged ]]; then
		REPLY=damaged
	elif [[ -z ${bookmark_next[$1]} ]]; then
		REPLY=useless
	fi
}

# bookmark_find UUID - sets since, to the id that the snapshot had, since_time, and bookmark, a file; where there is none that can
# be used since stays empty.
bookmark_find() {
	bookmark=$dir/bookmarks/$1 since=
	[[ -e $bookmark ]] || return 0
	bookmark_show
	bookmark_state "$1"
	if [[ $REPLY != ok ]]; then
		warn "what changed since snapshot $1 of '$volume' is not known: its bookmark is $REPLY"
		return
	fi
	bookmark_fact "$1" time
	since_time=$REPLY
	bookmark_fact "$1" id
	since=$REPLY
}

# bookmark_json - all of them, as an array.   Needs bookmark_show.
bookmark_json() {
	local uuid name separator=
	printf '['
	for uuid in "${!bookmark_facts[@]}"; do
		bookmark_state "$uuid"
		printf '%s{"uuid":"%s","state":"%s","next":%s' "$separator" "$uuid" "$REPLY" "${bookmark_next[$uuid]:-null}"
		for name in id time chunks bytes; do
			bookmark_fact "$uuid" "$name"
			printf ',"%s":%s' "$name" "${REPLY:-null}"
		done
		printf '}'
		separator=,
	done
	printf ']'
}

# bookmark_sweep - drop those that no target needs any more.
bookmark_sweep() {
	local path
	local -a files=("$dir"/bookmarks/*)
	local -A wanted=()
	((${#files[@]})) || return 0
	bookmark_wanted
	for path in "${REPLIES[@]}"; do
		wanted[$path]=yes
	done
	for path in "${files[@]}"; do
		[[ -n ${wanted[${path##*/}]-} ]] || rm -f -- "$path"
	done
	rm -f -- "$dir"/bookmarks/.[0-9a-f]*
}
