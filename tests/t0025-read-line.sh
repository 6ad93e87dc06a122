#!/bin/bash
# A line is waited for as long as was said, by a clock that nobody sets: bash's own read believes the one that somebody may.
. "$(dirname "$0")/lib.sh"
cd "$scratch"

# As bash has it when the clock is set forward: it gives up at once, with what it has.
cat >script <<-'END'
	. "$1/share/lib/core.sh"
	exec {never}<> <(:)
	broken=0
	read() {
		[[ $* != *-t* ]] || ((broken++ % 3)) || { part=; return 142; }
		builtin read "$@"
	}
	lines() {
		local code=0
		while ((code == 0)); do
			read_line 3 "$1" || code=$?
			printf '%s:%s\n' "$code" "$REPLY"
		done
	}
	{ printf 'a\nb\n\nc'; sleep 0.5; printf 'd\ne'; } >pipe &
	exec {pipe}<pipe
	lines "$pipe"
	began=${EPOCHREALTIME/.}
	lines "$never"
	printf '%s\n' $(((${EPOCHREALTIME/.} - began) / 1000000))
END
mkfifo pipe
expect 0 'lines are read' bash script "$top"
mapfile -t lines <"$out"
is "${lines[*]:0:5}" '0:a 0:b 0: 0:cd 1:e' 'each whole, and the end'
like "${lines[*]:5}" '^1[3-9][0-9]: ([2-9]|[0-9]{2,})$' 'and what never comes is given up'
is "$(printf '%2500s\n' x | bash -c '. "$1/share/lib/core.sh"; for n in 1 2 3; do read_line 3 0; printf "%d " "${#REPLY}"; done' - "$top")" \
	'1000 1000 500 ' 'a long one is in pieces'
done_testing
