#!/bin/bash
# lab: --disk 32M --disk 32M --timeout 600
# Volumes, snapshots, targets and kinds that are not there: exit 4, and which command helps.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"

z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z snapshot home >"$scratch/first"
IFS=$'\t' read -r id uuid time <"$scratch/first"
before=$(world)
for command in start\ volume stop\ volume 'define master' 'define schedule' 'forget volume' 'forget source'; do
	read -ra words <<<"$command"
	more=()
	[[ $command != *schedule ]] || more=(-h 3)
	refused 4 "no such volume 'away'" "${words[@]}" away "${more[@]}"
done
for command in snapshot replicate promote status list mount umount check; do
	refused 4 "no such volume 'away'" "$command" away
done
refused 4 "no such volume 'away'" exec away -- true
refused 4 "no such volume 'away'" resize away -o 1G
refused 4 "no such volume 'away'" verify away
refused 4 "has no target 'host2'" verify home host2
refused 4 "no such volume 'away'" export away "$scratch/new"
refused 4 "no such volume 'away'" import away "$scratch/new"
refused 4 'no snapshot' export home 99 "$scratch/new"
refused 4 'no snapshot' export home "$scratch/new" --since 99
refused 2 'bad compression' export home "$scratch/new" -C lzma
refused 2 'bad comparison' export home "$scratch/new" --compare maybe
refused 2 'bad rate' export home "$scratch/new" -r fast
refused 2 'bad snapshot' export home '' "$scratch/new"
refused 2 "bad file ''" export home ''
refused 1 'is no replica here' import home "$scratch/new"
for command in remove revert hold release; do
	refused 4 "no such volume 'away'" "$command" away 1
done
refused 4 "no such volume 'away'" define target away host2
refused 4 "no such volume 'away'" define group all home away
refused 4 "no such group 'all'" forget group all
refused 4 "no such volume 'away'" define source away host2
read -ra others <<<"$(long_or 'hold release revert status mount' '')"
for snapshot in hourly.0 daily.7 2026.01.01-00.00.00 0000-0000 99999999999; do
	for command in remove "${others[@]}"; do
		refused 4 'no snapshot' "$command" home "$snapshot"
	done
done
for command in hold release revert status mount; do
	refused 4 'no snapshot' "$command" home 99
	[[ $command == @(hold|release|mount) ]] || refused 2 'bad snapshot' "$command" home hourly.x
done
read -ra others <<<"$(long_or 'revert status' '')"
for snapshot in '' -x 'a b' 1.5 "${uuid:0:3}x" hourly.x hourly. .0 "${injections[@]}"; do
	for command in remove "${others[@]}"; do
		refused 2 'bad snapshot' "$command" home -- "$snapshot"
	done
done
refused 4 'no snapshot' exec home 99 -- true
refused 2 'bad snapshot' remove home "$id.."
refused 2 'bad snapshot' remove home "..$id"
refused 4 "no such target|has no target 'host2'" replicate home host2
refused 4 "has no target that is not stopped; try 'zumastor define target home HOST'" replicate home
refused 4 'has no target' forget target home host2
refused 4 'has no source' forget source home
refused 4 "is not held by 'manual'" release home "$id"
refused 1 "'home' is no replica" promote home
refused 4 'no master' start master home
refused 4 'no source' stop source home
refused 4 "keeps no hourly snapshots; try 'zumastor define master home --hourly 7'" snapshot home hourly
refused 4 "try 'zumastor define master home --custom backup,7'" snapshot home backup
is "$(world)" "$before" 'the refusals changed nothing'
no_trace 'no injected command has run'

for name in "$id" "$uuid" "${uuid:0:9}" "$time"; do
	z status home "$name" >"$out"
	like "$(<"$out")" "uuid +$uuid" "'$name' is the snapshot"
done
expect 0 'remove it' z remove home "$id"
refused 4 'no snapshot' remove home "$id"
expect 0 'stop' z stop
refused 1 "is stopped; try 'zumastor start volume home'" snapshot home
expect 0 'stopping twice is no failure' z stop volume home
done_testing
