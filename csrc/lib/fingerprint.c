// SPDX-License-Identifier: GPL-2.0-or-later
/* fingerprint.c - see fingerprint.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clock.h"
#include "fingerprint.h"
#include "io.h"

enum {
	EDGE_BYTES = 128 << 10,		/* at both ends: ext4, xfs and btrfs keep superblocks there */
	SAMPLE_BYTES = 4096,
	SAMPLES_MIN = 16,
	SAMPLES_MAX = 512,
	TIME_LIMIT_MS = 200,
	PATH_TEXT = 96,
};

/* The kernel's count. */

struct count {
	uint64_t disk;		/* which life of which disk; 0: it does not count, or cannot be told apart */
	uint64_t written;
};

static bool read_number(const char *path, uint64_t *value)
{
	FILE *file = fopen(path, "re");
	bool read = file && fscanf(file, "%" SCNu64, value) == 1;

	if (file)
		fclose(file);
	return read;
}

/* A file of the disk that @device is, or is a partition of. */
static bool disk_number(dev_t device, const char *name, uint64_t *value)
{
	char path[PATH_TEXT];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(device), minor(device), name);
	if (read_number(path, value))
		return true;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../%s", major(device), minor(device), name);
	return read_number(path, value);
}

/* Discarded sectors change as much as written ones; kernels before 4.18 do not count them. */
static bool read_written(dev_t device, uint64_t *written)
{
	char path[PATH_TEXT];
	uint64_t sectors = 0, discarded = 0;
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/stat", major(device), minor(device));
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fscanf(file, "%*s %*s %*s %*s %*s %*s %" SCNu64 " %*s %*s %*s %*s %*s %*s %" SCNu64,
		   &sectors, &discarded);
	fclose(file);
	*written = sectors + discarded;
	return n >= 1;
}

static struct count count_now(dev_t device)
{
	struct count now = { 0 };
	uint64_t counting = 1;

	disk_number(device, "queue/iostats", &counting);
	if (counting == 0 || !read_written(device, &now.written) ||
	    !disk_number(device, "diskseq", &now.disk))
		now.disk = 0;
	return now;
}

static void read_boot(char boot[UUID_TEXT])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || fscanf(file, "%36s", boot) != 1 || !is_uuid(boot))
		boot[0] = '\0';
	if (file)
		fclose(file);
}

/* Is the count of @seen of the same device, in the same boot, as the one it is now to be compared with? */
static bool is_comparable(const struct origin_seen *seen, const struct count *now)
{
	char boot[UUID_TEXT];

	read_boot(boot);
	return now->disk != 0 && now->disk == seen->disk && boot[0] && strcmp(boot, seen->boot) == 0;
}

/* The digest. */

struct sampler {
	int fd;
	uint64_t bytes;		/* of the origin, a multiple of IO_ALIGN */
	uint64_t random;
	char *buffer;
	struct sha256_ctx digest;
};

static int sample(struct sampler *sampler, uint64_t bytes, uint64_t offset)
{
	int r = io_pread(sampler->fd, sampler->buffer, bytes, offset);

	if (r == 0)
		sha256_update(&sampler->digest, bytes, (const uint8_t *)sampler->buffer);
	return r;
}

/* splitmix64: the same places for the same volume, and others for the next one. */
static uint64_t next_place(struct sampler *sampler)
{
	uint64_t z = sampler->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return z % (sampler->bytes / SAMPLE_BYTES) * SAMPLE_BYTES;
}

static int sample_edges(struct sampler *sampler)
{
	uint64_t edge = sampler->bytes < EDGE_BYTES ? sampler->bytes : EDGE_BYTES;
	int r = sample(sampler, edge, 0);

	return r < 0 ? r : sample(sampler, edge, sampler->bytes - edge);
}

/* @count: so many samples; 0 for as many as there is time for.  Their number, or -errno. */
static int sample_places(struct sampler *sampler, unsigned int count)
{
	int64_t until = clock_ms() + TIME_LIMIT_MS;
	unsigned int n, most = count ? count : SAMPLES_MAX;
	int r = sample_edges(sampler);

	for (n = 0; n < most && r == 0; n++) {
		if (count == 0 && n >= SAMPLES_MIN && clock_ms() >= until)
			break;
		r = sample(sampler, SAMPLE_BYTES, next_place(sampler));
	}
	return r < 0 ? r : (int)n;
}

static void print_digest(struct sampler *sampler, char text[DIGEST_TEXT])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	unsigned int i;

	sha256_digest(&sampler->digest, sizeof(digest), digest);
	for (i = 0; i < sizeof(digest); i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* How many places the digest in @text is of, or -errno. */
static int take_digest(const struct stack *stack, unsigned int count, char text[DIGEST_TEXT])
{
	struct sampler sampler = { .buffer = io_alloc(EDGE_BYTES) };
	int r;

	if (!sampler.buffer)
		return -ENOMEM;
	sampler.bytes = stack->rec.origin_sectors * SECTOR_SIZE / IO_ALIGN * IO_ALIGN;
	sampler.random = strtoull(stack->rec.volume, NULL, 16);
	sha256_init(&sampler.digest);
	r = sampler.fd = dev_open(stack->origin);
	if (r >= 0) {
		r = sampler.bytes ? sample_places(&sampler, count) : -ENODATA;
		close(sampler.fd);
	}
	if (r >= 0)
		print_digest(&sampler, text);
	free(sampler.buffer);
	return r;
}

void fingerprint_take(struct stack *stack, enum seen when)
{
	struct origin_seen *seen = &stack->rec.origin_seen;
	struct count now = count_now(stack->origin);
	int samples = 0;

	*seen = (struct origin_seen){ .when = when, .disk = now.disk, .written = now.written };
	if (when == SEEN_RUNNING && is_reverting(&stack->rec))
		seen->disk = 0;	/* a revert writes to the origin, too */
	read_boot(seen->boot);
	if (when == SEEN_STOPPED)
		samples = take_digest(stack, 0, seen->digest);
	if (samples > 0)
		seen->samples = (uint32_t)samples;
	else
		seen->digest[0] = '\0';
}

/* A count that went down is another device's. */
bool fingerprint_changed(const struct stack *stack)
{
	const struct origin_seen *seen = &stack->rec.origin_seen;
	struct count now = count_now(stack->origin);
	char digest[DIGEST_TEXT];

	if (seen->when != SEEN_STOPPED)
		return false;
	if (is_comparable(seen, &now) && now.written > seen->written)
		return true;
	return seen->samples > 0 && take_digest(stack, seen->samples, digest) > 0 &&
	       strcmp(digest, seen->digest) != 0;
}

/* What was written to the device through its page cache is counted when it leaves that. */
static void write_out(dev_t device)
{
	int fd = dev_open(device);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* Every write to the volume becomes one of the same length to the origin, and its device is as old as the run. */
uint64_t fingerprint_past(const struct stack *stack)
{
	const struct origin_seen *seen = &stack->rec.origin_seen;
	struct dev_state volume;
	uint64_t ours, theirs;
	struct count now;

	write_out(stack->origin);
	now = count_now(stack->origin);

	if (seen->when != SEEN_RUNNING || !is_comparable(seen, &now) || now.written < seen->written ||
	    stack_state(stack, "origin", NO_ID, &volume) < 0 ||
	    !read_written(makedev(volume.major, volume.minor), &ours))
		return 0;
	theirs = now.written - seen->written;
	return theirs > ours ? theirs - ours : 0;
}
