#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# A peer that may replicate and nothing else, by a real sshd; what a stolen key of it can do is send.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"
key=/root/.ssh/peer

# peer_ssh ARG... - ssh with the peer's key and no other.
peer_ssh() {
	ssh -F none -i "$key" -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=20 "$@"
}
printf '#!/bin/sh\nexec ssh -F none -i %s -o IdentitiesOnly=yes "$@"\n' "$key" >"$scratch/ssh"
chmod +x "$scratch/ssh"
export ZUMASTOR_SSH=$scratch/ssh

# keys - the other lines of authorized_keys there, and how they are kept.
keys() {
	far_sh 'grep -av zumastor: /root/.ssh/authorized_keys | sha256sum; stat -c "%a %u:%g" /root/.ssh/authorized_keys'
}

pair_make
z snapshot home hourly >/dev/null
ssh-keygen -q -t ed25519 -N '' -f "$key"
scp -q "$key.pub" host2:/run/peer.pub
# shellcheck disable=SC2016 # expanded over there
far_sh 'printf "# \0 \377 \$x zumastor:host1\nrestrict no-key zumastor:host1" >>/root/.ssh/authorized_keys; chmod 0640 /root/.ssh/authorized_keys'
before=$(far_sh 'grep -ac "" /root/.ssh/authorized_keys; stat -c "%a %u:%g" /root/.ssh/authorized_keys')
all=$(far_sh 'sha256sum </root/.ssh/authorized_keys')
expect 0 'add a peer' far zumastor peer add host1 --key /run/peer.pub --volume away
like "$(<"$out")" '^restrict,command="/usr/sbin/zumastor serve --peer host1" ssh-ed25519 [^ ]+ zumastor:host1$' 'prints the line'
line=$(<"$out")
is "$(far_sh 'tail -n 1 /root/.ssh/authorized_keys')" "$line" 'which is there'
# There was no newline at the end: one had to be added.
is "$(far_sh 'head -n -1 /root/.ssh/authorized_keys | head -c -1 | sha256sum')" "$all" 'behind what was there'
is "$(far_sh 'head -n -1 /root/.ssh/authorized_keys | grep -ac ""; stat -c "%a %u:%g" /root/.ssh/authorized_keys')" "$before" 'as it was'

expect 1 'not this volume' z replicate home
like "$(<"$err")" "'host2' refuses volume 'home': this peer may not receive 'home'" 'is told'
others=$(far_sh 'head -n -1 /root/.ssh/authorized_keys | sha256sum')
expect 0 'change what it may' far zumastor peer add host1 --volume home,away
is "$(far_sh 'head -n -1 /root/.ssh/authorized_keys | sha256sum')" "$others" 'every other line is as it was'
like "$(far zumastor peer list)" 'host1 +away,home +receive +SHA256:' 'the list shows it'
far_sh 'cut -d" " -f1,2 /root/.ssh/authorized_keys | head -n 1 >/run/root.pub'
expect 1 'a key that gets in otherwise is no peer' far zumastor peer add host2 --key /run/root.pub
like "$(<"$err")" "cannot restrict this key: line 1 of '/root/.ssh/authorized_keys' .* lets it in, too" 'is told'
expect 0 'replicate by it' z replicate home
is "$(hashes)" "$(far_hashes)" 'it is there'

like "$(far cat /proc/mounts | grep " $files ")" ' ro,.*nosuid,nodev,noexec' 'what came is shown read-only, with nothing to be run'

# What a stolen key can do is send.  Its holder speaks for himself.
helpers=/usr/libexec/zumastor
volume=$($helpers/store-show "$DEV2NAME" | sed -n 's/^volume=//p')
size=$((32 << 20))
truncate -s $size "$scratch/junk"

# steal ANSWER WORD... - say that, and send the delta behind it.
steal() {
	local wanted=$1
	shift
	{ printf 'zumastor 1 receive home\n%s\n' "$*" && cat "$scratch/delta"; } | "$ZUMASTOR_SSH" host2 >"$scratch/answer" 2>"$scratch/said" || true
	like "$(tail -n 1 "$scratch/answer")" "^$wanted" "a stolen key: $* is $wanted"
}

# junk TIME - a delta of the volume in full that has little of it; sets uuid.
junk() {
	uuid=$(</proc/sys/kernel/random/uuid)
	dd if=/dev/urandom of="$scratch/junk" bs=64K count=1 seek=$((RANDOM % 100)) conv=notrunc status=none
	printf '%s\n' "volume=$volume" name=home base=none "snapshot=$uuid" "time=$1" kinds=hourly "volume_bytes=$size" \
		chunk_bytes=16384 '' "0 $((size / 16384))" end >"$scratch/description"
	$helpers/delta-pack "$scratch/junk" <"$scratch/description" >"$scratch/delta"
}

far zumastor define schedule home --hourly 1
kept=$(far_hashes)
far touch /run/mark
junk "$EPOCHSECONDS"
steal 'failed 7' send none '../../../etc/passwd'
# shellcheck disable=SC2016 # not to be expanded
steal 'failed 7' send '$(touch${IFS}/run/traps/6)' "$uuid"
# shellcheck disable=SC2016 # not to be expanded
steal 'failed 7' send none "$uuid" 'x[$(touch${IFS}/run/traps/7)]'
steal 'failed 6' send "$uuid" "$uuid"
steal 'failed 7' remove home 1
junk $((EPOCHSECONDS - 7200))
steal 'done' send none "$uuid"
junk "$EPOCHSECONDS"
steal 'done' send none "$uuid"
far_hashes >"$scratch/now"
is "$(head -n 1 "$scratch/now")" "$kept" 'what it sends pushes nothing out before its time'
is "$(wc -l <"$scratch/now")" 2 'but what is old enough goes'
is "$(far_sh 'find /etc /root /home /tmp /var/lib/zumastor -newer /run/mark -type f | grep -v ^/var/lib/zumastor/volumes/home/source/')" '' \
	'no file was written but those of the replica'

# All that ssh can ask for, with an sshd that passes on what should not be.
far_sh 'cp /run/lab/sshd_config /run/sshd_config
printf "AcceptEnv ZUMASTOR_* DM_* TZ PS4 IFS SHELLOPTS BASH_FUNC_*\nAllowTcpForwarding yes\nPermitTunnel yes\n" >>/run/sshd_config
/usr/sbin/sshd -f /run/sshd_config -p 2222'
good='zumastor 1 receive home\nnothing\n'
through=0 attempts=0

# attempt WANTED INPUT ARG... - over ssh; counted when it gets more than a word of ours, or leaves a file.
attempt() {
	local wanted=$1 input=$2 answer
	shift 2
	attempts=$((attempts + 1))
	answer=$(printf '%b' "$input" | timeout 60 "${by[@]}" "$@" 2>/dev/null | tr -d '\0' | tail -n 1) || true
	[[ $answer =~ ^($wanted)$ ]] || {
		through=$((through + 1))
		diag "got through: $* <$input: $answer"
	}
}

by=(ssh -F none -i "$key" -o IdentitiesOnly=yes -o BatchMode=yes -p 2222)
refusal='failed [157] [ -~]*'
attempt ready "$good" host2
attempt ready "$good" host2 'touch /run/traps/1; id'
attempt ready "$good" -o SetEnv='ZUMASTOR_LIBEXEC=/run/traps ZUMASTOR_STATE=/run/traps ZUMASTOR_PROGRAM=/run/traps/x' host2
# shellcheck disable=SC2016 # not to be expanded
attempt ready "$good" -o SetEnv='BASH_FUNC_zumastor%%="() { touch /run/traps/2; }" PS4="$(touch /run/traps/3)" SHELLOPTS=xtrace' host2
attempt 'ready|' "$good" -tt -o SetEnv=ZUMASTOR_SSH=/run/traps/x host2 bash -i
attempt "$refusal" 'zumastor 1 receive other\n' host2 zumastor serve
attempt "$refusal" 'zumastor 1 remove home\n' host2 zumastor remove home 1
attempt "$refusal" 'touch /run/traps/4\n' host2 sh
# shellcheck disable=SC2016 # not to be expanded
attempt "$refusal" 'zumastor 1 receive home;touch${IFS}/run/traps/5\n' host2 'zumastor serve | sh'
attempt "$refusal" 'zumastor 1 receive home\0\n' host2 -- --peer host2
attempt "$refusal|" '' -s host2 sftp
attempt '' '' -W 127.0.0.1:22 host2
attempt '' '' -N -o ExitOnForwardFailure=yes -R 2323:127.0.0.1:22 host2
attempt '' '' -o ExitOnForwardFailure=yes -w 0:0 host2 true
expect 255 'scp' timeout 60 scp -F none -i "$key" -o IdentitiesOnly=yes -P 2222 host2:/etc/passwd "$scratch/passwd"
attempts=$((attempts + 1))
[[ ! -e $scratch/passwd ]] || through=$((through + 1))
score R26 "$attempts" attempts "$through" 'got through'
is "$(far_sh 'ls /run/traps 2>/dev/null')" '' 'no command has run'

expect 0 'remove it' far zumastor peer remove host1
is "$(far_sh 'sha256sum </root/.ssh/authorized_keys')" "$others" 'its line is gone, and no other'
expect 4 'it is gone' far zumastor peer remove host1
expect 255 'its key gets in no more' peer_ssh host2 true
expect 1 'nor replicates' z replicate home
like "$(<"$err")" "cannot reach 'host2': .*Permission denied" 'which says what ssh said'

# Without root anywhere: an account there that can do nothing but reach a socket, which root listens on.
# shellcheck disable=SC2016 # expanded over there
far_sh 'useradd -m zumastor && usermod -p "*" zumastor && mkdir -m 0700 ~zumastor/.ssh && mkdir -m 0755 /run/zumastor-peer
zumastor peer add host1 --key /run/peer.pub --volume home --print >/dev/null
echo "restrict,command=\"socat -t 86400 - UNIX-CONNECT:/run/zumastor-peer/host1\" $(cat /run/peer.pub)" \
	>~zumastor/.ssh/authorized_keys
chown -R zumastor: ~zumastor/.ssh
umask 0777
setsid systemd-socket-activate --accept --inetd -l /run/zumastor-peer/host1 zumastor serve --peer host1 </dev/null >/dev/null 2>&1 &
until [ -e /run/zumastor-peer/host1 ]; do sleep 0.1; done
chown zumastor /run/zumastor-peer/host1 && chmod 0600 /run/zumastor-peer/host1'
printf '#!/bin/sh\nexec ssh -F none -i %s -o IdentitiesOnly=yes -l zumastor "$@"\n' "$key" >"$scratch/ssh"
pair_change 100
z snapshot home hourly >/dev/null
expect 0 'replicate to an account without rights' z replicate home --full
is "$(newest_hash)" "$(far_newest_hash)" 'it is there'
expect 1 'its socket is for nobody else' far setpriv --reuid 65534 --clear-groups socat - UNIX-CONNECT:/run/zumastor-peer/host1
like "$(peer_ssh -l zumastor host2 zumastor status </dev/null 2>&1)" '^failed 7 no request' 'and leads nowhere else'
done_testing
