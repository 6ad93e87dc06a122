// SPDX-License-Identifier: GPL-2.0-or-later
/* sums.c - see sums.h. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "io.h"
#include "sums.h"

static int open_file(struct sums *sums, const char *path, int flags, uint64_t bytes, size_t entry, bool fresh)
{
	struct stat st;

	sums->blocks = (bytes + DELTA_BLOCK - 1) / DELTA_BLOCK;
	sums->fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | (fresh ? O_CREAT | O_TRUNC : 0), 0600);
	if (sums->fd < 0 || (fresh && ftruncate(sums->fd, (off_t)(sums->blocks * entry)) < 0) || fstat(sums->fd, &st) < 0)
		return -errno;
	return (uint64_t)st.st_size == sums->blocks * entry ? 0 : -EBADMSG;
}

int sums_open(struct sums *sums, const char *path, int flags, uint64_t bytes, bool fresh)
{
	return open_file(sums, path, flags, bytes, sizeof(uint32_t), fresh);
}

int sums_open_new(struct sums *sums, const char *path, int flags, uint64_t bytes, bool fresh)
{
	return open_file(sums, path, flags, bytes, sizeof(uint64_t), fresh);
}

static uint32_t sum_of(const uint8_t *bytes, size_t length)
{
	static const uint8_t zeros[DELTA_BLOCK];
	static uLong whole;

	if (whole == 0)
		whole = crc32(0, zeros, DELTA_BLOCK);
	return (uint32_t)(crc32(0, bytes, (uInt)length) ^
			  (length == DELTA_BLOCK ? whole : crc32(0, zeros, (uInt)length)));
}

unsigned int sums_of(const uint8_t *bytes, size_t length, uint32_t sum[SUMS_PIECE])
{
	unsigned int count = 0;
	size_t n;

	for (; length > 0 && count < SUMS_PIECE; bytes += n, length -= n) {
		n = length < DELTA_BLOCK ? length : DELTA_BLOCK;
		sum[count++] = sum_of(bytes, n);
	}
	return count;
}

int sums_put(struct sums *sums, uint64_t offset, const uint32_t *sum, unsigned int count)
{
	uint32_t wire[SUMS_PIECE];
	unsigned int i;

	for (i = 0; i < count; i++)
		wire[i] = htole32(sum[i]);
	return io_pwrite(sums->fd, wire, count * sizeof(wire[0]), offset / DELTA_BLOCK * sizeof(wire[0]));
}

int sums_get(struct sums *sums, uint64_t offset, uint32_t *sum, unsigned int count)
{
	unsigned int i;
	int r = io_pread(sums->fd, sum, count * sizeof(*sum), offset / DELTA_BLOCK * sizeof(*sum));

	for (i = 0; r == 0 && i < count; i++)
		sum[i] = le32toh(sum[i]);
	return r;
}

static int put_new(struct sums *news, uint64_t offset, const uint32_t *sum, unsigned int count)
{
	uint64_t wire[SUMS_PIECE];
	unsigned int i;

	for (i = 0; i < count; i++)
		wire[i] = htole64(SUMS_NEW | sum[i]);
	return io_pwrite(news->fd, wire, count * sizeof(wire[0]), offset / DELTA_BLOCK * sizeof(wire[0]));
}

/* @bytes, or zeros where there are none. */
static int record(struct sums *news, const struct delta_extent *extent, const uint8_t *bytes)
{
	uint64_t at, n, most = (uint64_t)SUMS_PIECE * DELTA_BLOCK;
	uint32_t sum[SUMS_PIECE] = { 0 };
	int r = 0;

	for (at = 0; at < extent->length && r == 0; at += n) {
		n = extent->length - at < most ? extent->length - at : most;
		if (bytes)
			sums_of(bytes + at, (size_t)n, sum);
		r = put_new(news, extent->offset + at, sum, (unsigned int)((n + DELTA_BLOCK - 1) / DELTA_BLOCK));
	}
	return r;
}

int sums_record(struct sums *news, const struct delta_segment *seg)
{
	const uint8_t *bytes = seg->buffer;
	unsigned int i;
	int r = 0;

	if (news->fd < 0)
		return 0;
	for (i = 0; i < seg->data_count && r == 0; i++) {
		r = record(news, &seg->data[i], bytes);
		bytes += seg->data[i].length;
	}
	for (i = 0; i < seg->zero_count && r == 0; i++)
		r = record(news, &seg->zero[i], NULL);
	return r;
}

static int lay_piece(struct sums *sums, struct sums *news, uint64_t block, unsigned int count)
{
	uint64_t fresh[SUMS_PIECE];
	uint32_t sum[SUMS_PIECE];
	unsigned int i;
	int r = io_pread(news->fd, fresh, count * sizeof(fresh[0]), block * sizeof(fresh[0]));

	if (r == 0)
		r = sums_get(sums, block * DELTA_BLOCK, sum, count);
	for (i = 0; r == 0 && i < count; i++)
		if (le64toh(fresh[i]) & SUMS_NEW)
			sum[i] = (uint32_t)le64toh(fresh[i]);
	return r == 0 ? sums_put(sums, block * DELTA_BLOCK, sum, count) : r;
}

int sums_lay(struct sums *sums, struct sums *news)
{
	uint64_t block = 0, left;
	off_t data;
	int r = 0;

	while (r == 0 && block < news->blocks) {
		data = lseek(news->fd, (off_t)(block * sizeof(uint64_t)), SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? 0 : -errno;	/* no more */
		block = (uint64_t)data / sizeof(uint64_t);
		left = news->blocks - block;
		r = lay_piece(sums, news, block, left < SUMS_PIECE ? (unsigned int)left : SUMS_PIECE);
		block += SUMS_PIECE;
	}
	return r;
}

int sums_flush(struct sums *sums)
{
	return sums->fd >= 0 && fdatasync(sums->fd) < 0 ? -errno : 0;
}
