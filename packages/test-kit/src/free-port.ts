import { createServer } from 'node:net'

// Below the range from which systems take the ports of outgoing connections (32,768 on Linux): such a connection of a
// test beside could else take the port between this look and its use, or while a server that had it is restarted.
const FIRST = 10_000
const END = 32_768

/** A port on 127.0.0.1 that is free now, and that only somebody who asks for it by number could take. */
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
