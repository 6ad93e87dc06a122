# forecast.sh - when will the store be full?   Needs core.sh, check.sh, volume.sh.
#
# The monitor notes every few minutes how much is used: lines EPOCH DATA_BYTES METADATA_BYTES, those
# of a day, in /run: it must be able to write them while the writers of every disk wait.
# shellcheck shell=bash disable=SC2154

readonly FORECAST_EVERY=120 FORECAST_WINDOW=86400

forecast_file() {
	REPLY=$ZUMASTOR_RUN/space/$volume/used
}

# forecast_note - remember what facts, from dm-status, say; not more often than wanted.
forecast_note() {
	local file line
	local -a lines=() last=()
	forecast_file
	file=$REPLY
	[[ ! -e $file ]] || mapfile -t lines <"$file"
	((${#lines[@]} == 0)) || read -r -a last <<<"${lines[-1]}"
	# A clock that was set back must not end the notes.
	if is_number "${last[0]-}" && ((EPOCHSECONDS >= last[0])); then
		((EPOCHSECONDS - last[0] >= FORECAST_EVERY)) || return 0
	else
		lines=()
	fi
	for line in "${lines[@]}"; do
		if is_number "${line%% *}" && ((${line%% *} > EPOCHSECONDS - FORECAST_WINDOW)); then
			printf '%s\n' "$line"
		fi
	done >"$file.new"
	printf '%s %s %s\n' "$EPOCHSECONDS" "${facts[store_used_bytes]}" \
		"${facts[meta_used_bytes]}" >>"$file.new"
	mv -f -- "$file.new" "$file"
}

# forecast_read - sets REPLY to the seconds until data or metadata is full, whichever is sooner, if it
# goes on as in the last day (least squares); to nothing when that cannot be said: fewer than four
# notes, less than ten minutes, none from the last half hour, or what is used does not grow.
forecast_read() {
	forecast_file
	[[ -e $REPLY ]] || { REPLY=; return 0; }
	REPLY=$(awk -v now="$EPOCHSECONDS" -v window="$FORECAST_WINDOW" \
		-v data="${facts[store_total_bytes]:-0}" -v meta="${facts[meta_total_bytes]:-0}" '
		function left(total, sx, sy, sxx, sxy, last,	slope) {
			slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
			return slope > 0 ? (total - last) / slope : -1
		}
		NF == 3 && $1 > now - window && $1 <= now {
			if (!n++) first = $1
			t = $1 - first
			st += t; stt += t * t
			sd += $2; std += t * $2; d = $2
			sm += $3; stm += t * $3; m = $3
			last = $1
		}
		END {
			if (n < 4 || last - first < 600 || now - last > 1800) exit
			a = left(data, st, sd, stt, std, d)
			b = left(meta, st, sm, stt, stm, m)
			if (a < 0 || (b >= 0 && b < a)) a = b
			if (a >= 0 && a < 10 * 365 * 86400) printf "%.0f", a
		}' "$REPLY")
	[[ -z $REPLY ]] || is_number "$REPLY" || REPLY=
}
