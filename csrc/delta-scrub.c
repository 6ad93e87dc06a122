// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delta-scrub - does a device still read as it was received?
 *
 *     delta-scrub [--record] [--from OFFSET] [--rate BYTES] SUMS DEVICE >>log
 *
 * SUMS is the file that delta-apply made (csrc/lib/sums.h); with --record it is made of what DEVICE has now.  The log tells
 * what differs, what the disk refused to read included, and how far it came (csrc/lib/findings.h): --from goes on there.
 *
 * Exit 0: read to the end, whatever was found.  7: SUMS is of another size; 4: there is no such file; 2: usage; 1.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "exits.h"
#include "findings.h"
#include "num.h"
#include "scan.h"
#include "sums.h"

struct options {
	bool record;
	uint64_t from;
	uint64_t rate;
};

static bool is_unread(const struct scan_piece *piece, size_t at)
{
	return piece->unread >> (at / SCAN_RANGE) & 1;
}

static int compare(struct sums *sums, const struct scan_piece *piece, struct findings *findings)
{
	uint32_t now[SUMS_PIECE], then[SUMS_PIECE];
	unsigned int i, count = sums_of(piece->bytes, piece->length, now);
	int r = sums_get(sums, piece->offset, then, count);

	for (i = 0; r == 0 && i < count; i++) {
		size_t at = (size_t)i * DELTA_BLOCK, left = piece->length - at;

		if (is_unread(piece, at) || now[i] != then[i])
			findings_differ(findings, piece->offset + at, left < DELTA_BLOCK ? left : DELTA_BLOCK);
	}
	return r;
}

static int record(struct sums *sums, const struct scan_piece *piece)
{
	uint32_t now[SUMS_PIECE];

	if (piece->unread)
		return -EIO;
	return sums_put(sums, piece->offset, now, sums_of(piece->bytes, piece->length, now));
}

static int scrub(struct scan *scan, struct sums *sums, bool recording)
{
	struct findings findings;
	struct scan_piece piece;
	int r;

	findings_begin(&findings);
	while ((r = scan_next(scan, &piece)) > 0) {
		r = recording ? record(sums, &piece) : compare(sums, &piece, &findings);
		if (r == 0 && findings_due(&findings)) {
			r = recording ? sums_flush(sums) : 0;
			r = r == 0 ? findings_note(&findings, scan->at) : r;
		}
		if (r < 0)
			return r;
	}
	if (r == 0 && recording)
		r = sums_flush(sums);
	return r == 0 ? findings_end(&findings) : r;
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "record", no_argument, NULL, 'w' },
		{ "from", required_argument, NULL, 'f' },
		{ "rate", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'w')
			options->record = true;
		else if (!(c == 'f' && num_u64(optarg, INT64_MAX, &options->from) == 0 && options->from % SCAN_RANGE == 0) &&
			 !(c == 'r' && num_u64(optarg, INT64_MAX, &options->rate) == 0))
			break;
	}
	if (c != -1 || argc - optind != 2)
		errx(EXIT_USAGE, "usage: delta-scrub [--record] [--from OFFSET] [--rate BYTES] SUMS DEVICE");
}

int main(int argc, char **argv)
{
	static struct scan scan;
	struct options options = { 0 };
	struct sums sums;
	int r;

	parse(argc, argv, &options);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)	/* it reads for hours, for whoever waits for it */
		err(EXIT_FAILED, "cannot follow the parent");
	r = scan_open(&scan, argv[optind + 1], options.from, options.rate);
	if (r < 0)
		errx(exit_code(r), "cannot open '%s': %s", argv[optind + 1], reason(r));
	r = sums_open(&sums, argv[optind], options.record ? O_RDWR : O_RDONLY, scan.bytes,
		      options.record && options.from == 0);
	if (r < 0)
		errx(exit_code(r), "cannot use '%s': %s", argv[optind], reason(r));
	r = scrub(&scan, &sums, options.record);
	if (r < 0)
		errx(exit_code(r), "cannot go on near byte %" PRIu64 ": %s", scan.at, reason(r));
	scan_close(&scan);
	return EXIT_DONE;
}
