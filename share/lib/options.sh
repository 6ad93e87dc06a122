# options.sh - the options of a command, in any order, long or short.   Needs core.sh.
#
#     options_parse 'i|initialize' 'm|metadev=' 'c|custom*' '|yes' -- "$@"
#
# = takes a value, the last one counts; * takes a value and may be repeated, joined by newlines.
# Sets opt[LONG] ("yes" without a value) and args, the positional ones.  -v, -q and --help belong
# to every command; a command that gives -v or -q another meaning has it.
# shellcheck shell=bash disable=SC2034 # opt, args, verbose and quiet are read by the commands

declare -gA opt=() option_kind=() option_long=()
args=()

options_declare() {
	local letter=${1%%|*} long=${1#*|} kind=flag
	case $long in
	*=)	kind=one ;;
	*\*)	kind=many ;;
	esac
	long=${long%[=*]}
	option_kind[$long]=$kind
	[[ -z $letter ]] || option_long[$letter]=$long
}

# option_set NAME_AS_TYPED LONG [VALUE]
option_set() {
	local typed=$1 long=$2
	case ${option_kind[$long]} in
	flag)	(($# == 2)) || die_usage "option '$typed' takes no value"
		opt[$long]=yes ;;
	one)	opt[$long]=$3 ;;
	many)	opt[$long]=${opt[$long]+${opt[$long]}$'\n'}$3 ;;
	esac
}

# options_long --NAME[=VALUE] [NEXT...] - sets option_used to the number of arguments taken.
options_long() {
	local typed=${1%%=*} long
	long=${typed#--}
	option_used=1
	[[ $long =~ ^[a-z][a-z-]*$ && -n ${option_kind[$long]-} ]] ||
		die_usage "unknown option '$typed'"
	if [[ $1 == *=* ]]; then
		option_set "$typed" "$long" "${1#*=}"
	elif [[ ${option_kind[$long]} == flag ]]; then
		option_set "$typed" "$long"
	else
		(($# > 1)) || die_usage "option '$typed' needs a value"
		option_set "$typed" "$long" "$2"
		option_used=2
	fi
}

# options_short -LETTERS[VALUE] [NEXT...] - a bundle such as -iz or -h24.
options_short() {
	local letters=${1#-} letter long
	option_used=1
	while [[ -n $letters ]]; do
		letter=${letters:0:1}
		letters=${letters:1}
		[[ $letter =~ ^[a-zA-Z]$ && -n ${option_long[$letter]-} ]] ||
			die_usage "unknown option '-$letter'"
		long=${option_long[$letter]}
		if [[ ${option_kind[$long]} == flag ]]; then
			option_set "-$letter" "$long"
		elif [[ -n $letters ]]; then
			option_set "-$letter" "$long" "$letters"
			return
		else
			(($# > 1)) || die_usage "option '-$letter' needs a value"
			option_set "-$letter" "$long" "$2"
			option_used=2
		fi
	done
}

options_read() {
	local option_used
	while (($#)); do
		case $1 in
		--)	args+=("${@:2}")
			return ;;
		--*)	options_long "$@"
			shift "$option_used" ;;
		-?*)	options_short "$@"
			shift "$option_used" ;;
		*)	args+=("$1")
			shift ;;
		esac
	done
}

options_parse() {
	options_declare 'v|verbose'
	options_declare 'q|quiet'
	options_declare '|help'
	while [[ $1 != -- ]]; do
		options_declare "$1"
		shift
	done
	options_read "${@:2}"
	if [[ -n ${opt[help]-} ]]; then
		usage
		exit 0
	fi
	verbose=${opt[verbose]-}
	quiet=${opt[quiet]-}
}

# args_count MIN MAX WHAT - dies unless there are as many positional arguments.
args_count() {
	((${#args[@]} >= $1 && ${#args[@]} <= $2)) ||
		die_usage "expected $3, got ${#args[@]} arguments"
}
