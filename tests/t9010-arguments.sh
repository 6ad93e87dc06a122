#!/bin/bash
# R25: names, numbers, hosts and sizes that are none are refused by reading alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"

long=$(printf 'n%.0s' {1..64})
for name in '' . .. .hidden -x -- 'a b' a/b 'a;b' "$long" 'ä' $'a\nb' 'a(1)' 'a%b' "${injections[@]}"; do
	refused 2 'bad volume name' define volume -- "$name" /dev/null /dev/zero
	refused 2 'bad volume name' snapshot -- "$name"
	refused 2 'bad volume name' check -- "$name"
	refused 2 'bad volume name' export -- "$name" "$scratch/new"
	refused 2 'bad volume name' import -- "$name" "$scratch/new"
	refused 2 'bad volume name' status -- "$name"
	refused 2 'bad volume name' promote -- "$name"
	refused 2 'bad volume name' verify -- "$name" host
	refused 2 'bad volume name' forget volume -- "$name"
	refused 2 'bad group name' define group -- "$name" home
	refused 2 'bad group name' forget group -- "$name"
	refused 2 'bad peer name' peer add -- "$name"
	refused 2 'bad peer name' peer remove -- "$name"
	[[ -z $name ]] || refused 2 'bad volume name' peer add host1 --volume "home,$name"
	refused 2 'bad peer name|unknown option' serve --peer "$name"
	refused 2 'bad volume name' define group -- all home "$name"
	expect 2 'hash refuses it, too' z hash -- "$name"
	like "$(<"$out")" '^failed 2 bad volume name' 'and tells the other side'
	expect 2 'receive refuses it, too' z receive -- "$name"
	like "$(<"$out")" '^failed 2 bad volume name' 'and tells the sender'
	expect 2 'so does send' z send -- "$name"
	like "$(<"$out")" '^failed 2 bad volume name' 'and tells the replica'
done

for number in '' -1 +1 1.5 x 0x10 010 99999 '1 2' 1e3 "${injections[@]}"; do
	refused 2 'number of hourly|too many|hourly' define master home --hourly "$number"
	[[ $number == 99999 ]] || refused 2 'bad delay' replicate home host --delay "$number"
	[[ $number == 99999 ]] || refused 2 'bad period' define target home host --period "$number"
	refused 2 'bad period' monitor --once --period "$number"
done
refused 2 "bad kind '5x'" define master home -c 5x,3
refused 2 "bad kind 'manual'" define master home -c manual,3
refused 2 'number of weekdaily' define schedule home -c weekdaily,many
refused 2 'expected at least one' define schedule home

for host in '' -x 'a b' 'a;b' @host -x@host 'a b@host' U@host a@b@host a@ a@-x 'host:' host:x host:0 host:65536 host:022 '[::1' 'a/b' \
	"${injections[@]}"; do
	refused 2 'bad (host|port|user)' define target home -- "$host"
	refused 2 'bad (host|port|user)' define source home -- "$host"
	refused 2 'bad name of this host' define source home host --as "$host"
done

for size in '' 0 1 3K 5000 1M 4k 4KB -4K 16KK 99999999999999999999 "${injections[@]}"; do
	refused 2 'chunk size' define volume home /dev/null /dev/zero --chunksize "$size"
done
for size in 32K 2G 3M x; do
	refused 2 'block size' define volume home /dev/null /dev/zero --blocksize "$size"
done
for size in '' lots -1 1.5M 4KB "${injections[@]}"; do
	refused 2 'bad cache size' define volume home /dev/null /dev/zero -k "$size"
	refused 2 'bad cache size' mount home -k "$size"
done
for size in '' 0 -1 1.5 1k 100 1000000000001 99999999999999999999 MAX 'max;' "${injections[@]}"; do
	refused 2 'size|expected at least one' resize home --origin "$size"
	refused 2 'size|expected at least one' resize home --snapshot "$size"
done
refused 2 'bad metadata size' resize home -m lots
refused 2 'expected at least one of' resize home --yes
refused 2 'bad mount options' define volume home /dev/null /dev/zero -o "ro;touch $mark"
refused 2 'bad mount point' define volume home /dev/null /dev/zero -p here
refused 1 'not a directory' define volume home /dev/null /dev/zero -p /dev/null
refused 3 'mounted on' define volume home /dev/null /dev/zero -p /proc
refused 2 'bad snapshot path' define volume home /dev/null /dev/zero -s here
refused 2 'named twice' define volume home /dev/null /dev/zero --origin /dev/null --store /dev/null
refused 2 'go together' define volume home --origin /dev/null
for word in maybe '' YES "${injections[@]}"; do
	refused 2 'bad comparison' define target home host --compare "$word"
	refused 2 'bad comparison' replicate home --compare "$word"
done
for method in lzma zstd:fast zstd: zstd:100 zstd:20 xz:7 gzip:0 none:1 "${injections[@]}"; do
	refused 2 'bad compression' define target home host -C "$method"
	refused 2 'bad compression' archive merge "$scratch/new" /dev/null /dev/null -C "$method"
done
for policy in '' stop Expire expire,halt "${injections[@]}"; do
	refused 2 'bad policy' define schedule home --on-full "$policy"
	refused 2 'bad policy' define master home --on-full "$policy"
done
refused 2 'is there twice' define group all home home
refused 2 'at most 64' define group all v{1..65}
for word in fast -1 1.5M 4KB "${injections[@]}"; do
	refused 2 'bad rate' define target home host -r "$word"
	refused 2 'bad rate' verify home host --rate "$word"
	refused 2 'bad volume name' define target home host -n "$word$word "
	refused 2 'bad volume name' define source home host -n "$word "
	refused 2 'bad period' define source home host -p "$word"
	refused 2 'bad answer' define target home host --each "$word"
	refused 2 'bad feature' define target home host -t "$word"
done
for word in 1000000 -1 1.5 a '7 '; do
	refused 2 'bad days' define target home host --base-days="$word"
done
for word in 101% -1% % 5%% 1X 1.5% '1 %'; do
	refused 2 'bad space' define target home host --base-space="$word"
done
for word in '' -x 'a b' 'a(rw)' 'a,' 'a#' 'a"b' "${injections[@]}"; do
	[[ $word != '*' ]] || continue
	refused 2 'bad clients' define master home -e --export-to="$word"
	refused 2 'bad clients' define source home host --export-to="$word"
done
for word in '' 'rw,' 'rw ro' crossmnt nohide ro,fsid=0 mp=/ subtree_check anonuid=x "${injections[@]}"; do
	refused 2 'bad export options' define master home -e --export-options="$word"
done
refused 2 'excludes' define master home -s --no-export
refused 2 'bad kind' snapshot home 'hour ly'
for name in . .hidden 'a b' a/b "${injections[@]}"; do
	refused 2 'bad volume name|unknown option|expected' exec "$name" -- true
done
refused 2 'expected -- COMMAND' exec home
refused 2 'expected -- COMMAND' exec home --
refused 2 'bad command' exec home -- a=b true
refused 1 "cannot run 'no-such': there is no such command" exec home -- no-such
refused 2 "bad kind 'exec'" snapshot home exec
for tag in '' 'a b' a,b a=b "${injections[@]}"; do
	refused 2 'bad tag' hold home -- 1 "$tag"
	refused 2 'bad tag' release home -- 1 "$tag"
done
for verb in '' Receive serve receive-stream ../receive "${injections[@]}"; do
	refused 2 'unknown verb' peer add host1 --verb "$verb"
done
for name in '' "$scratch/none" "${injections[@]}"; do
	refused 4 'no such file' archive list -- "$name"
	refused 4 'no such file' archive merge -- "$scratch/new" "$name" "$name"
done
for name in . /dev /dev/null; do
	refused 1 'no regular file' archive verify "$name"
	refused 1 'no regular file' archive merge "$scratch/new" "$name" "$name"
	refused 1 'no regular file|it is there' archive merge "$name" "$0" "$0" --force
done
printf 'not a delta\n' >"$scratch/text"
: >"$scratch/empty"
for name in text empty; do
	refused 7 "cannot read '.*/$name'" archive list "$scratch/$name"
	refused 7 "cannot read '.*/$name'" archive verify "$scratch/$name"
	refused 7 "cannot use '.*/$name'" archive merge "$scratch/new" "$scratch/$name" "$scratch/$name"
done
expect 10 'several that are none' z archive verify "$scratch/text" "$scratch/empty"
is "$(find "$scratch" -maxdepth 1 -name new -o -maxdepth 1 -name '.zumastor*')" '' 'no archive was made'
refused 2 'exclude each other' release home 1 mine --all
refused 2 'are for volumes' status home 1 --json
refused 2 'are for volumes' status home 1 --check
refused 2 'go alone' monitor --nagios --metrics
refused 2 'go alone' monitor --metrics --once
refused 2 'expected' monitor --metrics a b
refused 2 'expected' monitor --alarm a
refused 2 'go alone' monitor --alarm --period 3

ssh-keygen -q -t ed25519 -N '' -C '' -f "$scratch/key"
key=$(<"$scratch/key.pub")
for bad in '' ssh-ed25519 "${key/ed25519/dss}" "${key:0:40}" "command=\"x\" $key" "no-pty $key" "$key"$'\n'"$key" "$key"$'\r' \
	"from=\"*\",$key" "# $key" "${key/ssh-/ecdsa-sha2-nistp256 }" "$(<"$scratch/key")" "${injections[@]}"; do
	printf '%s\n' "$bad" >"$scratch/bad.pub"
	refused 2 'bad key' peer add host1 --key "$scratch/bad.pub" --print
done
printf '%s\0x\n' "$key" >"$scratch/bad.pub"
refused 2 'bad key' peer add host1 --key "$scratch/bad.pub" --print
refused 2 'bad key' peer add host1 --key - --print
refused 4 'no such key file' peer add host1 --key "$scratch/none.pub"
refused 4 "no such peer 'host1'; --key FILE makes one" peer add host1 --volume home
refused 4 "no such peer 'host1'" peer remove host1
is "$(z peer list)" 'PEER  VOLUMES  VERBS  KEY' 'there is no peer'

for line in 'hook_timeout = 0' 'peer_timeout = 0' 'hook_failure = maybe' 'hook_size = big' \
	'export_to = a;b' 'export_options = crossmnt' 'compress = xz:7' 'compress_threads = 0' 'compress_threads = 17'; do
	printf '%s\n' "$line" >"$scratch/etc/zumastor/zumastor.conf"
	refused 1 'bad value' check home
done
rm "$scratch/etc/zumastor/zumastor.conf"

no_trace 'no injected command has run'
is "$(find "$database" -type f)" '' 'nothing was written to the database'

traces=("$trap_dir"/*)
score R25 "$refusals" arguments $((tap_failed + ${#traces[@]})) 'ran or wrote'

expect 1 'refused for others than root' \
	setpriv --reuid 65534 --regid 65534 --clear-groups "$zumastor" status
is "$(<"$err")" 'zumastor status: must be run as root' 'it says why'
done_testing
