/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * step.h - named points in a program at which a test can make it die or fail.
 *
 * With ZUMASTOR_FAULT=kill:N in the environment the program kills itself (SIGKILL) at the Nth step it
 * reaches, with fail:N that step fails with -EIO; killboth:N lets its watchdog die at the same step;
 * with stop:N it waits there for SIGCONT, so that a test can look at what is suspended.  The tests run a
 * command with N = 1, 2, … until it passes, so that no step stays untried.
 */
#ifndef ZUMASTOR_STEP_H
#define ZUMASTOR_STEP_H

/*
 * step_arm - read ZUMASTOR_FAULT and begin to count; call it first in main, before memory is locked.
 */
void step_arm(void);

/*
 * step_watchdog - what was armed is meant for the parent, unless both are to die.
 */
void step_watchdog(void);

/*
 * step - the program has come to a point of interest; 0, or -EIO where a test wants it to fail.
 */
int step(void);

#endif
