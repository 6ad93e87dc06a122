#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# A transfer that is cut leaves readers where they were, and the next one goes on where it ended.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

pair_make
dd if=/dev/urandom of="$files/big" bs=1M count=4 status=none
z snapshot home hourly >/dev/null

ZUMASTOR_SSH=$(broken_ssh 1000000) expect 7 'the first copy is cut' z replicate home
is "$(far zumastor list home -H -o id)" '' 'there is no snapshot'
is "$(far grep -c "$files" /proc/mounts || true)" 0 'and nothing to see'
like "$(z status home)" 'host2 .*refuses' 'status tells of it'
z forget target home host2
z remove home 1 --force
z define target home host2
z snapshot home hourly >/dev/null
expect 6 'when the snapshot has gone meanwhile' z replicate home
like "$(<"$err")" "'host2' has [0-9]+ bytes of snapshot .*, which is gone: --full begins a copy anew" 'it is not begun anew unasked'
ZUMASTOR_SSH=$(broken_ssh 1000000) expect 7 'begun anew, and cut again' z replicate home --full
expect 0 'the next one' z replicate home
like "$(<"$out")" 'in full: 32M changed, from byte [0-9]+ on' 'goes on where that was cut'
is "$(hashes)" "$(far_hashes)" 'and is whole'

before=$(far_tree)
shown=$(far_hashes)
for bytes in $(long_or "300 20000 1500000 2500000" "2500000"); do
	dd if=/dev/urandom of="$files/big" bs=1M count=4 conv=notrunc status=none
	z snapshot home hourly >/dev/null
	ZUMASTOR_SSH=$(broken_ssh "$bytes") expect 7 "cut after $bytes bytes" z replicate home -q
	is "$(wc -l <"$err")" 1 'one line says so'
	is "$(far_tree)" "$before" 'readers see what they saw'
	is "$(far_hashes)" "$shown" 'the snapshot is as it was'
	is "$(far cat /proc/mounts | grep -c " $files ")" 1 'mounted once'
done
z snapshot home hourly >/dev/null
expect 0 'the next one' z replicate home
like "$(head -n 1 "$out")" 'changed, from byte [0-9]+ on' 'goes on where that was cut'
is "$(wc -l <"$out")" 2 'and then sends what was taken since'
is "$(hashes | tail -n 2)" "$(far_hashes | tail -n 2)" 'both are right'
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.0")" 'readers see it'

# The other host dies in the middle.
dd if=/dev/urandom of="$files/big" bs=1M count=4 conv=notrunc status=none
z snapshot home hourly >/dev/null
printf '#!/bin/sh\n{ stdbuf -o0 head -c 2000000; %s kill 2; cat; } | ssh -o ServerAliveInterval=1 "$@"\n' "$(type -P lab)" >"$scratch/ssh"
ZUMASTOR_SSH=$scratch/ssh expect 1 'the other host is killed' z replicate home -q
lab restart 2
expect 0 'it starts again' far zumastor start
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.1")" 'readers see the snapshot before'
expect 0 'the next one' z replicate home
is "$(newest_hash)" "$(far_newest_hash)" 'is right'

# The snapshot is taken, and who took it dies before readers see it.
far_sh "cd /usr/libexec/zumastor && mv dm-snapshot real && cat >dm-snapshot <<-'END' && chmod +x dm-snapshot
	#!/bin/sh
	/usr/libexec/zumastor/real \"\$@\" && pkill -9 zumastor-receiv
	END"
pair_change 100
z snapshot home hourly >/dev/null
expect 1 'the receiver is killed' z replicate home -q
far_sh 'cd /usr/libexec/zumastor && mv real dm-snapshot'
is "$(far zumastor list home -H -o uuid | tail -n 1)" "$(newest)" 'having taken the snapshot'
expect 0 'again' z replicate home
like "$(<"$out")" 'is there already' 'has nothing to send'
is "$(far_tree)" "$(tree "$files-snapshots/hourly.0")" 'and readers see it now'
is "$(ls -A /run/zumastor/jobs)" '' 'nothing is left of the jobs here'
is "$(far ls -A /run/zumastor/jobs)" '' 'nor there'

# The network goes away in the middle, and neither side hears of the other's end.
dd if=/dev/urandom of="$files/big" bs=1M count=4 conv=notrunc status=none
z snapshot home hourly >/dev/null
printf '#!/bin/sh\n{ stdbuf -o0 head -c 2000000; %s cut 1 2; cat; } | ssh -o ServerAliveInterval=1 "$@"\n' \
	"$(type -P lab)" >"$scratch/ssh"
ZUMASTOR_SSH=$scratch/ssh expect 1 'the network is cut' z replicate home -q
like "$(<"$err")" "cannot reach 'host2'" 'it says so'
lab restore 1 2
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.1")" 'readers see the snapshot before'
# The receiver learns that its sender is gone by its own heartbeat; until then it is busy.
for ((n = 0; n < 60; n++)); do
	code=0
	z replicate home -q 2>"$err" || code=$?
	((code == 3)) || break
	read -r -t 2 <> <(:) || true
done
is "$code $(<"$err")" '0 ' 'the next one'
is "$(newest_hash)" "$(far_newest_hash)" 'is right'

expect 1 'an unreachable host' env ZUMASTOR_SSH=false zumastor replicate home
like "$(<"$err")" "^zumastor replicate: 'host2' broke off: exit 1" 'is told'
done_testing
