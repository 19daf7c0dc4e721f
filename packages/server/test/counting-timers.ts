/**
 * Tests that count all timers of their process. What other files of the process have left to end in the background may set some, so
 * these files have a project of their own, without shared modules.
 */
export const COUNTING_TIMERS = ['state-feature', 'backlog', 'change-delivery', 'expiry-plan', 'join-and-write', 'reconciler'].map(
  (name) => `test/${name}.test.ts`,
)
