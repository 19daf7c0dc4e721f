import {
  applyPatch,
  DEFAULT_LIMITS,
  incremented,
  matchesChannel,
  RealtimeError,
  toWireError,
  type Entry,
  type JsonValue,
  type Limits,
  type RequestName,
  type Requests,
  type StateUpdate,
} from '@tutti/protocol'
import { compareKeys, isAbsent, neverThere, prefixesOf, valueOf } from '@tutti/protocol/internal'
import type { LinkListener, ServerMessage, Transport } from '@tutti/client'
import { createModelLog } from './model-log.ts'
import { createModelPresence } from './model-presence.ts'

// A model of the server in memory. Nothing advances by itself: each message is queued in its link, in each direction, until the
// test delivers it, so that every interleaving is possible.

export type Request = { [Name in RequestName]: { name: Name; payload: Requests[Name]['payload'] } }[RequestName]
type Question = Extract<Requests['storage:subscribe']['payload'], { prefix: string }>
type AnyReply = { ok: true; [field: string]: unknown } | { ok: false; error: unknown }
type Answer = (reply: AnyReply) => void

export interface ModelLink {
  readonly handshake: Readonly<Record<string, unknown>>
  readonly up: { request: Request; answer: Answer }[]
  readonly down: (() => void)[]
  readonly keys: Set<string>
  readonly prefixes: Set<string>
  watches(key: string): boolean
  readonly channels: Set<string>
  readonly rooms: Set<string>
  open: boolean
  /** Breaks the connection; messages in transit in either direction are lost. */
  cut(reason?: RealtimeError): void
  notify(notice: ServerMessage): void
}

export class ModelServer {
  readonly entries = new Map<string, Entry>()
  readonly links: ModelLink[] = []
  /** Every message that was delivered to the server, in order. */
  readonly log: Request[] = []
  /** Refuses links instead of sending a hello. */
  refuseLinks: RealtimeError | undefined
  readonly presence = createModelPresence(() => this.openLinks)
  readonly logs = createModelLog(() => this.openLinks)
  /** Sends a hello at once. */
  greets = true
  limits: Limits = { ...DEFAULT_LIMITS }
  instance = 'instance-1'
  /** Decides about a message before it is handled: an error refuses it. */
  judge: (request: Request) => RealtimeError | undefined = () => undefined
  /** Entries of a page at most. */
  pageSize = 1_000
  /** Sends patches as patches. */
  sendsPatches = true
  readonly #memory = new Map<string, { number: number; reply: AnyReply }>()
  #version = 0

  readonly transport: Transport = (handshake, listener) => {
    const link = this.#link(handshake, listener)
    this.links.push(link)
    if (this.refuseLinks) link.down.push(() => link.cut(this.refuseLinks))
    else if (this.greets) this.greet(link)
    return {
      request: (name, payload, answer) => {
        // The model replies to each name with its own result; its tests verify that they match.
        link.up.push({ request: { name, payload } as Request, answer: (answer ?? (() => {})) as Answer })
      },
      close: () => {
        link.open = false
        link.up.length = link.down.length = 0
      },
    }
  }

  greet(link: ModelLink): void {
    link.notify({ name: 'server:hello', payload: { protocol: 1, instance: this.instance, limits: this.limits } })
  }

  get link(): ModelLink {
    const link = this.openLinks.at(-1)
    if (!link) throw new Error('no link')
    return link
  }

  get openLinks(): ModelLink[] {
    return this.links.filter(({ open }) => open)
  }

  /** Server code sends a message to a room. */
  broadcast(room: string, name: string, data: JsonValue): void {
    for (const link of this.openLinks) if (link.rooms.has(room)) link.notify({ name: 'room:received', payload: { room, name, data } })
  }

  /** The messages of one name, as they arrived. */
  logged<Name extends RequestName>(name: Name): Requests[Name]['payload'][] {
    return this.log.filter((request) => request.name === name).map(({ payload }) => payload)
  }

  /** Delivers the first message that waits, towards the server. */
  deliverUp(link: ModelLink): boolean {
    const message = link.up.shift()
    if (!message) return false
    const { request, answer } = message
    this.log.push(request)
    let reply: AnyReply
    try {
      const refusal = this.judge(request)
      if (refusal?.retryable) throw refusal
      reply = this.#handle(link, request, refusal)
    } catch (error) {
      reply = { ok: false, error: toWireError(error) }
    }
    link.down.push(() => answer(structuredClone(reply)))
    this.logs.afterReply()
    return true
  }

  /** Delivers the first message that waits, towards the client. */
  deliverDown(link: ModelLink): boolean {
    const message = link.down.shift()
    message?.()
    return message !== undefined
  }

  /** Delivers everything until nothing moves any more. */
  async flush(): Promise<void> {
    let messages = 0
    for (let quiet = 0; quiet < 3;) {
      await new Promise((resolve) => setImmediate(resolve))
      let moved = false
      for (const link of this.openLinks)
        while (link.open && (this.deliverUp(link) || this.deliverDown(link))) {
          moved = true
          if (++messages > 10_000) throw new Error(`no end of messages: ${JSON.stringify(this.log.slice(-4))}`)
        }
      quiet = moved ? 0 : quiet + 1
    }
  }

  /** A write by another client. */
  write(key: string, value: JsonValue | undefined, version = this.#version + 1): Entry {
    return this.#store(key, value, version)
  }

  value(key: string): JsonValue | undefined {
    return valueOf(this.entry(key))
  }

  entry(key: string): Entry {
    return this.entries.get(key) ?? neverThere(key)
  }

  subscribers(key: string): number {
    return this.openLinks.filter(({ keys }) => keys.has(key)).length
  }

  #link(handshake: Readonly<Record<string, unknown>>, listener: LinkListener): ModelLink {
    const link: ModelLink = {
      handshake,
      up: [],
      down: [],
      keys: new Set(),
      prefixes: new Set(),
      watches: (key) => link.keys.has(key) || prefixesOf(key).some((prefix) => link.prefixes.has(prefix)),
      channels: new Set(),
      rooms: new Set(),
      open: true,
      cut: (reason = new RealtimeError('UNAVAILABLE', { message: 'cut' })) => {
        if (!link.open) return
        link.open = false
        link.up.length = link.down.length = 0
        listener.onClose(reason)
      },
      notify: (notice) => void link.down.push(() => listener.onMessage(structuredClone(notice))),
    }
    return link
  }

  #page(link: ModelLink, { prefix, after, versions = {} }: Question): AnyReply {
    link.prefixes.add(prefix)
    const isBeyond = (key: string): boolean => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0)
    const below = [...this.entries.values()].filter((entry) => !isAbsent(entry) && isBeyond(entry.key))
    const page = below.toSorted((a, b) => compareKeys(a.key, b.key)).slice(0, this.pageSize)
    const last = page.length < below.length ? page.at(-1)?.key : undefined
    const gone = Object.keys(versions).filter((key) => isAbsent(this.entry(key)) && (last === undefined || compareKeys(key, last) <= 0))
    const entries = [...page, ...gone.map((key) => this.entry(key))].filter(({ key, version }) => versions[key] !== version)
    return last === undefined ? { ok: true, entries } : { ok: true, entries, after: last }
  }

  #store(
    key: string,
    value: JsonValue | undefined,
    version: number,
    writer?: ModelLink,
    patch?: { patch: { [name: string]: JsonValue }; base: number },
  ): Entry {
    this.#version = Math.max(version, this.#version)
    const entry: Entry = value === undefined ? { key, version, removed: true } : { key, version, value }
    this.entries.set(key, entry)
    const update: StateUpdate = patch && this.sendsPatches ? { key, version, ...patch } : entry
    for (const link of this.openLinks) if (link !== writer && link.watches(key)) link.notify({ name: 'storage:updated', payload: update })
    return entry
  }

  #handle(link: ModelLink, request: Request, refusal: RealtimeError | undefined): AnyReply {
    switch (request.name) {
      case 'presence:join':
      case 'presence:update':
      case 'presence:leave':
      case 'presence:subscribe':
      case 'presence:unsubscribe':
      case 'presence:cursor':
        if (refusal) throw refusal
        return { ok: true, ...this.presence.handle(link, request) }
      case 'document:open':
      case 'document:close':
      case 'document:update':
      case 'document:part':
      case 'document:awareness':
      case 'document:versions':
      case 'document:version':
      case 'document:save':
      case 'document:restore':
      case 'document:remove':
      case 'document:history':
        throw new RealtimeError('UNSUPPORTED')
      case 'lock:acquire':
      case 'lock:cancel':
      case 'lock:release':
      case 'lock:subscribe':
      case 'lock:unsubscribe':
        // Locks are tested with the real server.
        throw refusal ?? new RealtimeError('UNSUPPORTED')
      case 'storage:get':
        if (refusal) throw refusal
        return { ok: true, ...this.entry(request.payload.key) }
      case 'storage:subscribe': {
        if (refusal) throw refusal
        if ('prefix' in request.payload) return this.#page(link, request.payload)
        const { keys } = request.payload
        for (const { key } of keys) link.keys.add(key)
        return {
          ok: true,
          entries: keys.filter(({ key, version }) => version !== this.entry(key).version).map(({ key }) => this.entry(key)),
        }
      }
      case 'storage:unsubscribe':
        if ('prefix' in request.payload) link.prefixes.delete(request.payload.prefix)
        else for (const { key } of request.payload.keys) link.keys.delete(key)
        return { ok: true }
      case 'event:subscribe':
      case 'event:unsubscribe':
        if (refusal) throw refusal
        if (request.payload.durable === true) return { ok: true, ...this.logs.handle(link, request) }
        if (request.name === 'event:subscribe') link.channels.add(request.payload.channel)
        else link.channels.delete(request.payload.channel)
        return { ok: true }
      case 'room:join':
      case 'room:leave':
        if (refusal) throw refusal
        if (request.name === 'room:join') link.rooms.add(request.payload.room)
        else link.rooms.delete(request.payload.room)
        return { ok: true }
      case 'event:history':
        if (refusal) throw refusal
        return { ok: true, ...this.logs.handle(link, request) }
      case 'event:publish': {
        if (refusal) throw refusal
        if (request.payload.durable === true) return { ok: true, ...this.logs.handle(link, request) }
        const { channel, data, includeSelf } = request.payload
        for (const other of this.openLinks) {
          const received = [...other.channels].some((pattern) => matchesChannel(pattern, channel))
          if (received && (other !== link || includeSelf)) other.notify({ name: 'event:received', payload: { channel, data } })
        }
        return { ok: true }
      }
      case 'storage:set':
      case 'storage:remove':
      case 'storage:increment':
      case 'storage:patch':
        return this.#once(link, request.payload, () => {
          if (refusal) throw refusal
          return this.#mutate(link, request)
        })
    }
  }

  /** S12: a number that was handled receives the same result again. */
  #once(link: ModelLink, { key, mutation }: Requests['storage:remove']['payload'], run: () => AnyReply): AnyReply {
    const name = `${mutation?.clientId ?? String(link.handshake['clientId'])} ${key}`
    const seen = this.#memory.get(name)
    if (!mutation) return run()
    if (seen && seen.number === mutation.number) return seen.reply
    if (seen && seen.number > mutation.number) throw new RealtimeError('STALE_MUTATION')
    let reply: AnyReply
    try {
      reply = run()
    } catch (error) {
      reply = { ok: false, error: toWireError(error) }
    }
    this.#memory.set(name, { number: mutation.number, reply })
    return reply
  }

  #mutate(link: ModelLink, request: Extract<Request, { name: `storage:${'set' | 'remove' | 'increment' | 'patch'}` }>): AnyReply {
    const entry = this.entry(request.payload.key)
    const { key } = entry
    const version = this.#version + 1
    switch (request.name) {
      case 'storage:set':
      case 'storage:remove': {
        const { ifVersion } = request.payload
        if (ifVersion !== undefined && ifVersion !== entry.version && !(ifVersion === 0 && isAbsent(entry))) {
          throw new RealtimeError('CONFLICT', { entry })
        }
        this.#store(key, request.name === 'storage:set' ? request.payload.value : undefined, version, link)
        return { ok: true, version }
      }
      case 'storage:increment': {
        const { by, initial = 0 } = request.payload
        const value = incremented(isAbsent(entry) ? initial : entry.value, by)
        if (value === undefined) throw new RealtimeError('NOT_A_NUMBER')
        this.#store(key, value, version, link)
        return { ok: true, value, version }
      }
      case 'storage:patch': {
        const { patch } = request.payload
        this.#store(key, applyPatch(valueOf(entry), patch), version, link, { patch, base: entry.version })
        return { ok: true, version, base: entry.version }
      }
    }
  }
}
