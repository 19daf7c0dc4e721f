import { setTimeout as wait } from 'node:timers/promises'
import type { Reply } from '@tutti/protocol'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'

/** What every attack is given. */
export interface AttackContext {
  readonly urls: readonly string[]
  /** A good token of a user without rights to what he is after. */
  readonly token: string
  readonly canary: string
  readonly seed: number
  /** How long an attack without an end of its own goes on, milliseconds. */
  readonly forMs: number
  /** Messages of an attack that has a number. */
  readonly messages: number
  /** Hears of every message that an attacker is sent, to look for what he must not have. */
  readonly receive: (message: unknown) => void
}

/** An attack: gives back counts by outcome. */
export type Attack = (context: AttackContext) => Promise<Record<string, number>>

/** A socket of the attacker's; settles when it is in, rejects when it is refused. */
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

/** The same, tried again as long as there are too many tries. */
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

/** Sends and gives back how it ended: `ok`, the code of the refusal, or what became of the socket. */
export function tell(
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
