// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * apply.c - a delta from another host, applied as delta-apply does, to files in memory.
 *
 * Nothing is written before a segment was verified, nor outside the device, and each segment is what it must be.
 */
#define main delta_apply_main
#include "../../csrc/delta-apply.c"
#undef main

#include "fuzz.h"

enum { DEVICE_MAX = 1 << 20 };

static struct delta_reader in;
static struct delta_old old;
static struct replica replica;
static struct delta_segment *seg;
static uint8_t base[DEVICE_MAX], now[DEVICE_MAX];
static int stream, device, before;

static void begin(void)
{
	if (seg)
		return;
	memset(base, 'q', sizeof(base));
	seg = delta_segment_new();
	file_of(&device, base, 0);
	file_of(&before, base, sizeof(base));
	old = (struct delta_old){ .fd = before, .buffer = io_alloc(DELTA_SEGMENT_BYTES) };
	delta_queue_open(&old.queue, old.fd);
	replica.fd = device;
	replica_prepare(&replica, &in.facts);
}

static int apply_one(void)
{
	uint64_t floor = in.facts.resume;
	int r;

	while ((r = delta_read_segment(&in, seg)) > 0) {
		must(delta_segment_check(seg, &in.facts, floor) == 0);
		floor = delta_segment_end(seg);
		must(replica.fd < 0 || put_segment(&replica, seg) == 0);
	}
	if (r == 0 && replica.fd >= 0)
		must(put_wait(&replica, put_hole(&replica, in.facts.volume_bytes)) == 0);
	return r;
}

/* What the device holds; it is as large as the volume, unless that is too large to be tried. */
static void take(void)
{
	size_t bytes = in.facts.volume_bytes;
	int r;

	replica.fd = bytes <= DEVICE_MAX ? device : -1;
	replica.full = delta_is_full(&in.facts);
	replica.cursor = in.facts.resume;
	in.old = in.facts.xor ? &old : NULL;
	old.bytes = DEVICE_MAX;
	if (replica.fd >= 0)
		file_of(&device, base, bytes);
	r = apply_one();
	must(r == 0 || in.fault[0] != '\0');
	if (replica.fd < 0)
		return;
	must(lseek(device, 0, SEEK_END) == (off_t)bytes && pread(device, now, bytes, 0) == (ssize_t)bytes);
	must(in.totals.segments > 0 || r == 0 || memcmp(now, base, bytes) == 0);
	must(memcmp(now, base, in.facts.resume) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	begin();
	memcpy(copy, data, size);
	fuzz_forged = forge(copy, size);
	file_of(&stream, copy, size);
	free(copy);
	if (delta_read_open(&in, stream) == 0)
		take();
	else
		must(in.fault[0] != '\0');
	delta_read_close(&in);
	return 0;
}
