import type { Socket } from 'node:net'

/**
 * Closes a connection at once: with a reset if the socket allows one, without waiting for unsent data.
 *
 * libuv refuses a reset while a shutdown is in flight, that is between `end()` and its completion (EINVAL). Node then emits an
 * error and never closes the handle: no `close` event follows, and the process spins in its clean-up instead of exiting. A
 * socket that is still connecting would be reset only once it is connected.
 */
export function abortSocket(socket: Socket): void {
  const isShuttingDown = socket.writableEnded && !socket.writableFinished
  if (socket.connecting || isShuttingDown) socket.destroy()
  else if (!socket.destroyed) socket.resetAndDestroy()
}
