import type { JsonValue } from '@tutti/protocol'
import { createKeyedMutex } from '@tutti/protocol/internal'

/**
 * Receives each incoming event before it is delivered. `next()` passes it on, `next(data)` passes it on with other data. The event is
 * dropped if the middleware returns, or its promise settles, without a call of `next`. Later events of the channel wait.
 */
export type EventMiddleware = (event: { channel: string; data: unknown }, next: (data?: unknown) => void) => void | Promise<void>

/** The middleware of one client. */
export interface EventPipeline {
  /** Adds middleware, after the others. Returns a function that removes it. */
  use(middleware: EventMiddleware): () => void
  /** Delivers the event, at once if there is no middleware. */
  pass(channel: string, data: JsonValue, deliver: (data: unknown) => void): void
}

/** Makes a pipeline. Middleware that fails drops its event. */
export function createEventPipeline(onThrow: (error: unknown) => void): EventPipeline {
  const chain: { run: EventMiddleware }[] = []
  const mutex = createKeyedMutex()

  const step = async (rest: readonly { run: EventMiddleware }[], channel: string, data: unknown): Promise<[unknown] | undefined> => {
    const [first, ...others] = rest
    if (!first) return [data]
    let passed: [unknown] | undefined
    await first.run({ channel, data }, (...changed) => void (passed ??= [changed.length > 0 ? changed[0] : data]))
    return passed && step(others, channel, passed[0])
  }

  return {
    use: (run) => {
      const middleware = { run }
      chain.push(middleware)
      return () => {
        const place = chain.indexOf(middleware)
        if (place !== -1) chain.splice(place, 1)
      }
    },
    pass: (channel, data, deliver) => {
      if (chain.length === 0 && !mutex.has(channel)) return deliver(data)
      mutex
        .run(channel, async () => {
          const passed = await step([...chain], channel, data)
          if (passed) deliver(passed[0])
        })
        .catch(onThrow)
    },
  }
}
