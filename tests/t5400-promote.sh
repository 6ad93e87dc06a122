#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# A replica becomes the master, and the old one follows it by what changed alone; nothing written is lost on either side, and
# nobody overwrites what the other side has of its own, unless a person says so.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

# equal DESC - the newest snapshot, by uuid and content, and what readers see.
equal() {
	is "$(newest_hash)" "$(far_newest_hash)" "$1: the newest snapshot is the same"
	is "$(tree "$files")" "$(far_tree)" "$1: readers see the same"
}

# far_write - on what was the replica.
far_write() {
	far_sh "head -c 40000 /dev/urandom >$files/theirs; date +%N >$files/stamp; sync -f $files; zumastor snapshot home hourly" \
		>/dev/null
}

pair_make
z snapshot home hourly >/dev/null
first=$(newest)
expect 0 'a full copy' z replicate home -q
dd if=/dev/urandom of="$files/big" bs=1M count=4 status=none
(while :; do date +%N >"$files/busy.$((RANDOM % 9))"; read -r -t 0.3 <> <(:) || true; done) &
writer=$!
z snapshot home hourly >/dev/null
ZUMASTOR_SSH=$(broken_ssh 2000000) expect 7 'the next is cut' z replicate home -q
expect 0 'the replica is promoted' far zumastor promote home
like "$(<"$out")" "'home' is a master, and goes on from snapshot 1" 'and says from where'
is "$(far_tree)" "$(tree "$files-snapshots/hourly.1")" 'it shows its newest whole snapshot'
expect 1 'once is enough' far zumastor promote home
kill $writer
wait $writer || true
expect 1 'the old master comes back' z replicate home
like "$(<"$err")" "is no replica here but was promoted, and has here nothing newer than snapshot $first" \
	'and is refused'

far zumastor define master home --hourly 24
far_write
far zumastor define target home host1
expect 1 'nor may the new one overwrite the old' far zumastor replicate home
like "$(<"$err")" "'home' is no replica here; 'zumastor define source home HOST'" 'as that is a master, too'

echo unsaved >"$files/unsaved"
before=$(hashes)
expect 1 'the old one is to follow' z define source home host2
like "$(<"$err")" 'and go back to snapshot 1, hiding 2 of .* and what was written since; --yes allows it' \
	'when a person has heard what it takes'
z define source home host2 --yes
mv /var/lib/zumastor/volumes/home/source/rewind "$scratch/"
expect 6 'without that it refuses' far zumastor replicate home
like "$(<"$err")" "both sides went on: 'home' has here [12] newer than snapshot $first of .*; 'home' has here 1, and" \
	'and both say what they have'
mv "$scratch/rewind" /var/lib/zumastor/volumes/home/source/
expect 0 'with it, it follows' far zumastor replicate home
like "$(<"$out")" 'on base 1: [0-9.]+[KM] changed, .* [0-9.]+K? sent' 'by what changed alone'
equal 'back'
is "$(hashes | head -n 2)" "$before" 'its own snapshots are as they were'
undo=$(z list home -H -o id,kinds | sed -n 's/	undo$//p')
z mount home "$undo"
is "$(cat "$files-snapshots/undo.0/unsaved")" unsaved 'and so is what it had not snapshotted'
is "$(far zumastor list home -H -o uuid,holds | grep -c promoted || true)" 0 'nothing is held for it any more'
far_write
expect 0 'the next' far zumastor replicate home -q
equal 'and on'

# The master dies in the middle, and its replica is promoted.
far_sh "head -c 4000000 /dev/urandom >$files/big; zumastor snapshot home hourly" >/dev/null
far_sh "printf '#!/bin/sh\n{ head -c 2000000; lab kill 2; cat; } | ssh \"\$@\"\n' >/run/ssh; chmod +x /run/ssh"
shown=$(tree "$files")
far_sh 'ZUMASTOR_SSH=/run/ssh zumastor replicate home' &>/dev/null || true
expect 0 'promoted, though a delta was arriving' z promote home --force
is "$(tree "$files")" "$shown" 'it shows what it showed'
touch "$files/alive"
z snapshot home hourly >/dev/null
lab restart 2
expect 0 'the dead one is started' far zumastor start
expect 1 'and is refused' far zumastor replicate home
like "$(<"$err")" 'was promoted, and has here 1 newer than snapshot' 'by the one that lives'
far zumastor define source home host1 --yes
expect 0 'it follows' z replicate home host2
like "$(head -n 1 "$out")" 'on base [0-9]+: [0-9.]+[KM] changed, .* [0-9.]+K? sent' 'by what changed alone'
equal 'after a power cut'

is "$(ls -A /run/zumastor/jobs)$(far ls -A /run/zumastor/jobs)" '' 'nothing is left of the jobs'

expect 0 'a revert upstream' z revert home hourly.1 --wait
z snapshot home hourly >/dev/null
expect 0 'is replicated' z replicate home
like "$(<"$out")" 'on base [0-9]+: [0-9.]+[KM] changed, .* [0-9.]+K? sent' 'by what changed alone'
equal 'reverted'
done_testing
