import { createServer } from 'node:net'

// Below the range for outgoing connections (from 32,768 on Linux): otherwise such a connection of another test could take the
// port before it is used, or while its server restarts.
const FIRST = 10_000
const END = 32_768

/** A port on 127.0.0.1 that is free now, and is never assigned automatically. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (END - FIRST))
    if (await isFree(port)) return port
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
