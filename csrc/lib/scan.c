// SPDX-License-Identifier: GPL-2.0-or-later
/* scan.c - see scan.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "scan.h"

enum { REQUEST = 512 << 10 };

static size_t least(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

/* A slow one reads little at once, so that it is slow all the time and not now and then. */
static size_t piece_bytes(uint64_t rate)
{
	size_t bytes = rate == 0 ? SCAN_PIECE : least(rate / 4, SCAN_PIECE) / SCAN_RANGE * SCAN_RANGE;

	return bytes > 0 ? bytes : SCAN_RANGE;
}

/* Until @bytes may have been read. */
static void keep_pace(const struct scan *scan, uint64_t bytes)
{
	int64_t due, now;

	if (scan->rate == 0)
		return;
	due = scan->start_ms + (int64_t)((double)bytes * 1000 / (double)scan->rate);
	while ((now = clock_ms()) < due)
		poll(NULL, 0, (int)least((uint64_t)(due - now), 10000));
}

static void ask(struct scan *scan, unsigned int turn)
{
	size_t done, n, length = least(scan->piece, scan->bytes - scan->asked);

	keep_pace(scan, scan->asked - scan->from);
	for (done = 0; done < length; done += n) {
		n = least(length - done, REQUEST);
		delta_queue_add(&scan->queue[turn], false, scan->buffer[turn] + done, n, scan->asked + done);
	}
	scan->asked += length;
}

int scan_open(struct scan *scan, const char *path, uint64_t from, uint64_t rate)
{
	unsigned int i;
	int r;

	memset(scan, 0, sizeof(*scan));
	scan->fd = io_open(path, O_RDONLY);
	if (scan->fd < 0)
		return scan->fd;
	r = io_size(scan->fd, &scan->bytes);
	if (r == 0 && from > scan->bytes)
		r = -ERANGE;
	scan->rate = rate;
	scan->piece = piece_bytes(rate);
	scan->from = scan->asked = scan->at = from;
	scan->start_ms = clock_ms();
	for (i = 0; i < 2; i++) {
		delta_queue_open(&scan->queue[i], scan->fd);
		scan->buffer[i] = io_alloc(scan->piece);
		if (!scan->buffer[i] && r == 0)
			r = -ENOMEM;
	}
	if (r < 0)
		scan_close(scan);
	return r;
}

/* Which of its ranges it was: the others are as good as any. */
static void read_again(struct scan *scan, uint8_t *buffer, struct scan_piece *piece)
{
	size_t at;

	for (at = 0; at < piece->length; at += SCAN_RANGE)
		if (io_pread(scan->fd, buffer + at, least(SCAN_RANGE, piece->length - at), piece->offset + at) < 0)
			piece->unread |= UINT64_C(1) << (at / SCAN_RANGE);
}

int scan_next(struct scan *scan, struct scan_piece *piece)
{
	unsigned int turn = scan->turn;

	if (scan->at == scan->bytes)
		return 0;
	if (scan->asked == scan->at)
		ask(scan, turn);
	*piece = (struct scan_piece){
		.bytes = scan->buffer[turn],
		.length = least(scan->piece, scan->bytes - scan->at),
		.offset = scan->at,
	};
	if (delta_queue_wait(&scan->queue[turn]) < 0)
		read_again(scan, scan->buffer[turn], piece);
	scan->at += piece->length;
	scan->turn = !turn;
	if (scan->asked < scan->bytes)
		ask(scan, scan->turn);
	return 1;
}

void scan_close(struct scan *scan)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		delta_queue_wait(&scan->queue[i]);
		delta_queue_close(&scan->queue[i]);
		free(scan->buffer[i]);
	}
	close(scan->fd);
}
