#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 900
# A replica gets from its source what is new, by a key that may do nothing else: in full, what changed, from where it was cut;
# and where that cannot be, both sides say why.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"
key=/root/.ssh/peer

# far_ssh NAME SCRIPT - a ssh over there, whose SCRIPT has the connection in "$@".
far_ssh() {
	# shellcheck disable=SC2016,SC2029 # the script is expanded over there, and the name here
	printf '#!/bin/bash\nset -- ssh -F none -i %s -o IdentitiesOnly=yes "$@"\n%s\n' "$key" "$2" |
		ssh host2 "cat >/run/$1; chmod 0755 /run/$1"
}

# pull ARG... - replicate over there, by the key;  pull_by NAME ARG... - with another ssh.
pull() {
	pull_by ssh "$@"
}

pull_by() {
	far env "ZUMASTOR_SSH=/run/$1" zumastor replicate home "${@:2}"
}

# ask INPUT - zumastor serve here, by the key.
ask() {
	far_sh "printf '$1' | /run/ssh host1 zumastor serve" | head -n 1
}

# change - a little, and a snapshot of it.
change() {
	pair_change 40
	z snapshot home hourly >/dev/null
}

pair_make
dd if=/dev/urandom of="$files/big" bs=1M count=4 status=none
z snapshot home hourly >/dev/null
# shellcheck disable=SC2016 # expanded over there
far_ssh ssh 'exec "$@"'
# shellcheck disable=SC2016
far_ssh cut 'exec "$@" > >(dd bs=4k count=500 iflag=fullblock status=none)'
# shellcheck disable=SC2016
far_ssh count '"$@" | tee /run/wire'
far_sh "ssh-keygen -q -t ed25519 -N '' -f $key; cat $key.pub" >"$scratch/key"
z peer add host2 --key "$scratch/key" >/dev/null

expect 1 'a peer that may not' pull
is "$(<"$err")" "zumastor replicate: 'host1' refuses volume 'home': this peer may not send 'home'" 'is told'
z peer add host2 --volume home --verb send >/dev/null
like "$(ask 'zumastor 1 receive home\n')" "^failed 1 this peer may not receive 'home'" 'one that may, may not do the opposite'
like "$(ask 'zumastor 1 remove home\n')" '^failed 5 ' 'nor anything else'
like "$(ask 'zumastor 1 send away\n')" "^failed 1 this peer may not send 'away'" 'nor with another volume'
# shellcheck disable=SC2016 # expanded over there
like "$(far_sh 'exec {gone}> >(:); wait "$!"; printf "failed 1 go away\n" | zumastor receive home >&$gone' 2>&1)" \
	'^zumastor receive: the sender: go away$' 'a source that is gone before the greeting has said why'

expect 7 'the first copy is cut' pull_by cut
is "$(wc -l <"$err")" 1 'one line says so'
expect 0 'the next one' pull_by count
like "$(<"$out")" "^host1: snapshot 1 of 'home' in full: 32M changed, from byte [0-9]+ on, .* sent in" 'goes on there'
again=$(($(far stat -c %s /run/wire) + 500 * 4096 - $(z export home - 2>/dev/null | wc -c)))
diag "$again bytes again"
is "$((again <= 1 << 20))" 1 'with no more than 1 MiB again'
is "$(hashes)" "$(far_hashes)" 'and is whole'
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.0")" 'readers see it'
expect 3 'the source keeps the base' z remove home 1
like "$(<"$err")" "target 'host2' needs it" 'for its target'

change
expect 0 'what changed' pull_by count
like "$(<"$out")" "^host1: snapshot 2 of 'home' on base 1: " 'is an incremental'
is "$(($(far stat -c %s /run/wire) < 300000))" 1 'that sends no more'
change
change
expect 0 'all that is new' pull --each
is "$(wc -l <"$out")" 2 'is two, one by one'
is "$(hashes)" "$(far_hashes)" 'which are right'
expect 0 'nothing new' pull
like "$(<"$out")" "^host1: snapshot 4 of 'home' is there already" 'is no failure'
like "$(z status home)" 'host2 +4 +0' 'and the source knows it'

# Somebody else is at work.
mkfifo "$scratch/wait"
exec 9<>"$scratch/wait"
flock /run/zumastor/lock/home:target:host2 cat <"$scratch/wait" 9>&- &
while flock -n /run/zumastor/lock/home:target:host2 true; do :; done
expect 3 'the source sends already' pull -n
like "$(<"$err")" "'host1' refuses volume 'home': cannot lock 'home:target:host2'" 'it says so'
exec 9>&-
wait "$!"
exec 9<>"$scratch/wait"
ssh host2 flock /run/zumastor/lock/home:receive cat <"$scratch/wait" 9>&- &
while far flock -n /run/zumastor/lock/home:receive true; do :; done
expect 3 'the replica receives already' pull -n
is "$(<"$err")" "zumastor replicate: cannot lock 'home:receive': another command is at work on it" 'it says so, too'
exec 9>&-
wait "$!"

far zumastor stop
change
expect 1 'a replica that is stopped' pull
like "$(<"$err")" "^zumastor replicate: cannot receive 'home' from 'host1': volume 'home' is stopped" 'says so'
is "$(wc -l <"$err")" 1 'in one line'
like "$(z status home)" "'host2' refuses volume 'home': volume 'home' is stopped" 'the source has it in its status'
far_sh 'zumastor status home --json' >"$scratch/json"
is "$(jq -r '.volumes[0].source | .host, (.last_success > 0), .base_uuid, .last_error' "$scratch/json" | head -n 3 | tr '\n' ' ')" \
	"host1 true $(z list home -H -o uuid | tail -n 2 | head -n 1) " 'the replica has when one came'
like "$(jq -r '.volumes[0].source.last_error' "$scratch/json")" "cannot receive 'home' from 'host1'" 'and what failed since'
far_sh 'printf "Host host1\n IdentityFile /root/.ssh/peer\n IdentitiesOnly yes\n" >>/root/.ssh/config'
far zumastor define source home host1 --period 60 2>/dev/null
expect 0 'start, with a period' far zumastor start
for ((n = 0; n < 150; n++)); do
	[[ $(</var/lib/zumastor/volumes/home/targets/host2/base) != "$(newest)" ]] || break
	sleep 0.2
done
is "$(newest_hash)" "$(far_newest_hash)" 'asks once'

until z forget target home host2 2>/dev/null; do sleep 0.2; done	# the transfer may not have ended yet
expect 4 'no target' pull
like "$(<"$err")" "'host1' refuses volume 'home': volume 'home' has no target 'host2'" 'is told'
z define target home host2
change
z remove home 1..5 --force >/dev/null
expect 6 'the base is lost' pull
like "$(<"$err")" "'host1' refuses volume 'home': 'host2' holds no snapshot that 'home' still has: a full copy is needed" 'is told'
expect 0 'a full copy' pull --full
like "$(<"$out")" ' in full: ' 'is made when wanted'
is "$(newest_hash)" "$(far_newest_hash)" 'and is right'

# shellcheck disable=SC2016
far_ssh tell 'echo "$@" >&2; exit 255'
far zumastor define source home backup@host9:99
expect 1 'another user and port' pull_by tell
like "$(<"$err")" "cannot reach 'host9': .* -p 99 -l backup -- host9 'zumastor' 'serve'$" 'ssh is told of'
far zumastor define source home host9
expect 1 'a source that is not there' pull
like "$(<"$err")" "^zumastor replicate: cannot reach 'host9': .*host9" 'ssh says why'
is "$(ls -A /run/zumastor/jobs)$(far ls -A /run/zumastor/jobs)" '' 'nothing is left of the jobs'
done_testing
