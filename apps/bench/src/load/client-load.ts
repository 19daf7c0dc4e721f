import { createRealtimeClient } from '@tutti/client'
import { connectPlainSocket } from '../sides/tutti/plain-socket.ts'
import { urlAt, type Deliveries, type Load, type LoadContext } from './load.ts'

/** The clients of which the CPU is measured, in this process. */
export interface ClientPlan {
  /** Handles of `@tutti/client` on each key, each with a subscriber; 0: a bare socket.io-client. */
  handles: number
  keys: number
}

export interface SetStretch {
  /** On each key, one after the other. */
  sets: number
}

export const CLIENT_FIGURES = ['sets', 'cpuMs', 'texts'] as const

type Set = (key: number, value: object) => Promise<unknown>

/** Connects the client to the first instance. */
export async function createClientLoad(context: LoadContext, { handles, keys }: ClientPlan): Promise<Load> {
  const deliveries: Deliveries = { expected: 0, delivered: 0, doubled: 0 }
  const { set, close } = handles === 0 ? await bareClient(urlAt(context, 0)) : await tuttiClient(urlAt(context, 0), handles, keys)
  let n = 0
  const setAll = async ({ sets }: SetStretch): Promise<void> => {
    const loop = async (key: number): Promise<void> => {
      for (let count = 0; count < sets; count += 1) await set(key, { n: ++n, pad: 'x'.repeat(60) })
    }
    await Promise.all(Array.from({ length: keys }, (_, key) => loop(key)))
  }
  return {
    deliveries,
    steps: {
      measure: async (stretch: SetStretch) => {
        const before = process.cpuUsage()
        await setAll(stretch)
        const { user, system } = process.cpuUsage(before)
        return { sets: stretch.sets * keys, cpuMs: (user + system) / 1000, texts: 0 }
      },
      /** Counts the calls of JSON.stringify, Socket.IO's own included. */
      countTexts: async (stretch: SetStretch) => {
        const { stringify } = JSON
        let texts = 0
        JSON.stringify = new Proxy(stringify, {
          apply: (target, self, args) => {
            texts += 1
            return Reflect.apply(target, self, args)
          },
        })
        try {
          await setAll(stretch)
        } finally {
          JSON.stringify = stringify
        }
        return { sets: stretch.sets * keys, cpuMs: 0, texts }
      },
    },
    close,
  }
}

interface Client {
  set: Set
  close: () => void
}

async function bareClient(url: string): Promise<Client> {
  const socket = await connectPlainSocket(url)
  return { set: (key, value) => socket.set(`bench:bare${key}`, value), close: socket.close }
}

async function tuttiClient(url: string, handles: number, keys: number): Promise<Client> {
  const client = createRealtimeClient({ url })
  const byKey = Array.from({ length: keys }, (_, key) => Array.from({ length: handles }, () => client.state<object>(`bench:client${key}`)))
  for (const handle of byKey.flat()) handle.subscribe(() => {})
  return {
    set: async (key, value) => byKey[key]?.[0]?.set(value),
    close: () => void client.close(),
  }
}
