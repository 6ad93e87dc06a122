#!/bin/bash
# years.sh DIR - schedules and rotation without the snapshots: for tests/years, which gives the time, a line each, and is told
# what is taken and what goes.
#
#     TIME              ->  take ID KINDS, gone ID each, and "kept ID:KINDS ..."
#     TIME base ID      ->  the same; before that a target was given that snapshot
#
# What decides is the program's own; what would change a volume changes an array.   DIR has the volume's database in it.
# shellcheck disable=SC2034,SC2154 # shared with the library
top=$(cd "$(dirname "$0")/.." && pwd)
for part in core check config state lock volume snap target hold hook rotation calendar schedule due; do
	# shellcheck source=/dev/null
	. "$top/share/lib/$part.sh"
done
trap - EXIT
export ZUMASTOR_LIBEXEC=$top/build/plain/bin ZUMASTOR_RUN=$1/run ZUMASTOR_STATE=$1 ZUMASTOR_CONF=$1
volume=home dir=$1/volumes/home store=none role=master
mkdir -p "$ZUMASTOR_RUN"/{lock,due,jobs}
unset EPOCHSECONDS	# from now on as any other variable
config[utc]=no
declare -A record=([data_sectors]=2097152 [chunk_sectors]=32 [revert]=none) snap_clones=()
snap_ids=() snap_lost=()
last=0

# What would change a volume.
helper() {
	[[ $1 == state-set ]] || {
		[[ "$*" =~ ^store-set\ none\ ([0-9]+)\ kinds=(.*)$ ]]
		snap_kinds[BASH_REMATCH[1]]=${BASH_REMATCH[2]}
		return
	}
	"$ZUMASTOR_LIBEXEC/state-set" "${@:2}"
}

hook_drop() {
	printf '%s\n' "$1" >>"$dir/gone"
}

snap_load() {
	local id
	local -a left=() gone
	[[ -s $dir/gone ]] || return 0
	mapfile -t gone <"$dir/gone"
	for id in "${snap_ids[@]}"; do
		[[ " ${gone[*]} " == *" $id "* ]] || left+=("$id")
	done
	snap_ids=("${left[@]}")
	: >"$dir/gone"
	snap_name_all
}

mount_publish() { :; }

event() { :; }

uuid_of() {
	printf -v REPLY '00000000-0000-0000-0000-%012d' "$1"
}

take() {
	last=$((last + 1))
	snap_ids+=("$last")
	uuid_of "$last"
	snap_uuid[last]=$REPLY snap_time[last]=$now snap_holds[last]='' snap_entries[last]=10
	snap_kinds[last]=$(IFS=,; echo "$*")
	printf 'take %d %s\n' "$last" "${snap_kinds[last]}"
	snap_name_all
	due_taken "$@"
	rotation_run
}

: >"$dir/gone"
while read -r now word id; do
	EPOCHSECONDS=$now soonest=''
	if [[ $word == base ]]; then
		uuid_of "$id"
		state_set "$dir/targets/away/base" "$REPLY" "$dir/targets/away/last_success" "$now"
	fi
	before=${snap_ids[*]}
	due_kinds
	((${#REPLIES[@]} == 0)) || take "${REPLIES[@]}"
	snap_load
	for id in $before; do
		[[ " ${snap_ids[*]} " == *" $id "* ]] || printf 'gone %d\n' "$id"
	done
	text=
	for id in "${snap_ids[@]}"; do
		text+=" $id:${snap_kinds[id]}"
	done
	printf 'kept%s\n' "$text"
done
