import { isMainThread } from 'node:worker_threads'
import { RealtimeError } from '@tutti/protocol'
import { defineWebSocketHandler, fromNodeHandler } from 'nitro/h3'
import type { NitroApp } from 'nitro/types'
import type { User } from '../../authorization/authorize.ts'
import { hostRealtime } from '../hosted/host-realtime.ts'
import type { AttachedRealtimeServer, AttachRealtimeOptions } from '../node/attach-realtime.ts'
import { rememberRawUpgrades, type RawUpgrade } from './raw-upgrades.ts'

/**
 * Puts realtime state and events on the port of a Nitro 3 application, in production and in dev. Call it in a plugin of
 * an application that has `features: { websocket: true }`. `createOptions` runs once, now. What an earlier call made
 * (dev runs plugins again) is closed; this one closes on SIGTERM, on SIGINT and with Nitro. While Nitro prerenders it
 * makes nothing and returns undefined.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * export default definePlugin((nitroApp) => void attachRealtime(nitroApp, () => ({ state: reactiveDriver(memoryDriver()) })))
 */
export function attachRealtime<U extends User = User>(
  nitroApp: NitroApp,
  createOptions: () => AttachRealtimeOptions<U>,
): AttachedRealtimeServer<U> | undefined {
  if (isPrerendering(nitroApp)) return undefined
  const { h3, hooks } = nitroApp
  if (h3 === undefined)
    throw new RealtimeError('INVALID_OPTIONS', {
      message: 'Cannot attach: the Nitro application has no h3 app. For Nitro 2, import from @tutti/server/nitro2.',
    })

  const { realtime, path, handleRequest, handleUpgrade } = hostRealtime(createOptions(), () => hidden?.stop())
  const hidden = isDevServer() ? rememberRawUpgrades() : undefined
  const handler = defineWebSocketHandler(
    {
      upgrade: (request) => {
        const upgrade = rawUpgradeOf(request) ?? hidden?.take(request)
        if (upgrade === undefined) return new Response('This runtime gives no raw socket: use polling.', { status: 501 })
        handleUpgrade(upgrade.req, upgrade.socket, upgrade.head)
        return { handled: true }
      },
    },
    fromNodeHandler(handleRequest),
  )
  // Before all other middleware: polling and WebSocket have to meet the same checks, those of Socket.IO.
  h3['~middleware'].unshift((event, next) => (event.url.pathname === path ? handler(event) : next()))
  hooks?.hook('close', () => realtime.close())
  return realtime
}

/** The upgrade that Nitro's own server passes along with the request in production. */
function rawUpgradeOf(request: object): RawUpgrade | undefined {
  const { runtime }: { runtime?: { node?: { req?: RawUpgrade['req']; upgrade?: Omit<RawUpgrade, 'req'> } } } = request
  const { req, upgrade } = runtime?.node ?? {}
  return req === undefined || upgrade === undefined ? undefined : { req, ...upgrade }
}

/** Nitro's dev servers run the application in a worker thread, or in a process of its own. */
const isDevServer = (): boolean => !isMainThread || process.env['NODE_ENV'] === 'development'

/** Nitro keeps its running applications on `globalThis`; the one that renders pages at build time is named so. */
function isPrerendering(nitroApp: NitroApp): boolean {
  const scope: object = globalThis
  const { __nitro__: apps }: { __nitro__?: { prerender?: unknown } } = scope
  return apps?.prerender === nitroApp
}
