#!/bin/bash
# R26: zumastor serve, as the forced command of a peer: whatever is asked, by its input or its environment, nothing runs but
# what the peer may, with arguments of ours.
# shellcheck disable=SC2154 # cli.sh gives $zumastor, $database, $trap_dir
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
seed=${ZUMASTOR_SEED:-$RANDOM}

# A receiver, and a sender, that tell what they were given.
for verb in receive send; do
	cat >"$scratch/usr/libexec/zumastor/zumastor-$verb" <<-END
		#!/bin/sh
		{ printf '%s\0' zumastor-$verb "\$@"; printf '\001'; cat /proc/self/environ; printf '\001'; cat; } >$scratch/ran
	END
done
# host1 may send to this host, and pull2 get what is here.
mkdir -p "$database/peers"/{host1,pull2}/{verbs,volumes}
chmod -R go= "$database/peers"
touch "$database/peers"/{host1/verbs/receive,pull2/verbs/send,host1/volumes/home,pull2/volumes/home}

# ask INPUT [OPTION...] - the whole answer is in $out.
ask() {
	local input=$1
	shift
	rm -f "$scratch/ran"
	printf '%b' "$input" | "$zumastor" serve "$@"
}

# Those who say too little, or too slowly, wait while the others are tried.
# shellcheck disable=SC2094 # nothing is written
"$zumastor" serve --peer host1 < <(sleep 600 & echo $! >"$scratch/sleeper"; wait) >"$scratch/silent" &
silent=$!
"$zumastor" serve < <(while printf z; do sleep 1; done 2>/dev/null) >"$scratch/slow" &
slow=$!

good='zumastor 1 receive home\n'
expect 0 'what a peer may' ask "${good}and more" --peer host1
is "$(sed -z 's/.*\o1//' "$scratch/ran" | tail -c 8)" 'and more' 'nothing behind the line is taken away'
expect 1 'not another volume' ask 'zumastor 1 receive away\n' --peer host1
is "$(<"$out")" "failed 1 this peer may not receive 'away'" 'is told'
rm "$database/peers/host1/verbs/receive"
expect 1 'not without the verb' ask "$good" --peer host1
touch "$database/peers/host1/verbs/receive"
expect 1 'no other peer' ask "$good" --peer host2
mv "$database/peers/host1" "$database/peers/host3"
ln -s host3 "$database/peers/host1"
expect 1 'nor one that is a link' ask "$good" --peer host1
rm "$database/peers/host1"
mv "$database/peers/host3" "$database/peers/host1"
chmod 0770 "$database/peers/host1"
expect 1 'nor one that others can change' ask "$good" --peer host1
chmod 0700 "$database/peers/host1"
mv "$database/peers/host1/volumes/home" "$database/peers/host1/volumes/.all"
expect 0 'one that may all' ask 'zumastor 1 receive away\n' --peer host1
mv "$database/peers/host1/volumes/.all" "$database/peers/host1/volumes/home"
expect 0 'root, of its own' ask 'zumastor 1 receive away\n'
expect 1 'not what it was not told' ask 'zumastor 1 hash home\n' --peer host1
expect 0 'the opposite' ask 'zumastor 1 send home\n' --peer pull2
is "$(tr '\0\1' '  ' <"$scratch/ran" | cut -d' ' -f1,2)" 'zumastor-send home' 'is another verb'
expect 1 'which may not send here' ask "$good" --peer pull2
is "$(<"$out")" "failed 1 this peer may not receive 'home'" 'is told'
expect 1 'nor may the other have what is here' ask 'zumastor 1 send home\n' --peer host1
is "$(<"$out")" "failed 1 this peer may not send 'home'" 'is told, too'
expect 5 'an unknown verb' ask 'zumastor 1 remove home\n'
for bad in '' '\n' 'zumastor' 'zumastor 1 receive home' 'zumastor 2 receive home\n' 'zumastor 1 receive home\r\n' \
	'zumastor 1 receive home \n' 'zumastor 1 receive\n' 'zumastor 1 receive \n' 'zumastor 1 receive home\0\n' \
	'zumastor 1 receive ../home\n' "zumastor 1 receive $(printf 'n%.0s' {1..64})\n" "$(printf 'n%.0s' {1..500})"; do
	expect 7 "no request: '${bad:0:40}'" ask "$bad" --peer host1
	[[ ! -e $scratch/ran ]] || fail 'it ran all the same'
done

count=$(long_or 25000 95)
: >"$scratch/report"
for attack in 'host1 receive' 'pull2 send'; do
	code=0
	read -ra words <<<"$attack"
	"$top/tests/serve-attack" "$count" "$seed" "$zumastor" "${words[@]}" "$scratch" >"$scratch/found" || code=$?
	((code == 0)) || [[ -s $scratch/found ]] || fail 'the attacker died'
	sed "s/^/$attack /" "$scratch/found" >>"$scratch/report"
done
diag "seed $seed"
[[ ! -s $scratch/report ]] || diag "$(<"$scratch/report")"
score R26 $((2 * count)) attempts "$(wc -l <"$scratch/report")" 'got through'
no_trace 'no injected command has run'

code=0
wait "$silent" || code=$?
is "$code $(<"$scratch/silent")" '7 failed 7 no request: the other side was silent for too long' 'one that is silent is given up'
kill "$(<"$scratch/sleeper")"
code=0
wait "$slow" || code=$?
is "$code $(<"$scratch/slow")" '7 failed 7 no request: the other side was silent for too long' 'and one that trickles'
done_testing
