# usage.sh - what the snapshots of a volume keep in its store.
#
# Needs core.sh ... snap.sh, lock.sh, output.sh.
# shellcheck shell=bash disable=SC2154

# usage_read - sets usage[ID] to "changed shared alone frees all", in bytes, and sharing[N] to the
# bytes that N snapshots share.  Reading exception tables puts up devices, so it locks the volume.
usage_read() {
	local text line bytes
	local entry='^snapshot=([0-9]+) changed=([0-9]+) shared=([0-9]+) alone=([0-9]+)'
	entry+=' frees=([0-9]+) all=([0-9]+)$'
	lock_take "$volume"
	[[ ${s[state]} == running ]] || die "cannot count what snapshots of '$volume' keep:" \
		"it is ${s[state]}"
	text=$(become dm-usage "$volume" "$store")
	lock_drop "$volume"
	snap_number chunk_sectors
	bytes=$((REPLY * 512))
	usage=() sharing=()
	while IFS= read -r line; do
		if [[ $line =~ $entry ]]; then
			usage[BASH_REMATCH[1]]="$((BASH_REMATCH[2] * bytes))"
			usage[BASH_REMATCH[1]]+=" $((BASH_REMATCH[3] * bytes))"
			usage[BASH_REMATCH[1]]+=" $((BASH_REMATCH[4] * bytes)) ${BASH_REMATCH[*]:5}"
		elif [[ $line =~ ^sharing=([0-9]+)\ chunks=([0-9]+)$ ]]; then
			sharing[BASH_REMATCH[1]]=$((BASH_REMATCH[2] * bytes))
		elif [[ -n $line ]]; then
			die_with "$CORRUPT" "bad line '$line' from dm-usage"
		fi
	done <<<"$text"
}

# usage_row ID - one line of the table.
usage_row() {
	local bytes row=$1
	snap_time_text "${snap_time[$1]-0}"
	row+=$'\t'$REPLY
	for bytes in ${usage[$1]}; do
		output_size "$bytes"
		row+=$'\t'$REPLY
	done
	printf '%s\n' "$row"
}

usage_table() {
	local id
	{
		printf 'SNAPSHOT\tTIME\tCHANGED\tSHARED\tALONE\tFREES\tALL\n'
		for id in "${!usage[@]}"; do
			usage_row "$id"
		done
	} | output_table
}

usage_sharing_table() {
	local count
	{
		printf 'SHARED BY\tSIZE\n'
		for count in "${!sharing[@]}"; do
			output_size "${sharing[$count]}"
			printf '%s\t%s\n' "$count" "$REPLY"
		done
	} | output_table
}

# usage_facts ID - the same of one snapshot, a fact a line.
usage_facts() {
	local bytes
	local -a names=(changed shared alone frees 'frees up to')
	for bytes in ${usage[$1]}; do
		output_size "$bytes"
		printf '%s\t%s\n' "${names[0]}" "$REPLY"
		names=("${names[@]:1}")
	done
}

# usage_json - the same as an object.
usage_json() {
	local id count separator=
	local -a bytes
	printf '{"snapshots":['
	for id in "${!usage[@]}"; do
		read -r -a bytes <<<"${usage[$id]}"
		printf '%s{"id":%s,"changed_bytes":%s,"shared_bytes":%s,"alone_bytes":%s,' \
			"$separator" "$id" "${bytes[@]:0:3}"
		printf '"frees_bytes":%s,"all_bytes":%s}' "${bytes[@]:3}"
		separator=,
	done
	separator=
	printf '],"sharing":['
	for count in "${!sharing[@]}"; do
		printf '%s{"snapshots":%s,"bytes":%s}' "$separator" "$count" "${sharing[$count]}"
		separator=,
	done
	printf ']}'
}
