#!/bin/bash
# lab: --hosts 3 --disk 32M --disk 64M --mem 384M --timeout 900
# host2 sends to us, and we to host3.  host2 is lost: we take over, and go back to a snapshot from before it all went wrong;
# host3 goes on following us; host2 comes back as a follower.  Each step sends what changed alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

third() {
	ssh -n -o ControlMaster=auto -o ControlPath=/run/third -o ControlPersist=yes host3 "$(printf '%q ' "$@")"
}

# far_work - some change over there, and a snapshot, sent to the end of the chain.
far_work() {
	far_sh "head -c 300000 /dev/urandom >$files/noise; date +%N >$files/stamp; echo '$1' >$files/notes
		zumastor snapshot home hourly"
	far zumastor replicate home -q
	z replicate home -q
} >/dev/null

# sent DESC HOST - from here, on a base.
sent() {
	expect 0 "$1" z replicate home "$2"
	like "$(<"$out")" ' on base [0-9]+: [0-9.]+[KM] changed' 'by what changed alone'
}

far_sh "mkfs.ext4 -q $DEV1NAME; zumastor define volume home $DEV1NAME $DEV2NAME
	zumastor define master home --hourly 24; zumastor define target home host1" >/dev/null
z define volume home "$DEV1NAME" "$DEV2NAME"
z define source home host2
z define target home host3
third zumastor define volume home "$DEV1NAME" "$DEV2NAME"
third zumastor define source home host1
for note in 'all is well' 'still' 'it all goes wrong'; do
	far_work "$note"
done
far_sh "echo 'never sent' >$files/notes; sync -f $files"

lab kill 2
expect 1 'host2 is gone, and we are no master yet' z revert home hourly.1
like "$(<"$err")" 'is a replica' 'as it says'
expect 0 'we take over' z promote home
z define master home --hourly 24
expect 0 'and go back to what was well' z revert home hourly.1 --wait
is "$(<"$files/notes")" still 'this was well'
echo 'goes on' >"$files/notes"
z snapshot home hourly >/dev/null
sent 'host3 follows' host3
is "$(third cat "$files/notes")" 'goes on' 'and sees it'

lab restart 2
until far true 2>/dev/null; do sleep 0.2; done
far zumastor start >/dev/null
z define target home host2
expect 1 'host2 comes back as a master' z replicate home host2
like "$(<"$err")" 'is no replica here' 'and is left alone'
expect 0 'it is told to follow' far zumastor define source home host1 --yes
sent 'and does' host2
is "$(far cat "$files/notes")" 'goes on' 'it shows what we have'
undo=$(far zumastor list home -H -o id,kinds | sed -n 's/	undo$//p')
far zumastor mount home "$undo" >/dev/null
is "$(far cat "$files-snapshots/undo.0/notes")" 'never sent' 'what it never sent is not lost'
is "$(far_newest_hash)" "$(newest_hash)" 'the newest snapshot is equal'
done_testing
