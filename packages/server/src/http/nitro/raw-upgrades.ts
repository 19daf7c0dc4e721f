import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Server, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** A WebSocket upgrade as Node gives it. */
export interface RawUpgrade {
  req: IncomingMessage
  socket: Duplex
  head: Buffer
}

/** Finds the raw upgrade of a web `Request`. */
export interface RawUpgrades {
  take(request: Request): RawUpgrade | undefined
  stop(): void
}

/**
 * Remembers the raw upgrades of the HTTP servers of this process until they are taken. Nitro's dev servers hide them: their
 * hooks receive a `Request` without a socket. Node reports each new TCP connection (`net.server.socket`), which leads to its
 * server and its upgrades, and the client's key identifies the upgrade.
 */
export function rememberRawUpgrades(): RawUpgrades {
  const servers = new Set<Server>()
  const remembered = new Map<string, RawUpgrade>()

  const onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const key = req.headers['sec-websocket-key']
    if (key === undefined) return
    remembered.set(key, { req, socket, head })
    socket.once('close', () => remembered.delete(key))
  }
  const onConnection = (message: unknown): void => {
    const server = serverOf(message)
    // A server without a listener for upgrades handles them like any request; adding a listener would change that.
    if (server === undefined || servers.has(server) || server.listenerCount('upgrade') === 0) return
    servers.add(server)
    server.prependListener('upgrade', onUpgrade)
  }
  subscribe('net.server.socket', onConnection)
  return {
    take: (request) => {
      const key = request.headers.get('sec-websocket-key') ?? ''
      const upgrade = remembered.get(key)
      remembered.delete(key)
      return upgrade
    },
    stop: () => {
      unsubscribe('net.server.socket', onConnection)
      for (const server of servers) server.off('upgrade', onUpgrade)
    },
  }
}

function serverOf(message: unknown): Server | undefined {
  if (typeof message !== 'object' || message === null || !('socket' in message)) return undefined
  const { socket } = message
  if (typeof socket !== 'object' || socket === null || !('server' in socket)) return undefined
  return socket.server instanceof Server ? socket.server : undefined
}
