import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { attachRealtime, type AttachedRealtimeServer, type AttachRealtimeOptions } from '@tutti/server/node'
import { reactiveDriver, type ReactiveDriver } from '@tutti/storage-driver'
import { createRealtime } from '@tutti/vue'
import memoryDriver from 'unstorage/drivers/memory'
import { onTestFinished } from 'vitest'
import { createApp, h, type App, type Component } from 'vue'

/** A message from a client, as received by the server. */
export interface Message {
  name: string
  payload: unknown
}

/** A server on its own port, closed at the end of the test. */
export interface Served {
  readonly url: string
  readonly store: ReactiveDriver
  readonly realtime: AttachedRealtimeServer
  /** Messages of all clients, in order. */
  readonly messages: Message[]
  /** The payloads of one kind of message. */
  of(name: string): unknown[]
  /** Another client, as another browser has it. */
  connect(): RealtimeClient
}

export async function serve(options: Partial<AttachRealtimeOptions> = {}): Promise<Served> {
  const httpServer = createServer()
  const store = reactiveDriver(memoryDriver())
  const realtime = attachRealtime(httpServer, { state: store, onWarning: () => {}, ...options })
  const messages: Message[] = []
  realtime.io.on('connection', (socket) => socket.onAny((name: string, payload: unknown) => messages.push({ name, payload })))
  httpServer.listen(0, '127.0.0.1')
  await once(httpServer, 'listening')
  await realtime.ready
  const { port } = httpServer.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  onTestFinished(async () => {
    await realtime.close()
    httpServer.close()
    httpServer.closeAllConnections()
  })
  return {
    url,
    store,
    realtime,
    messages,
    of: (name) => messages.filter((message) => message.name === name).map(({ payload }) => payload),
    connect: () => {
      const client = createRealtimeClient({ url })
      onTestFinished(() => client.close())
      return client
    },
  }
}

/** An application in the page that runs `setup` in its one component. */
export interface Mounted<Result> {
  readonly result: Result
  readonly app: App
  readonly element: HTMLElement
  unmount(): void
}

export function mount<Result>(url: string, setup: () => Result, template?: string): Mounted<Result> {
  const results: Result[] = []
  const component: Component = {
    setup: () => {
      const result = setup()
      results.push(result)
      return template === undefined ? () => h('i') : result
    },
    ...(template === undefined ? {} : { template }),
  }
  const app = createApp(component).use(createRealtime({ url }))
  const element = document.createElement('div')
  app.mount(element)
  let mounted = true
  const unmount = (): void => {
    if (mounted) app.unmount()
    mounted = false
  }
  onTestFinished(unmount)
  const [result] = results
  if (result === undefined) throw new Error('The component was not set up.')
  return { result, app, element, unmount }
}
