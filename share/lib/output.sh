# output.sh - numbers and texts as people, and as programs, like them.   Needs core.sh.
# shellcheck shell=bash

# output_size BYTES - sets REPLY to 512, 1.5K, 20M, ...; exact with --bytes.
output_size() {
	local bytes=$1 unit by tenths
	REPLY=$bytes
	[[ -z ${opt[bytes]-} ]] || return 0
	for unit in T:40 G:30 M:20 K:10; do
		by=${unit#*:}
		((bytes >= 1 << by)) || continue
		tenths=$(((bytes >> by) * 10 + (bytes % (1 << by) * 10 >> by)))
		REPLY=$((tenths / 10))
		((tenths >= 100 || tenths % 10 == 0)) || REPLY+=.$((tenths % 10))
		REPLY+=${unit%:*}
		return
	done
}

# output_age SECONDS - sets REPLY to 12s, 5m, 3h, 2d.
output_age() {
	local seconds=$(($1 > 0 ? $1 : 0))
	if ((seconds < 120)); then
		REPLY=${seconds}s
	elif ((seconds < 7200)); then
		REPLY=$((seconds / 60))m
	elif ((seconds < 172800)); then
		REPLY=$((seconds / 3600))h
	else
		REPLY=$((seconds / 86400))d
	fi
}

# output_percent PART WHOLE - sets REPLY.
output_percent() {
	REPLY=-
	(($2 == 0)) || REPLY=$(($1 * 100 / $2))%
}

# output_json TEXT - sets REPLY to a JSON string.
output_json() {
	local text=${1//\\/\\\\}
	text=${text//\"/\\\"}
	REPLY=\"${text//[^[:print:]]/?}\"
}

# output_table - rows of tab-separated cells from stdin, aligned.  The last column is not padded.
output_table() {
	local line i
	local -a rows cells widths=()
	mapfile -t rows
	for line in "${rows[@]}"; do
		IFS=$'\t' read -r -a cells <<<"$line"
		for i in "${!cells[@]}"; do
			((${#cells[i]} <= ${widths[i]:-0})) || widths[i]=${#cells[i]}
		done
	done
	for line in "${rows[@]}"; do
		IFS=$'\t' read -r -a cells <<<"$line"
		for ((i = 0; i < ${#cells[@]} - 1; i++)); do
			printf '%-*s  ' "${widths[i]}" "${cells[i]}"
		done
		printf '%s\n' "${cells[i]}"
	done
}
