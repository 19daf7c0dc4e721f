import { createRealtimeClient, type RealtimeClient, type RealtimeClientOptions, type Transport } from '@tutti/client'
import { RealtimeError, type Entry } from '@tutti/protocol'
import { callback, isJsonObject, parseOptions, required, withMethods, type OptionRow, type OptionRows } from '@tutti/protocol/internal'
import type { App } from 'vue'
import { checkStores } from './check-stores.ts'
import { createPageEntries, type ListEntries, type ReadEntries } from './page-entries.ts'
import { realtimeKey, type RealtimeContext } from './realtime-context.ts'

/** A client that the caller created and closes. */
export interface ExistingClientOptions {
  client: RealtimeClient
  /** The entries that the page was rendered with; the client receives the same. Without it, components begin as loading. */
  entries?: readonly Entry[] | undefined
}

/** Rendering of pages on a server: nothing is connected, and each page reads the entries that it shows. */
export interface PageOptions {
  /** Reads entries with the rights of the page's user: `realtime.as(user).state.read` of `@tutti/server`. */
  read: ReadEntries
  /** Lists entries below a prefix, likewise: `realtime.as(user).state.list`. Without it pages show collections as loading. */
  list?: ListEntries | undefined
}

/** Options of `createRealtime`: those of `createRealtimeClient`, or a client, or the functions that read for pages. */
export type RealtimeOptions = RealtimeClientOptions | ExistingClientOptions | PageOptions

/** A Vue plugin: `app.use(createRealtime(…))`. */
export interface Realtime {
  /** The client of the current applications. */
  readonly client: RealtimeClient
  install(app: App): void
  /** The entries shown by the page, as JSON that is safe inside a `<script type="application/json">`. */
  dehydrate(): string
}

/** Never connects, even if a rendered page calls `connect()`. */
const noTransport: Transport = (_handshake, { onClose }) => {
  queueMicrotask(() => onClose(new RealtimeError('UNSUPPORTED', { message: 'No connection during server-side rendering.' })))
  return { request: () => {}, close: () => {} }
}

/** The union of the three kinds of options. */
type AnyOptions = Partial<ExistingClientOptions> & Partial<PageOptions> & RealtimeClientOptions

const notBeside = (other: string): OptionRow<undefined> => [`left out beside \`${other}\``, () => false, undefined]

const EXISTING = {
  client: withMethods(['state', 'close'], undefined),
  entries: ['a list of entries', Array.isArray, undefined],
  read: notBeside('client'),
  list: notBeside('client'),
} satisfies OptionRows<ExistingClientOptions & PageOptions>

const PAGE = { read: required(callback(undefined)), list: callback(undefined), client: notBeside('read') } satisfies OptionRows<
  PageOptions & Pick<ExistingClientOptions, 'client'>
>

/** Throws `INVALID_OPTIONS`. `createRealtimeClient` validates the options of a client. */
function checkOptions(options: AnyOptions): AnyOptions {
  const given: unknown = options
  if (!isJsonObject(given) || options.client !== undefined) parseOptions<object, object>('createRealtime', EXISTING, options)
  else if (options.read !== undefined || options.list !== undefined) parseOptions<object, object>('createRealtime', PAGE, options)
  return options
}

/**
 * Creates the plugin and, unless one is given, its client, which begins to connect at once and is closed when the last
 * application that uses it is unmounted; another application gets a new one. Without a `document` nothing is connected. On a
 * server, create one for each page.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * createApp(App).use(createRealtime({ url: 'https://example.org' })).mount('#app')
 */
export function createRealtime(options: RealtimeOptions = {}): Realtime {
  const { client: theirs, read, list, ...ofClient } = checkOptions(options)
  const onServer = read !== undefined || (!theirs && !('document' in globalThis))
  const unconnected = { autoConnect: false, transport: noTransport }
  const open = (): RealtimeClient => theirs ?? createRealtimeClient(onServer ? { ...(read ? {} : ofClient), ...unconnected } : ofClient)
  let client = open()
  let isClosed = false
  const page = createPageEntries(ofClient.entries, { read, list })
  const context: RealtimeContext = {
    get client() {
      return client
    },
    onServer,
    owners: new WeakMap(),
    page,
  }
  const apps = new Set<App>()
  return {
    get client() {
      return client
    },
    install: (app) => {
      // Data read for one page must not be visible to another user.
      if (read && apps.size > 0) {
        throw new RealtimeError('INVALID_OPTIONS', {
          message: 'createRealtime({ read }) was used by a second application. Create one for each page.',
        })
      }
      if (isClosed) client = open()
      isClosed = false
      apps.add(app)
      app.provide(realtimeKey, context)
      app.onUnmount(() => {
        apps.delete(app)
        // After the components, which may still send changes.
        void Promise.resolve().then(() => {
          if (theirs || apps.size > 0 || isClosed) return
          isClosed = true
          void client.close()
        })
      })
    },
    dehydrate: () => {
      for (const app of apps) checkStores(app)
      // Only `<` could end a script.
      return JSON.stringify(page.all()).replaceAll('<', String.raw`\u003c`)
    },
  }
}
