import { IncomingMessage } from 'node:http'
import type { NitroApp } from 'nitropack/types'
import type { User } from '../../authorization/authorize.ts'
import { hostRealtime } from '../hosted/host-realtime.ts'
import { isListenFailure } from '../hosted/is-listen-failure.ts'
import type { AttachedRealtimeServer, AttachRealtimeOptions } from '../node/attach-realtime.ts'
import { baseOf, routeUpgrades } from './route-upgrades.ts'

/**
 * Puts realtime state and events on the port of a Nitro 2 application (nitropack, Nuxt 4), in production and in dev.
 * Call it in a plugin of an application that has `experimental: { websocket: true }`. `createOptions` runs once, now.
 * What an earlier call made is closed; this one closes on SIGTERM, on SIGINT and with Nitro.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * export default defineNitroPlugin((nitroApp) => void attachRealtime(nitroApp, () => ({ state: reactiveDriver(memoryDriver()) })))
 */
export function attachRealtime<U extends User = User>(
  nitroApp: NitroApp,
  createOptions: () => AttachRealtimeOptions<U>,
): AttachedRealtimeServer<U> {
  const { realtime, path, handleRequest, handleUpgrade } = hostRealtime(createOptions())
  const handler: Parameters<typeof nitroApp.router.use>[1] = (event) => {
    event._handled = true
    return handleRequest(event.node.req, event.node.res)
  }
  handler.__is_handler__ = true
  const base = baseOf(nitroApp)
  const webSockets = {
    upgrade: (request: object): Promise<never> | Response => {
      const nodeRequest = '_req' in request ? request._req : undefined
      if (!(nodeRequest instanceof IncomingMessage)) return new Response('This runtime gives no raw socket: use polling.', { status: 501 })
      // As h3 does for other requests: Engine.IO compares the path.
      nodeRequest.url = nodeRequest.url?.slice(base.length)
      // No bytes are lost without the head: a client of WebSocket waits for the answer before it sends.
      handleUpgrade(nodeRequest, nodeRequest.socket, Buffer.alloc(0))
      // crossws would go on to upgrade the socket itself.
      return new Promise(() => {})
    },
  }
  nitroApp.router.use(path, handler)
  routeUpgrades(nitroApp, path, webSockets)
  nitroApp.hooks.hook('close', () => realtime.close())
  nitroApp.hooks.hook('error', (error) => {
    if (isListenFailure(error)) void realtime.close()
  })
  return realtime
}
