import { flushCompileCache } from 'node:module'

/**
 * The counterpart of `spawnInstance` in the script: answers calls by name, and reports that it is ready.
 */
export function serveInstance(ready: Record<string, unknown>, methods: Record<string, (...args: never[]) => unknown>): void {
  process.on('message', (message: { id: number; name: string; args: never[] }) => {
    void (async () => {
      try {
        const method = methods[message.name]
        if (method === undefined) throw new Error(`The instance offers no ${message.name}.`)
        process.send?.({ id: message.id, result: await method(...message.args) })
      } catch (error) {
        process.send?.({ id: message.id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
      }
    })()
  })
  // A process that is killed later stores nothing.
  flushCompileCache()
  process.send?.({ ready })
}
