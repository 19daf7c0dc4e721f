import { connect } from 'node:net'
import { eventually } from './eventually.ts'

/**
 * Waits until a server of this machine can be connected to. Start its clients then: one that is refused several times, while the
 * machine is busy, tries again only after half a minute.
 */
export const untilListening = (port: number): Promise<void> =>
  eventually(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1')
        socket.once('connect', () => resolve(void socket.destroy())).once('error', reject)
      }),
    { timeoutMs: 60_000 },
  )
