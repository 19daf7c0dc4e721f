import type { Duplex } from 'node:stream'
import type { Nuxt } from '@nuxt/schema'

/**
 * Closes the socket when Nitro's dev server fails to pass a WebSocket on, for example because a client reset the connection. Nuxt
 * drops the promise of an upgrade, and its CLI would restart the application for the unhandled rejection
 * (https://github.com/nitrojs/nitro/issues/4493).
 */
export function catchDevUpgrades({ server }: Pick<Nuxt, 'server'>): void {
  const dev: unknown = server
  if (typeof dev !== 'object' || dev === null || !('upgrade' in dev) || typeof dev.upgrade !== 'function') return
  const { upgrade } = dev
  dev.upgrade = async (request: unknown, socket: Duplex, head: unknown): Promise<void> => {
    try {
      await Reflect.apply(upgrade, dev, [request, socket, head])
    } catch {
      socket.destroy()
    }
  }
}
