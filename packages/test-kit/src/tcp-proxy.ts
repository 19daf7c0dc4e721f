import { connect, createServer, type Socket } from 'node:net'
import { abortSocket } from './abort-socket.ts'
import { createHalf, FLOWING, type Direction, type HalfFault, type LinkFaults } from './proxied-link.ts'

/** One connection through the proxy. */
export interface ProxiedConnection extends LinkFaults {
  /** The first 64 KiB that the client sent, as text. */
  readonly sent: string
  /** Bytes that were forwarded, in each direction. */
  readonly bytes: Readonly<Record<Direction, number>>
  readonly open: boolean
}

/** A TCP proxy that injects faults: into one connection, or into all current and future ones. */
export interface TcpProxy extends LinkFaults {
  readonly host: string
  readonly port: number
  /** All connections so far, oldest first. */
  readonly connections: readonly ProxiedConnection[]
  /** The target of future connections. */
  retarget(target: { host: string; port: number }): void
  /** Cuts all connections, and each new one at once, until `flow()`: the target is unreachable. */
  refuse(): void
  /** Closes the proxy and its connections; settles when no socket is open. */
  close(): Promise<void>
}

const SENT_BYTES = 65_536
const DIRECTIONS: readonly Direction[] = ['up', 'down']

type Faults = Record<Direction, HalfFault>

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const connections: ProxiedConnection[] = []
  /** The server's close waits for its own sockets, but not for these. */
  const upstreams = new Set<Socket>()
  const faults: Faults = { up: FLOWING, down: FLOWING }
  let current = target
  let refusing = false

  const server = createServer((client) => {
    if (refusing) return abortSocket(client.on('error', () => {}))
    const upstream = connect(current.port, current.host)
    upstreams.add(upstream)
    upstream.once('close', () => upstreams.delete(upstream))
    connections.push(proxyConnection(client, upstream, { ...faults }))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The proxy has no port.')
  const open = (): ProxiedConnection[] => connections.filter((connection) => connection.open)
  const cut = (): void => {
    for (const connection of open()) connection.cut()
  }

  return {
    host: '127.0.0.1',
    port: address.port,
    connections,
    retarget: (next) => {
      current = next
    },
    cut,
    refuse: () => {
      refusing = true
      cut()
    },
    ...linkFaults(
      (direction, fault) => {
        faults[direction] = fault
      },
      (apply) => open().forEach(apply),
    ),
    flow: () => {
      refusing = false
      Object.assign(faults, { up: FLOWING, down: FLOWING })
      for (const connection of open()) connection.flow()
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
      cut()
      await Promise.all([closed, ...[...upstreams].map((upstream) => new Promise((resolve) => void upstream.once('close', resolve)))])
    },
  }
}

function proxyConnection(client: Socket, upstream: Socket, faults: Faults): ProxiedConnection {
  let sent = ''
  let open = true
  const halves = {
    up: createHalf(client, upstream, faults.up, (data) => {
      if (sent.length < SENT_BYTES) sent += data.toString()
    }),
    down: createHalf(upstream, client, faults.down),
  }
  const cut = (): void => {
    open = false
    for (const socket of [client, upstream]) abortSocket(socket)
  }
  for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', () => {})
  // A graceful end of one side follows all data that it wrote.
  client.on('end', () => void upstream.end()).on('close', cut)
  upstream.on('end', () => void client.end()).on('close', cut)
  return {
    get sent() {
      return sent
    },
    get open() {
      return open
    },
    get bytes() {
      return { up: halves.up.bytes, down: halves.down.bytes }
    },
    cut,
    ...linkFaults((direction, fault) => halves[direction].set(fault)),
    flow: () => {
      if (halves.up.torn || halves.down.torn) return cut()
      for (const direction of DIRECTIONS) halves[direction].set(FLOWING)
    },
  }
}

/** `stall`, `drop`, `delay` and `limit`, applied to one half and to the given others. */
function linkFaults(
  set: (direction: Direction, fault: HalfFault) => void,
  others: (apply: (link: LinkFaults) => void) => void = () => {},
): Pick<LinkFaults, 'stall' | 'drop' | 'delay' | 'limit'> {
  const inject = (fault: HalfFault, direction?: Direction): void => {
    for (const half of direction === undefined ? DIRECTIONS : [direction]) set(half, fault)
  }
  return {
    stall: (direction) => {
      inject({ kind: 'stall', ms: 0 }, direction)
      others((link) => link.stall(direction))
    },
    drop: (direction) => {
      inject({ kind: 'drop', ms: 0 }, direction)
      others((link) => link.drop(direction))
    },
    delay: (ms, direction) => {
      inject({ kind: 'delay', ms }, direction)
      others((link) => link.delay(ms, direction))
    },
    limit: (bytesPerSecond, direction) => {
      inject({ kind: 'limit', ms: 0, bytesPerSecond }, direction)
      others((link) => link.limit(bytesPerSecond, direction))
    },
  }
}
