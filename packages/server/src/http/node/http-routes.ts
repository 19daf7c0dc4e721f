import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { RealtimeError } from '@tutti/protocol'

/** The part of an HTTP server that belongs to one realtime server. */
export interface HttpRoute {
  /** Names the route in error messages. */
  readonly path: string
  matches(pathname: string): boolean
  handleRequest(request: IncomingMessage, response: ServerResponse): void
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** The routes of one HTTP server, and the function that removes the interception. */
interface Routes {
  readonly byPath: Map<string, HttpRoute>
  restore(): void
}

const routesOf = new WeakMap<HttpServer, Routes>()

const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * Adds a route to an HTTP server (C7). Its requests and upgrades reach no other listener, whenever that was added; all others
 * pass by untouched. The returned function removes the route, and with the last one every trace. Throws `INVALID_OPTIONS` for a
 * path that another route has.
 */
export function addRoute(server: HttpServer, route: HttpRoute): () => void {
  const { byPath, restore } = routesOf.get(server) ?? intercept(server)
  if (byPath.has(route.path)) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: `A realtime server is already attached at ${route.path}. Await its close(), or set another \`socketIo.path\`.`,
    })
  }
  byPath.set(route.path, route)
  return () => {
    if (byPath.get(route.path) !== route) return
    byPath.delete(route.path)
    if (byPath.size > 0) return
    routesOf.delete(server)
    restore()
  }
}

/**
 * Intercepts the events of the server before its listeners. A listener cannot keep a request from other listeners: the
 * application would answer it a second time, and another WebSocket library would refuse the upgrade.
 */
function intercept(server: HttpServer): Routes {
  const byPath = new Map<string, HttpRoute>()
  const wasOwn = Object.hasOwn(server, 'emit')
  const original = server.emit
  const routeOf = (request: unknown): HttpRoute | undefined => {
    const [pathname = ''] = urlOf(request).split('?', 1)
    for (const route of byPath.values()) if (route.matches(pathname)) return route
    return undefined
  }
  const emit = (name: string | symbol, ...args: unknown[]): boolean => {
    const route = name === 'request' || name === 'upgrade' ? routeOf(args[0]) : undefined
    if (route === undefined) return Reflect.apply(original, server, [name, ...args]) === true
    // Node guarantees the arguments of these two events.
    if (name === 'request') route.handleRequest(...(args as Parameters<HttpRoute['handleRequest']>))
    else route.handleUpgrade(...(args as Parameters<HttpRoute['handleUpgrade']>))
    return true
  }
  server.emit = emit

  // Node emits upgrades only where there is a listener. An upgrade that no route matches belongs to another listener, or is refused.
  const onUpgrade = (_request: IncomingMessage, socket: Duplex): void => {
    if (server.listenerCount('upgrade') > 1) return
    socket.on('error', () => socket.destroy())
    socket.end(NOT_FOUND)
  }
  server.on('upgrade', onUpgrade)

  const routes: Routes = {
    byPath,
    restore: () => {
      server.off('upgrade', onUpgrade)
      // Another library may have wrapped `emit` since. Then this one stays below it and passes every event on.
      if (server.emit !== emit) return
      if (wasOwn) server.emit = original
      else Reflect.deleteProperty(server, 'emit')
    },
  }
  routesOf.set(server, routes)
  return routes
}

function urlOf(request: unknown): string {
  return typeof request === 'object' && request !== null && 'url' in request && typeof request.url === 'string' ? request.url : ''
}
