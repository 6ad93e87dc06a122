#!/bin/bash
# lab: --disk 32M --disk 64M --timeout 600
# exec: a command sees the volume as it was; its snapshot goes with it, however it or we end; nothing waits for it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
files=/run/zumastor/volumes/home

kinds() {
	z list home -H -o kinds | tr '\n' ' '
}

# traces - what an exec must not leave.
traces() {
	grep -o 'jobs/exec[^ ]*' /proc/mounts || true
	find /run/zumastor/jobs -name 'exec.*'
	find /dev/zumastor/home -name '[0-9]*'
}

# begin ARG... - an exec that waits for $scratch/go; it runs when this returns.
begin() {
	rm -f "$scratch/go" "$scratch/runs"
	mkfifo "$scratch/go"
	"$zumastor" exec "$@" -- bash -c "touch $scratch/runs; read -r _ <$scratch/go" 2>"$scratch/begun" &
	begun=$!
	until [[ -e $scratch/runs ]]; do
		kill -0 "$begun" || return
		sleep 0.1
	done
}

z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
# shellcheck disable=SC2016 # for the command
show='echo "$PWD $ZUMASTOR_VOLUME $ZUMASTOR_SNAPSHOT ${ZUMASTOR_SNAPSHOT_DIR-none}"; blockdev --getro $ZUMASTOR_SNAPSHOT_DEVICE'
expect 0 'a volume without a filesystem' z exec home -- sh -c "$show"
is "$(<"$out")" "$PWD home 1 none"$'\n1' 'has its device, read-only'
mkfs.ext4 -q /dev/mapper/home
z mount home
echo before >"$files/file"
expect 0 'a command' z exec home -- bash -c "echo after >$files/file; cat file; $show; find /proc/self/fd -lname '*/lock/*'"
like "$(<"$out")" $'^before\n/run/zumastor/jobs/exec.home.2.[A-Za-z0-9]+ home 2 /run/zumastor/jobs/exec.*\n1$' \
	'sees the past, its environment and no descriptor of ours'
is "$(<"$files/file")" after 'while others went on'
is "$(traces)$(kinds)" '' 'nothing is left'
is "$(echo text | "$zumastor" exec home -- cat)" text 'it has our standard input'
for code in 1 3 125; do
	expect "$code" "its exit code $code is ours" z exec home -- sh -c "exit $code"
done
refused 1 "'sh' could not be run, or was ended by a signal: 255" exec home -- sh -c 'exit 255'
expect 1 'a signal' z exec home -- bash -c 'kill -9 $$'
is "$(traces)$(kinds)" '' 'nothing is left'

begin home
expect 0 'a snapshot meanwhile' z snapshot home
z umount home "$(cut -f1 "$out")"
z exec home -- cat file >"$out"
is "$(<"$out")" after 'another exec meanwhile'
is "$(kinds)" 'exec manual ' 'the first one is there'
id=$(z list home -H -o id | sed -n 1p)
refused 3 "snapshot $id of 'home': an exec runs in it" remove home "$id" --force
refused 3 "job 'home:exec:$id' is running" stop
kill "$begun"
wait "$begun" || code=$?
is "$code" 1 'TERM ends it'
is "$(traces)$(kinds)" 'manual ' 'and its snapshot, no other'

id=$(z list home -H -o id)
begin home "$id"
expect 0 'a second one in the same snapshot' z exec home "$id" -- cat file
is "$(<"$out")" after 'sees it'
echo >"$scratch/go"
expect 0 'the first ends' wait "$begun"
is "$(traces)$(kinds)" 'manual ' 'the snapshot stays, hidden as it was'

for command in 'snapshot home' 'exec home -- true' 'start volume home'; do
	begin home
	kill -9 "$begun"
	wait "$begun" 2>/dev/null || true
	is "$(kinds)" 'manual exec ' 'killed, it leaves its snapshot'
	echo >"$scratch/go"
	while pgrep -f "^bash -c touch $scratch" >/dev/null; do sleep 0.1; done
	read -ra words <<<"$command"
	expect 0 "$command" z "${words[@]}"
	is "$(grep -c jobs/exec /proc/mounts)" 0 'it is not mounted any more'
	[[ $command != snapshot* ]] || z remove home --force "$(cut -f1 "$out")"
	is "$(kinds)" 'manual ' 'it is gone'
done
expect 0 'stop' z stop
done_testing
