// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sum - print a sum over all of a device, to tell contents apart.
 *
 *     sum DEVICE
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"

int main(int argc, char **argv)
{
	uint64_t sum;
	int r;

	if (argc != 2)
		errx(2, "usage: sum DEVICE");
	r = digest_device(argv[1], &sum);
	if (r < 0)
		errx(1, "cannot read '%s': %s", argv[1], strerror(-r));
	printf("%016" PRIx64 "\n", sum);
	return 0;
}
