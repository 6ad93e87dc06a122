# dispatch.sh - commands of two words.
# shellcheck shell=bash

# dispatch VERB THINGS [ARG...] - becomes zumastor-VERB-THING; THINGS is 'one|two', and the first
# ARG must be one of them.
dispatch() {
	local verb=$1 things=$2 thing=${3-}
	case $thing in
	--help)
		printf 'usage: zumastor %s %s ARG...\n\nEach has a --help of its own.\n' \
			"$verb" "$things"
		return ;;
	'')	die_usage "expected $things" ;;
	esac
	[[ $thing =~ ^[a-z]+$ && "|$things|" == *"|$thing|"* ]] ||
		die_usage "unknown command '$verb ${thing:0:80}': expected $things"
	exec "$ZUMASTOR_LIBEXEC/zumastor-$verb-$thing" "${@:4}"
}
