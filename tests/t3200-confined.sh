#!/bin/bash
# The process that takes a delta apart has nothing but what it needs, on kernels with Landlock and seccomp and without.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
cd "$scratch"
chmod 0755 .
((EUID == 0)) || skip_all 'there are no rights to be given up'

cc() {
	gcc -D_GNU_SOURCE -I"$top/csrc/lib" -Wall -o "$@" "$top/tests/confined.c" "$top/csrc/lib/confine.c" -lseccomp
}

# can PROGRAM - what it could do, in one line.
can() {
	mkdir -m 0777 shared
	touch file shared/old
	chmod 0666 file shared/old
	./"$1" file shared | xargs
	rm -r shared
}

expect 0 'build' cc confined
has_seccomp=$(grep -c '^Seccomp:' /proc/self/status || true)
if ((has_seccomp)); then
	is "$(can confined)" 'write memory' 'it can write what is open and have memory, and nothing else'
fi
printf 'int __wrap_seccomp_load(void *f) { (void)f; return -1; }\n' >without.c
expect 0 'build' cc bare without.c -Wl,--wrap=seccomp_load
like "$(can bare)" '^write memory code( remove)?( mkdir)? fork( exec)?$' 'without seccomp it opens nothing and is nobody'

plain=$top/build/plain/bin
size=$((8 << 20))
random $size new
describe_full $size 65536 >description
expect 0 'pack' "$plain/delta-pack" --compress none new <description
mv "$out" stream
truncate -s $size device
mkfifo pipe
"$plain/delta-apply" --progress quick --durable durable device <pipe >result &
pid=$!
exec 7>pipe
head -c 3000000 stream >&7
for ((n = 0; n < 1000; n++)); do
	[[ $(fact offset quick 2>/dev/null) != 2* ]] || break
	read -r -t 0.01 <> <(:) || true
done
status=$(sed -n 's/^\([UG]id\|Groups\|Cap.*\|NoNewPrivs\|Seccomp\|Threads\):[[:space:]]*/\1 /p' /proc/$pid/status | tr '\t' ' ')
like "$status" 'Uid 65534 65534 65534 65534.Gid 65534 65534 65534 65534' 'it is nobody'
like "$status" 'CapPrm 0000000000000000.CapEff 0000000000000000' 'with no capability'
like "$status" 'NoNewPrivs 1' 'nor a way to one'
((!has_seccomp)) || like "$status" 'Seccomp 2' 'with a filter'
like "$(cat /proc/$pid/limits)" 'Max open files +1 +1 ' 'and no new descriptor'
tail -c +3000001 stream >&7
exec 7>&-
expect 0 'it still does its work' wait $pid
same new device 'and does it right'
is "$(fact offset quick)" "$size" 'having told how far it was'
is "$(stat -c %s durable)" 512 'in a sector'
done_testing
