// SPDX-License-Identifier: GPL-2.0-or-later
/* forge.c - see fuzz.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "delta.h"
#include "fuzz.h"

enum { BLOCK = 512, MAGIC = 257, SUM = 148, SUM_BYTES = 8, SIZE = 124, SIZE_DIGITS = 11 };

bool fuzz_forged;

/* The linker puts this in the place of delta_chain_hex(). */
void __real_delta_chain_hex(const uint8_t chain[DELTA_DIGEST], char hex[DELTA_HEX]);
void __wrap_delta_chain_hex(const uint8_t chain[DELTA_DIGEST], char hex[DELTA_HEX]);

void __wrap_delta_chain_hex(const uint8_t chain[DELTA_DIGEST], char hex[DELTA_HEX])
{
	if (!fuzz_forged) {
		__real_delta_chain_hex(chain, hex);
		return;
	}
	memset(hex, '0', DELTA_HEX - 1);
	hex[DELTA_HEX - 1] = '\0';
}

void file_of(int *fd, const void *data, size_t size)
{
	if (*fd == 0)
		*fd = memfd_create("fuzz", 0);
	must(*fd > 0 && ftruncate(*fd, 0) == 0 && pwrite(*fd, data, size, 0) == (ssize_t)size);
	must(lseek(*fd, 0, SEEK_SET) == 0);
}

static void forge_sum(uint8_t *header)
{
	unsigned int sum = 0, i;

	memset(header + SUM, ' ', SUM_BYTES);
	for (i = 0; i < BLOCK; i++)
		sum += header[i];
	snprintf((char *)header + SUM, SUM_BYTES, "%06o", sum);
}

static void forge_digests(uint8_t *tar, size_t size)
{
	static const char key[] = "sha256=";
	uint8_t *at = tar, *end = tar + size;

	while ((at = memmem(at, (size_t)(end - at), key, strlen(key)))) {
		at += strlen(key);
		if ((size_t)(end - at) < DELTA_HEX - 1)
			break;
		memset(at, '0', DELTA_HEX - 1);
	}
}

bool forge(uint8_t *tar, size_t size)
{
	char digits[SIZE_DIGITS + 1] = "";
	uint64_t at, bytes;

	if (size < BLOCK || memcmp(tar + MAGIC, "ustar", 5) != 0)
		return false;
	for (at = 0; at + BLOCK <= size && tar[at] != 0; at += BLOCK + (bytes + BLOCK - 1) / BLOCK * BLOCK) {
		memcpy(digits, tar + at + SIZE, SIZE_DIGITS);
		bytes = strtoull(digits, NULL, 8) & ((UINT64_C(1) << 33) - 1);
		forge_sum(tar + at);
	}
	forge_digests(tar, size);
	return true;
}
