#!/bin/bash
# lab: --hosts 2 --disk 16M --disk 32M --timeout 600
# What goes wrong around a transfer: the wrong host, a replica of something else, disks that fill over there, clocks an hour
# apart.  A line says what, readers keep what they have, and when it is put right the next one goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"
cd "$scratch"
source=/var/lib/zumastor/volumes/home/source

# The store over there is small, the origin a file, which could be made larger.
modprobe dm-mod
far modprobe -a dm-mod loop
far_sh 'truncate -s 16M /run/origin && losetup /dev/loop0 /run/origin'
far dmsetup create small --table "0 28672 linear $DEV2NAME 0"
mkfs.ext4 -q "$DEV1NAME"
z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
z define master home --hourly 24
z define target home host2 -C none
far zumastor define volume home /dev/loop0 /dev/mapper/small >/dev/null
far zumastor define source home host1

# change MIB - that much of a file, and a snapshot.
change() {
	dd if=/dev/urandom of="$files/file" bs=1M count="$1" conv=notrunc status=none
	date +%N >"$files/stamp"
	z snapshot home hourly >/dev/null
}

# arrived DESC - the newest is over there, whole, and readers see it.
arrived() {
	is "$(newest_hash)" "$(far_newest_hash)" "$1 is there"
	is "$(far cat "$files/stamp")" "$(<"$files/stamp")" 'and shown'
}

# refuses CODE REGEX DESC - replicating to host2 fails, in one line.
refuses() {
	expect "$1" "$3" z replicate home host2
	like "$(<"$err")" "^zumastor replicate: $2" 'says why'
	is "$(wc -l <"$err")" 1 'in one line'
}

# by SSH... - what takes the place of ssh.
by() {
	printf '#!/bin/sh\nexec %s "$@"\n' "$*" >ssh
	chmod +x ssh
	export ZUMASTOR_SSH=$scratch/ssh
}

change 5
ssh-keygen -q -t ed25519 -N '' -f key
printf 'host2 %s\n' "$(cut -d' ' -f1,2 key.pub)" >known
by ssh -o UserKnownHostsFile="$scratch/known" -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes
refuses 1 "cannot reach 'host2': Host key verification failed" 'another host key than is known'
by ssh -p 1
refuses 1 "cannot reach 'host2': ssh: connect to host host2 port 1: Connection refused" 'a port where nobody listens'
by ssh -o HostName=nowhere.invalid
refuses 1 "cannot reach 'host2': ssh: Could not resolve hostname nowhere.invalid" 'a host without an address'
by ssh -o UserKnownHostsFile="$scratch/known" -l nobody
refuses 1 "cannot reach 'host2': .*(verification|denied)" 'an account that lets nobody in'
echo 'peer_timeout = 3' >/etc/zumastor/zumastor.conf
by sleep 100 '#'
refuses 1 "'host2' was silent for 3 s" 'a connection that leads to nobody'
rm /etc/zumastor/zumastor.conf
unset ZUMASTOR_SSH
is "$(far zumastor list home -H -o id)" '' 'nothing came'

expect 0 'then it is sent' z replicate home
arrived 'the first'
uuid=$(far cat $source/uuid)
far_sh "echo 22222222-2222-4333-8444-555555555555 >$source/uuid"
change 4
refuses 1 "'host2' refuses volume 'home': .*it is of volume $uuid, not of 22222222-" 'a replica of another volume'
far_sh "echo $uuid >$source/uuid"
expect 0 'of this one' z replicate home
arrived 'the second'

# The database has no room for what is noted of a transfer.
change 4
far_sh "mkdir /run/kept && cp -a $source/. /run/kept && mount -t tmpfs -o size=32k,mode=0700 none $source && cp -a /run/kept/. $source &&
	! cat /dev/zero 2>/dev/null >$source/zeros"
refuses 1 "'host2' refuses volume 'home': .*No space left on device" 'a full database'
far umount $source
expect 0 'with room' z replicate home
arrived 'the third'

# The store fills in the middle: writers wait, the receiver is one, and goes on when there is room.
change 5
z replicate home -q 2>waited &
pid=$!
for ((n = 0; n < 300; n++)); do
	! far_sh '/usr/libexec/zumastor/dm-status home /dev/mapper/small' | grep -q '^store_mode=out_of_data_space' || break
	sleep 0.2
done
is "$((n < 300))" 1 'the store over there is full'
expect 0 'the transfer waits' kill -0 "$pid"
expect 0 'remove what is old there' far zumastor remove home 1 2 --force
code=0
wait "$pid" || code=$?
is "$code $(<waited)" '0 ' 'it goes on'
arrived 'the fourth'

# Clocks: the other host's is an hour ahead; then ours goes back two.
far date -s '+1 hour' >/dev/null
change 1
expect 0 'its clock is an hour ahead' z replicate home
arrived 'the fifth'
date -s '-2 hours' >/dev/null
far zumastor define schedule home --hourly 2
for n in sixth seventh; do
	change 1
	expect 0 'our clock went back' z replicate home
	like "$(<"$out")" ' on base ' 'an increment'
	arrived "the $n"
done
is "$(far cat "/run/zumastor/volumes/home-snapshots/hourly.0/stamp")" "$(<"$files/stamp")" 'the newest is what came last'
is "$(cat "/run/zumastor/volumes/home-snapshots/hourly.0/stamp")" "$(<"$files/stamp")" 'here, too'
is "$(far zumastor list home -H -o uuid | wc -l)" 2 'the schedule over there keeps two'

# Somebody sets the clock, in the middle of every line that the other host says.
# shellcheck disable=SC2016 # expanded in there
printf '#!/bin/bash\nssh "$@" | while IFS= read -r line; do\nprintf %%s "${line:0:1}"; date -s "+1 hour" >/dev/null; sleep 0.1
printf "%%s\\n" "${line:1}"\ndone\n' >ssh
export ZUMASTOR_SSH=$scratch/ssh
change 1
expect 0 'clocks that are set meanwhile' z replicate home host2
arrived 'what was sent'
unset ZUMASTOR_SSH

# A peer that asks for more than the origin's device has; and whoever can run anything there.
# shellcheck disable=SC2016 # expanded over there
far_sh 'cd /var/lib/zumastor/peers && mkdir -p host1/verbs host1/volumes && touch host1/verbs/receive host1/volumes/home'
ask='printf "zumastor 1 receive home\ngrow 17825792\n" | zumastor serve'
is "$(far_sh "$ask --peer host1 | tail -n 1")" \
	"failed 1 '/dev/loop0' is too small; 'zumastor resize home --origin 17825792' there makes it larger" 'a peer is refused'
is "$(far stat -c %s /run/origin)" 16777216 'its file is as it was'
like "$(far_sh "$ask")" $'\nvolume_bytes 17825792\n' 'root is not'
is "$(far blockdev --getsize64 /dev/mapper/home)" 17825792 'the volume has grown'
done_testing
