#!/bin/bash
# lab: --disk 32M --disk 32M --timeout 400
# R25: whatever stands in the files of the database, the configuration or the store's record: no command runs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"

z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home -h 3 >/dev/null
z define target home host2 -C zstd -p 5 2>/dev/null
id=$(z snapshot home hourly | cut -f1)
uuid=$(z list home -H -o uuid)
volume=$database/volumes/home

# poison FILE COMMAND... - one of two injections in FILE, or both in turn, then each COMMAND; a clear line or no effect, never
# both a success and a trace.
commands=0
poison() {
	local file=$1 number injection command kept=''
	local -a words
	shift
	[[ ! -e $file ]] || kept=$(<"$file")
	for number in $(long_or '4 9' $((RANDOM % 2 * 5 + 4))); do
		injection=${injections[number]}
		printf '%s\n' "$injection" >"$file"
		for command in "$@"; do
			read -ra words <<<"$command"
			commands=$((commands + 1))
			z "${words[@]}" >"$out" 2>"$err" || true
			if grep -q 'line [0-9]*:' "$err" && ! grep -q '^zumastor' "$err"; then
				fail "$command: bash complained" "$(<"$err")"
			fi
		done
	done
	no_trace "${file##*/}: no command has run by ${*@Q}"
	if [[ -n $kept ]]; then printf '%s\n' "$kept" >"$file"; else rm -f "$file"; fi
}

poison "$volume/mountopts" 'mount home' 'start volume home'
poison "$volume/mountpoint" 'mount home' 'status home'
poison "$volume/snappath" 'mount home' 'status'
mkdir "$volume/shares"
touch "$volume/shares/export"
poison "$volume/shares/to" 'mount home'
poison "$volume/shares/options" 'mount home' 'start volume home'
rm -r "$volume/shares"
poison "$volume/schedule/hourly" 'snapshot home hourly' 'status home'
poison "$volume/on_full" 'status home' 'monitor --once' 'start volume home'
z monitor --once >/dev/null || true
poison /run/zumastor/space/home/state 'monitor --once'
poison /run/zumastor/space/home/used 'monitor --once' 'status home'
poison "$volume/targets/host2/port" 'replicate home host2'
poison "$volume/targets/host2/user" 'replicate home host2'
poison "$volume/targets/host2/name" 'replicate home host2'
poison "$volume/targets/host2/compress" 'replicate home host2'
poison "$volume/targets/host2/compare" 'replicate home host2'
poison "$volume/targets/host2/rate" 'replicate home host2'
poison "$volume/targets/host2/each" 'replicate home host2'
poison "$volume/targets/host2/test" 'replicate home host2'
poison "$volume/targets/host2/base" 'snapshot home hourly' 'status home' 'check home' "remove home $id"
poison "$volume/targets/host2/base_days" 'status home'
poison "$volume/targets/host2/base_space" 'status home --json'
mkdir "$volume/bookmarks"
poison "$volume/bookmarks/$uuid" 'status home' 'list home --json' 'check home'
rmdir "$volume/bookmarks"
poison "$volume/targets/host2/last_success" 'status' 'status home --json'
poison "$volume/targets/host2/last_error" 'status' 'status home --json'
poison "$volume/targets/host2/verified" 'status' 'status home --json'
poison "$volume/targets/host2/repair" 'replicate home host2'
poison "$volume/targets/host2/period" 'status' 'monitor --nagios'
poison "$volume/targets/host2/failures" 'status home --json' 'monitor --metrics'
mkdir -p "$database/alarms/home" "$database/alarms/.queue/command"
poison "$database/alarms/home/room" 'monitor --alarm'
poison "$database/alarms/.queue/command/1.home.room.begins" 'monitor --alarm'
poison /var/log/zumastor/home.log 'log home' 'log home --json'
poison "$volume/origin" 'status' 'start volume home'
poison "$volume/store" 'status' 'list home' 'snapshot home'
poison "$volume/metadev" 'status' 'start volume home'
mkdir "$volume/source"
for file in host uuid onto stand-in taking progress sums-of sums-step verified; do
	poison "$volume/source/$file" 'receive home'
done
rm -r "$volume/source"
mkdir -p "$database/peers/host2"/{volumes,verbs}
poison "$database/peers/host2/key" 'peer list' 'peer add host2 --print'
for file in "${injections[4]//\//}" --all $'a\nb' '*'; do
	touch "$database/peers/host2/verbs/$file" "$database/peers/host2/volumes/$file"
done
z peer list >"$out" 2>&1 || true
z peer add host2 --print >"$out" 2>&1 || true
rm -r "$database/peers/host2"
poison /etc/zumastor/zumastor.conf 'status' 'snapshot home'

# shellcheck disable=SC2016 # not to be expanded
for injection in '$(reboot)' 'x[$(reboot)0]' '-n' '*'; do
	[[ $injection != */* && -n $injection ]] || continue
	mkdir -p -- "$database/volumes/$injection" "$volume/targets/$injection"
	z status >/dev/null 2>&1 || true
	z status home >/dev/null 2>&1 || true
	z list >"$out" 2>/dev/null
	z replicate home >/dev/null 2>&1 || true
	commands=$((commands + 4))
	rm -rf -- "$database/volumes/${injection:?}" "$volume/targets/${injection:?}"
done
pass 'names of directories run nothing'

printf '%s\n' "${injections[5]}" >"$volume/schedule/hourly"
refused 1 'bad number' snapshot home hourly
printf '3\n' >"$volume/schedule/hourly"
printf 'lock_wait = a[0]\n' >/etc/zumastor/zumastor.conf
refused 1 "line 1: bad value 'a\[0\]' for 'lock_wait'" status home
printf 'utc = no\nfoo = 1\n' >/etc/zumastor/zumastor.conf
refused 1 "line 2: unknown option 'foo'" status home
rm /etc/zumastor/zumastor.conf

# The environment of the caller does not reach the commands.
export BASH_ENV=$scratch/env ENV=$scratch/env PS4='$(touch '"$mark"'.ps4)' SHELLOPTS
printf 'touch %s.env\n' "$mark" >"$scratch/env"
# shellcheck disable=SC2317 # it must not be called
sed() { touch "$mark.function"; }
export -f sed
z status >/dev/null 2>&1
unset -f sed
unset BASH_ENV ENV
no_trace 'nor does the environment'

traces=("$trap_dir"/*)
score R25 "$commands" commands "${#traces[@]}" 'ran something'

z stop
mkdir "$scratch/elsewhere"
mv "$database/volumes" "$scratch/volumes"
ln -s "$scratch/elsewhere" "$database/volumes"
refused 1 "refusing '$database/volumes'" status
rm "$database/volumes"
mv "$scratch/volumes" "$database/volumes"
chmod 0777 /run/zumastor/lock
refused 1 "refusing '/run/zumastor/lock'" status
chmod 0700 /run/zumastor/lock
expect 0 'and all is well again' z start
like "$(z list home -H -o uuid)" "$uuid" 'the snapshot is there'
done_testing
