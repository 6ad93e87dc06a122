#!/bin/bash
# A bookmark in which anything is otherwise than it was written is not believed; one that would be too long gets coarser, and
# lacks nothing.
. "$(dirname "$0")/lib.sh"
uuid=71be8ab1-31df-477f-9819-95b5243fc299
next=82cf9bc2-42e0-4880-a92a-a6c6354fd3aa

# forge DIR EXPRESSION - the text of a bookmark, changed by some Perl, with the digest that belongs to it.
forge() {
	mkdir -p "$scratch/$1"
	printf 'zumastor-bookmark 1\nvolume %s\nuuid %s\nid 3\ntime 1795333857\nsectors 1000\nchunk_sectors 32\nnext %s\n\n0 3\n7 1\n' \
		$next $uuid $next | perl -0pe "$2" >"$scratch/$1/$uuid"
	printf 'sha256 %.64s\n' "$(sha256sum <"$scratch/$1/$uuid")" >>"$scratch/$1/$uuid"
}

show() {
	"$asan/dm-bookmark" show "$@"
}

forge good ''
is "$(show "$scratch/good/$uuid")" "$uuid id=3 time=1795333857 volume=$next next=$next chunks=4 runs=2 bytes=280" 'a good one'
mkdir "$scratch/renamed" "$scratch/installed"
cp "$scratch/good/$uuid" "$scratch/renamed/$next"
is "$(show "$scratch/renamed/$next")" "$next damaged" 'not by another name'
is "$(show "$scratch/none/$uuid")" "$uuid damaged" 'nor one that is not there'

perl -e '
	my ($file, $to) = @ARGV;
	my ($name) = $file =~ m{([^/]*)$};
	open my $in, "<", $file or die; local $/; my $good = <$in>;
	sub put { mkdir "$to/bad$_[0]"; open my $out, ">", "$to/bad$_[0]/$name" or die; print $out $_[1]; }
	for my $at (0 .. length($good) - 1) {
		my $bad = $good; substr($bad, $at, 1) ^= chr(1 << $at % 8);
		put("flip$at", $bad); put("cut$at", substr($good, 0, $at));
	}
	put("more", $good . "\n");' "$scratch/good/$uuid" "$scratch"
expect 0 'each byte flipped, each end cut off' show "$scratch"/bad*/*
is "$(wc -l <"$out") $(sort -u "$out")" "561 $uuid damaged" 'is damage'

number=0
for expression in 's/0 3/0 32/' 's/7 1/31 2/' 's/7 1/2 1/' 's/7 1/7 0/' 's/7 1/7/' 's/7 1/7 1 1/' 's/7 1/07 1/' 's/7 1/-7 1/' \
	's/7 1/18446744073709551615 2/' 's/\n\n/\n/' 's/\n\n/\n\n\n/' 's/bookmark 1/bookmark 2/' 's/id 3/id 0/' 's/id 3/id 3 /' \
	's/sectors 1000/sectors 0/' 's/time 1/time -/' 's/uuid .*\n//' 's/next 8/next 8\0/' 's/next 8/next G/' 's/32/0/' 's/\z/x/'; do
	forge "forged$number" "$expression"
	is "$(show "$scratch/forged$number/$uuid")" "$uuid damaged" "so is, with the right digest, $expression"
	number=$((number + 1))
done

# Every other chunk of many.
# shellcheck disable=SC2016 # Perl's
forge long 's/sectors 1000/sectors 134400000/; s/0 3\n7 1\n/join "", map { 3 * $_ . " 1\n" } 0 .. 1_399_999/e'
expect 0 'a long one' "$helpers/dm-bookmark" install "$scratch/installed" "$scratch/long/$uuid"
"$helpers/dm-bookmark" show "$scratch/installed/$uuid" >"$out"
is "$(sed 's/.* \(chunks.*\) bytes=.*/\1/' "$out")" 'chunks=4199998 runs=1' 'holes in it are filled'
is "$(stat -c %a "$scratch/installed/$uuid")" 600 'nobody else can read it'
expect 7 'a damaged one' "$helpers/dm-bookmark" install "$scratch/installed" "$scratch/badmore/$uuid"
is "$(sed 's/.* \(chunks.*\) bytes=.*/\1/' <("$helpers/dm-bookmark" show "$scratch/installed/$uuid"))" 'chunks=4199998 runs=1' 'replaces none'
for words in '' show list keep install 'list a b c' 'keep a b c' 'frob x' 'keep --base x a b c d'; do
	# shellcheck disable=SC2086 # words
	expect 2 "usage: $words" "$asan/dm-bookmark" $words
done
done_testing
