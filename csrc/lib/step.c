// SPDX-License-Identifier: GPL-2.0-or-later
/* step.c - see step.h. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"
#include "step.h"

static uint64_t kill_at, both_at, stop_at, fail_at, reached;

static void arm(const char *fault, const char *word, uint64_t *at)
{
	size_t length = strlen(word);

	if (strncmp(fault, word, length) != 0 || num_u64(fault + length, UINT32_MAX, at) < 0)
		*at = 0;
}

void step_arm(void)
{
	const char *fault = getenv("ZUMASTOR_FAULT");

	reached = 0;
	if (!fault)
		return;
	arm(fault, "kill:", &kill_at);
	arm(fault, "killboth:", &both_at);
	arm(fault, "stop:", &stop_at);
	arm(fault, "fail:", &fail_at);
}

void step_watchdog(void)
{
	kill_at = 0;
	stop_at = 0;
	fail_at = 0;
}

int step(void)
{
	reached++;
	if (reached == kill_at || reached == both_at)
		kill(getpid(), SIGKILL);
	if (reached == stop_at)
		kill(getpid(), SIGSTOP);
	return reached == fail_at ? -EIO : 0;
}
