import { randomFillSync } from 'node:crypto'

/** 120 random bits, and 20 characters of base64. */
const BYTES = 15

const pool = Buffer.alloc(BYTES * 256)
let used = pool.length

/**
 * A new id of an Engine.IO session, of random bits only. Engine.IO makes a buffer for each id, and a system call for each one
 * when many clients connect at once.
 */
export function createSessionId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += BYTES
  return pool.toString('base64url', used - BYTES, used)
}
