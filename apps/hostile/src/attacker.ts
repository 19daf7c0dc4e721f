import { setTimeout as wait } from 'node:timers/promises'
import type { Reply } from '@tutti/protocol'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'

/** The input of every attack. */
export interface AttackContext {
  readonly urls: readonly string[]
  /** A valid token of a user without rights to the protected data. */
  readonly token: string
  readonly canary: string
  readonly seed: number
  /** Duration of an attack without an own end, milliseconds. */
  readonly forMs: number
  /** Number of messages of an attack that has one. */
  readonly messages: number
  /** Receives every message sent to an attacker, to search it for protected data. */
  readonly receive: (message: unknown) => void
}

/** An attack: returns counts by outcome. */
export type Attack = (context: AttackContext) => Promise<Record<string, number>>

/** A socket of the attacker; settles when it is connected, rejects when it is refused. */
export async function enter(
  { urls, token, receive }: AttackContext,
  { place = 0, ...options }: Partial<ManagerOptions & SocketOptions> & { place?: number } = {},
): Promise<Socket> {
  const socket = io(urls[place % urls.length], {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    auth: { protocol: 1, clientId: `mallory-${place}`, token },
    ...options,
  })
  socket.onAny((...message: unknown[]) => receive(message))
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject))
  return socket
}

/** The same, repeated while connection attempts are rate limited. */
export async function enterPatiently(...args: Parameters<typeof enter>): Promise<Socket> {
  for (;;) {
    try {
      return await enter(...args)
    } catch (error) {
      if (codeOf(error) !== 'RATE_LIMITED') throw error
      await wait(300)
    }
  }
}

/** The code with which a handshake was refused. */
export function codeOf(error: unknown): string {
  const data: unknown = error instanceof Error && 'data' in error ? error.data : undefined
  return typeof data === 'object' && data !== null && 'code' in data ? String(data.code) : 'refused'
}

/** Sends a message and returns its outcome: `ok`, the code of the refusal, or the state of the socket. */
export function request(
  { receive }: AttackContext,
  socket: Socket,
  name: string,
  args: readonly unknown[],
  withinMs = 30_000,
): Promise<string> {
  return new Promise((resolve) => {
    const end = (outcome: string): void => {
      clearTimeout(timer)
      socket.off('disconnect', gone)
      resolve(outcome)
    }
    const gone = (): void => end('disconnected')
    const timer = setTimeout(() => end('no answer'), withinMs)
    if (!socket.connected) return end('disconnected')
    socket.once('disconnect', gone)
    socket.emit(name, ...args, (reply: Reply) => {
      receive(reply)
      end(reply.ok ? 'ok' : reply.error.code)
    })
  })
}
