import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** One connection through the proxy. */
export interface ProxiedConnection {
  /** All that the client sent. */
  sent: string
  /** What Redis answers is thrown away from now on. */
  swallowReplies(): void
  /** What the client sends is kept from Redis from now on, and lost. */
  swallowCommands(): void
  /** Ends it at both sides. */
  cut(): void
}

/** A TCP proxy before a Redis. */
export interface FaultProxy {
  readonly host: string
  readonly port: number
  /** All connections so far, oldest first. */
  readonly connections: ProxiedConnection[]
}

/** Starts one, closed with the test. */
export async function faultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const connections: ProxiedConnection[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host)
    let [repliesPass, commandsPass] = [true, true]
    const connection: ProxiedConnection = {
      sent: '',
      swallowReplies: () => (repliesPass = false),
      swallowCommands: () => (commandsPass = false),
      cut: () => {
        client.destroy()
        upstream.destroy()
      },
    }
    connections.push(connection)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => connection.cut())
    }
    client.on('data', (data) => {
      connection.sent += data.toString()
      if (commandsPass) upstream.write(data)
    })
    upstream.on('data', (data) => repliesPass && client.write(data))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The proxy has no port.')
  return { host: '127.0.0.1', port: address.port, connections }
}
