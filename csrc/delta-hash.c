// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * delta-hash - hash a device range by range, or find the ranges that hash otherwise elsewhere.
 *
 *     delta-hash [--attended] [--from OFFSET] [--rate BYTES] DEVICE >hashes
 *     delta-hash --compare [--from OFFSET] [--rate BYTES] [--patience SECONDS] DEVICE <hashes >>log
 *
 * Prints a line for each 64 KiB from OFFSET, a multiple of that, on: the SHA-256 in hex, or "unread" where the disk refused;
 * and last "end".  One hash in a thousandth of the data, all at the speed of the disk: there is nothing to be gained by
 * hashing more at once first.  With --attended it ends when stdin does: nobody wants to know any more.
 *
 * With --compare the hashes of the other side come on stdin, in step, and the log tells what differs and how far it came
 * (csrc/lib/findings.h): --from goes on there.  It has no rights while it reads (csrc/lib/confine.h).
 *
 * Exit 0: compared to the end, whether equal or not.  1: DEVICE cannot be read, or as the other side says; 2: usage;
 * 7: what the other side says is wrong or ends early.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "delta.h"
#include "exits.h"
#include "findings.h"
#include "io.h"
#include "num.h"
#include "patience.h"
#include "scan.h"

enum {
	HASH_LINE = DELTA_HEX,			/* with a newline for the end of the string */
	WHOLE_LINES = 4096 / HASH_LINE,		/* at once: somebody else says "alive" in between, but not in a line */
	SAID_TEXT = 512,
};

static const char UNREAD[] = "unread";

struct options {
	const char *device;
	uint64_t from;
	uint64_t rate;
	uint64_t patience;
	bool compare;
	bool attended;
};

/* What the other side says. */
struct peer {
	struct patience patience;
	char text[4096];
	size_t at, end;
};

static void range_hash(const struct scan_piece *piece, size_t at, char hex[DELTA_HEX])
{
	uint8_t digest[DELTA_DIGEST];
	size_t length = piece->length - at < SCAN_RANGE ? piece->length - at : SCAN_RANGE;

	if (piece->unread >> (at / SCAN_RANGE) & 1) {
		memcpy(hex, UNREAD, sizeof(UNREAD));
		return;
	}
	delta_chain_start(digest, (const char *)piece->bytes + at, length);
	delta_chain_hex(digest, hex);
}

/* Telling. */

static int tell_piece(const struct scan_piece *piece)
{
	char hex[DELTA_HEX];
	unsigned int lines = 0;
	size_t at;

	for (at = 0; at < piece->length; at += SCAN_RANGE) {
		range_hash(piece, at, hex);
		puts(hex);
		if (++lines % WHOLE_LINES == 0 && fflush(stdout) == EOF)
			return -errno;
	}
	return io_flush_stdout();
}

/* Who asked has hung up, or died. */
static bool is_alone(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char byte;

	return poll(&in, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static int tell(struct scan *scan, const struct options *options)
{
	struct scan_piece piece;
	int r;

	while ((r = scan_next(scan, &piece)) > 0) {
		r = options->attended && is_alone() ? -ECANCELED : tell_piece(&piece);
		if (r < 0)
			return r;
	}
	puts("end");
	return io_flush_stdout();
}

/* Comparing. */

static int fill(struct peer *peer)
{
	ssize_t n;

	memmove(peer->text, peer->text + peer->at, peer->end - peer->at);
	peer->end -= peer->at;
	peer->at = 0;
	if (peer->end >= SAID_TEXT)
		return -EBADMSG;
	n = patience_read(&peer->patience, STDIN_FILENO, peer->text + peer->end, sizeof(peer->text) - peer->end);
	if (n > 0)
		peer->end += (size_t)n;
	return n > 0 ? 0 : n < 0 ? (int)n : -ENODATA;
}

static int next_line(struct peer *peer, const char **line)
{
	char *end;
	int r;

	while (!(end = memchr(peer->text + peer->at, '\n', peer->end - peer->at))) {
		r = fill(peer);
		if (r < 0)
			return r;
	}
	*end = '\0';
	*line = peer->text + peer->at;
	peer->at = (size_t)(end + 1 - peer->text);
	return 0;
}

/* It is past help, and says why: "failed CODE message". */
static void check_failed(const char *line)
{
	unsigned int code = EXIT_FAILED, i;
	char said[SAID_TEXT];

	if (strncmp(line, "failed ", 7) != 0)
		return;
	line += 7;
	if (*line >= '1' && *line <= '7' && line[1] == ' ') {
		code = (unsigned int)(*line - '0');
		line += 2;
	}
	for (i = 0; i < SAID_TEXT - 1 && line[i] != '\0'; i++)
		said[i] = line[i] < ' ' || line[i] > '~' ? '?' : line[i];
	said[i] = '\0';
	errx((int)code, "%s", said);
}

/* The next line that is about the data. */
static int hear(struct peer *peer, const char **line)
{
	int r;

	do
		r = next_line(peer, line);
	while (r == 0 && strcmp(*line, "alive") == 0);
	if (r == 0)
		check_failed(*line);
	return r;
}

static bool is_hash(const char *line)
{
	return strlen(line) == DELTA_HEX - 1 && strspn(line, "0123456789abcdef") == DELTA_HEX - 1;
}

static int compare_piece(const struct scan_piece *piece, struct peer *peer, struct findings *findings)
{
	char hex[DELTA_HEX];
	const char *line;
	size_t at;
	int r;

	if (piece->unread)
		return -EIO;
	for (at = 0; at < piece->length; at += SCAN_RANGE) {
		range_hash(piece, at, hex);
		r = hear(peer, &line);
		if (r < 0)
			return r;
		if (!is_hash(line) && strcmp(line, UNREAD) != 0)
			return -EBADMSG;
		if (strcmp(line, hex) != 0)
			findings_differ(findings, piece->offset + at,
					piece->length - at < SCAN_RANGE ? piece->length - at : SCAN_RANGE);
	}
	return 0;
}

/* Where this takes longer than the patience lasts, so it does over there. */
static int64_t patience_ms(const struct options *options)
{
	int64_t ms = (int64_t)options->patience * 1000;

	if (ms > 0 && options->rate > 0)
		ms += (int64_t)(INT64_C(4096) / HASH_LINE * SCAN_RANGE * 1000 / options->rate);
	return ms;
}

static int compare(struct scan *scan, const struct options *options)
{
	static struct peer peer;
	struct findings findings;
	struct scan_piece piece;
	const char *line;
	int r;

	peer.patience.limit_ms = patience_ms(options);
	findings_begin(&findings);
	while ((r = scan_next(scan, &piece)) > 0) {
		r = compare_piece(&piece, &peer, &findings);
		if (r == 0 && findings_due(&findings))
			r = findings_note(&findings, scan->at);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = hear(&peer, &line);
	if (r == 0 && strcmp(line, "end") != 0)
		r = -EBADMSG;
	return r < 0 ? r : findings_end(&findings);
}

static void usage(void)
{
	errx(EXIT_USAGE, "usage: delta-hash [--attended] [--compare] [--from OFFSET] [--rate BYTES] [--patience SECONDS] DEVICE");
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "compare", no_argument, NULL, 'c' },
		{ "attended", no_argument, NULL, 'a' },
		{ "from", required_argument, NULL, 'f' },
		{ "rate", required_argument, NULL, 'r' },
		{ "patience", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'c')
			options->compare = true;
		else if (c == 'a')
			options->attended = true;
		else if (c == 'f' && num_u64(optarg, INT64_MAX, &options->from) == 0 && options->from % SCAN_RANGE == 0)
			;
		else if (c == 'r' && num_u64(optarg, INT64_MAX, &options->rate) == 0)
			;
		else if (c == 'p' && num_u64(optarg, 1000000, &options->patience) == 0)
			;
		else
			usage();
	}
	if (argc - optind != 1)
		usage();
	options->device = argv[optind];
}

int main(int argc, char **argv)
{
	static struct scan scan;
	struct options options = { 0 };
	int r;

	parse(argc, argv, &options);
	r = scan_open(&scan, options.device, options.from, options.rate);
	if (r < 0)
		errx(exit_code(r), "cannot open '%s': %s", options.device, reason(r));
	r = confine();
	if (r < 0)
		errx(EXIT_FAILED, "cannot give up rights: %s", reason(r));
	r = options.compare ? compare(&scan, &options) : tell(&scan, &options);
	if (r == -EIO)
		errx(EXIT_FAILED, "cannot read '%s' near byte %" PRIu64 ": %s", options.device, scan.at, reason(r));
	if (r < 0)
		errx(exit_code(r), "%s", reason(r));
	scan_close(&scan);
	return EXIT_DONE;
}
