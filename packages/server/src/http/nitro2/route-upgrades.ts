import type { NitroApp } from 'nitropack/types'

type Application = Pick<NitroApp, 'h3App' | 'router'>
type WebSockets = NitroApp['h3App']['websocket']
type Resolve = NonNullable<WebSockets['resolve']>

/** The base URL of the application, without a slash at its end; empty for `/`. */
export const baseOf = ({ h3App, router }: Application): string =>
  withoutSlash(h3App.stack.find(({ handler }) => handler === router.handler)?.route ?? '')

/**
 * Passes WebSockets on a path of the router to a handler. h3 1 does that itself only if the application is at `/`: below another base
 * URL it mistakes the first middleware for the handler, and Nuxt has one that serves files.
 */
export function routeUpgrades(application: Application, path: string, hooks: Awaited<ReturnType<Resolve>>): void {
  const address = withoutSlash(baseOf(application) + path)
  const { websocket } = application.h3App
  const { resolve } = websocket
  websocket.resolve = (info) => (withoutSlash(pathnameOf(info)) === address ? hooks : (resolve?.(info) ?? {}))
}

const withoutSlash = (path: string): string => path.replace(/\/$/, '')

/** Of a request, or of the peer that it became. The URL may be a path. */
function pathnameOf(info: Parameters<Resolve>[0]): string {
  const url = 'request' in info ? info.request?.url : 'url' in info ? info.url : undefined
  return new URL(typeof url === 'string' ? url : '/', 'http://application').pathname
}
