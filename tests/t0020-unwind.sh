#!/bin/bash
# What a command has to undo is undone once, when the command ends, and by no child of it.
. "$(dirname "$0")/lib.sh"
cd "$scratch"
cat >script <<-'END'
	. "$1/share/lib/core.sh"
	note() { printf '%s\n' "$1" >>told; }
	on_exit note undo
	always note always
	# As bash has it when a signal meets a child that was just forked: it has our traps still.
	(core_unwind) || true
	(trap core_unwind EXIT; exit 3) || true
	note end
	[[ $2 == fails ]] || keep
	exit 4
END
expect 4 'a command that fails' bash script "$top" fails
is "$(xargs <told)" 'end undo always' 'undoes what it did, at its end'
rm told
expect 4 'one past the point of no return' bash script "$top" stays
is "$(xargs <told)" 'end always' 'leaves what it did'
done_testing
