#!/bin/bash
# lab: --disk 32M --disk 64M --timeout 600
# While an export runs its snapshots stay; when it fails or is ended nothing is left of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
small=$scratch/small
mkdir "$small"
mount -t tmpfs -o size=2M tmpfs "$small"

# idle - of exports: no job, no process, no lock.
idle() {
	ls -A /run/zumastor/jobs
	pgrep -x delta-pack || true
	flock -n /run/zumastor/lock/home:export:1 true || echo locked
}

dd if=/dev/urandom of="$DEV1NAME" bs=1M count=16 status=none
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home --hourly 1 >/dev/null
z snapshot home hourly >/dev/null
dd if=/dev/urandom of=/dev/mapper/home bs=1M count=4 oflag=direct status=none
z snapshot home >/dev/null

printf keep >"$small/kept.tar"
for options in '-C none' '-C xz' '-C none -r 100M' '-C none --force'; do
	read -ra words <<<"$options"
	name=new.tar
	[[ $options != *force ]] || name=kept.tar
	refused 1 "cannot export 'home' to '$small/$name': .*No space left on device" \
		export home 1 "$small/$name" "${words[@]}"
	is "$(cd "$small" && ls -A && cat kept.tar)" $'kept.tar\nkeep' 'the disk is full, and nothing is left behind'
done
z export home 1 "$scratch/full.tar" -q
z export home 2 "$scratch/more.tar" --since 1 -q
refused 1 'cannot write the stream: No space left on device' \
	archive merge "$small/new.tar" "$scratch/full.tar" "$scratch/more.tar"
is "$(cd "$small" && ls -A)" kept.tar 'nor of a merge'

# Somebody reads slowly, for as long as it takes.
mkfifo "$scratch/pipe"
zumastor export home 2 --since 1 -C none - >"$scratch/pipe" 2>"$scratch/said" </dev/null &
pid=$!
exec 7<"$scratch/pipe"
head -c 100000 <&7 >"$scratch/stream"
for id in 1 2; do
	refused 3 "an export reads it" remove home "$id"
done
refused 3 "job 'home:export:[12]' is running" stop volume home
expect 0 'snapshots can be taken' z snapshot home hourly
is "$(z list home -H -o id | xargs)" '1 2 3' 'and the rotation removes none of those'
is "$(z list home -H -o kinds | head -n 1)" expired 'though one has expired'
cat <&7 >>"$scratch/stream"
exec 7<&-
code=0
wait "$pid" || code=$?
is "$code $(<"$scratch/said")" '0 ' 'it comes to its end'
expect 0 'and is whole' z archive verify "$scratch/stream"
z snapshot home hourly >/dev/null
is "$(z list home -H -o id | xargs)" '2 4' 'then the rotation removes them'

# Ended by a signal, and by who does not listen any more.
zumastor export home 2 -C none -r 1M "$scratch/ended.tar" </dev/null 2>"$scratch/said" &
pid=$!
for ((n = 0; n < 300; n++)); do
	[[ -z $(find "$scratch" -name '.zumastor*' -size +0) ]] || break
	sleep 0.1
done
kill "$pid"
code=0
wait "$pid" || code=$?
is "$code" 1 'ended by a signal'
is "$(idle)$(find "$scratch" -name '.zumastor*' -o -name ended.tar)" '' 'nothing is left'
code=0
zumastor export home 2 -C none - 2>"$err" </dev/null | head -c 100 >"$scratch/head" || code=$?
is "$code" 1 'nobody listens'
is "$(<"$err")" "zumastor export: cannot export 'home' to '-': Broken pipe" 'one line says so'
is "$(idle)" '' 'nothing is left'
expect 0 'stop' z stop
umount "$small"
done_testing
