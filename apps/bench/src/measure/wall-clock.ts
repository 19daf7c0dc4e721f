/** Milliseconds since 1970 with fractions: one clock for all processes of this machine. */
export const wallClock = (): number => performance.timeOrigin + performance.now()
