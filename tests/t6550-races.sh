#!/bin/bash
# lab: --disk 4M --disk 64M --timeout 1500
# R13: commands race on one volume, several at once: each does its work or says what is in the way, and after that the
# volume is as if they had come one after the other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/stack.sh"
rounds=$(long_or 50 5) at_once=7
wrong=()
expect 0 'define a volume' z define volume home "$origin" "$store"
scribble 10

# pick - one of the snapshots.
pick() {
	local -a ids
	mapfile -t ids < <(live "$store")
	printf '%s' "${ids[RANDOM % ${#ids[@]}]}"
}

# command - sets words to one of those that change a volume, or look at all of it.
command() {
	case $((RANDOM % 14)) in
	0 | 1 | 2)	words=(snapshot home) ;;
	3 | 4)		words=(remove home "$(pick)" --force) ;;
	5)		words=(mount home "$(pick)") ;;
	6)		words=(umount home "$(pick)") ;;
	7)		words=(clone home "$(pick)" "c$RANDOM") ;;
	8)		words=(clone home --remove "$(z clone home -H | awk 'NR == 1 { print $1 }')") ;;
	9)		words=(hold home "$(pick)" tag) ;;
	10)		words=(release home "$(pick)" --all) ;;
	11)		words=(status home --usage) ;;
	12)		words=(stop volume home) ;;
	13)		words=(start volume home) ;;
	esac
	[[ ${words[*]} != *'--remove ' ]] || words=(snapshot home)
}

# race - several at once; their ends are judged, and the sum of what they say they did.
race() {
	local i code before after expected
	local -a words
	before=$(live "$store" | wc -l)
	rm -f "$scratch"/race.*
	for ((i = 0; i < at_once; i++)); do
		command
		printf '%s\n' "${words[*]}" >"$scratch/race.$i"
		(code=0; z "${words[@]}" >/dev/null 2>"$scratch/race.$i.err" || code=$?; printf '%s\n' "$code" >"$scratch/race.$i.code") &
	done
	wait
	expected=$before
	for ((i = 0; i < at_once; i++)); do
		judge "$(<"$scratch/race.$i")" "$(<"$scratch/race.$i.code")" "$(<"$scratch/race.$i.err")"
	done
	z start volume home || wrong+=('start failed')
	after=$(live "$store" | wc -l)
	((after == expected)) || wrong+=("$before snapshots, $expected expected, $after there")
	z check home >"$out" || wrong+=("$(<"$out")")
}

# judge COMMAND CODE TEXT
judge() {
	case $1:$2 in
	snapshot*:0)	expected=$((expected + 1)) ;;
	remove*:0)	expected=$((expected - 1)) ;;
	*:[034])	;;
	*:1)		[[ $3 == *'is stopped'* || $3 == *'is not running'* ]] || wrong+=("$1: exit $2: $3") ;;
	*)		wrong+=("$1: exit $2: $3") ;;
	esac
}

for ((n = 0; n < 8; n++)); do
	take
	scribble 2
done
for ((n = 0; n < rounds; n++)); do
	race
done
for id in "${!taken[@]}"; do
	live "$store" | grep -qx "$id" || unset "taken[$id]"
done
is "$(differing)" '' 'snapshots that are still there are what they were'
[[ -z ${wrong[*]-} ]] || diag "$(printf '%s\n' "${wrong[@]}")"
score R13 $((rounds * at_once * (at_once - 1) / 2)) pairs ${#wrong[@]} violations
done_testing
